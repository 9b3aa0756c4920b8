/** What leaves the process of histories. Pure. */
import type { Result } from '../../contract/index.ts';
import type { TrafficBucket } from '../../store/traffic.ts';
import type { FleetVitals, SessionVitals } from '../supervisor-port.ts';
import { unixSecondsOf } from './session.ts';

const hourMs = 3_600_000;
/** Samples are taken this often: see supervisor/vitals-history.ts. */
const intervalSeconds = 15;

export interface TrafficWindow {
  readonly from: number;
  readonly bucketMs: number;
  readonly buckets: number;
}

/** Whole hours, the present one included. */
export function trafficWindow(hours: number, now: number): TrafficWindow {
  const lastBegin = Math.floor(now / hourMs) * hourMs;
  return { from: lastBegin - (hours - 1) * hourMs, bucketMs: hourMs, buckets: hours };
}

export function presentTraffic(found: readonly TrafficBucket[], window: TrafficWindow): Result<'getTraffic'> {
  const byBegin = new Map(found.map((bucket) => [bucket.at, bucket]));
  return {
    bucket_seconds: window.bucketMs / 1000,
    buckets: Array.from({ length: window.buckets }, (_, index) => {
      const at = window.from + index * window.bucketMs;
      const { received, sent, failed } = byBegin.get(at) ?? { received: 0, sent: 0, failed: 0 };
      return { at: unixSecondsOf(at), received, sent, failed };
    }),
  };
}

export function presentVitals(points: readonly SessionVitals[], capBytes: number | null): Result<'getVitals'> {
  return {
    interval_seconds: intervalSeconds,
    memory_cap_bytes: capBytes,
    points: points.map(({ at, values }) => ({
      at: unixSecondsOf(at),
      memory_bytes: whole(values.memoryBytes),
      cpu_percent: rounded(values.cpuPercent),
      loop_delay_ms: rounded(values.loopDelayMs),
    })),
  };
}

export function presentFleetHistory(points: readonly FleetVitals[], limitBytes: number): Result<'getFleetHistory'> {
  return {
    interval_seconds: intervalSeconds,
    limit_bytes: limitBytes,
    points: points.map(({ at, values }) => ({
      at: unixSecondsOf(at),
      supervisor_bytes: whole(values.supervisorBytes),
      children_bytes: whole(values.childrenBytes),
      postgres_bytes: whole(values.postgresBytes),
      simulator_bytes: whole(values.simulatorBytes),
      connected: whole(values.connected),
    })),
  };
}

const whole = (value: number | null): number | null => (value === null ? null : Math.round(value));
const rounded = (value: number | null): number | null => (value === null ? null : Math.round(value * 10) / 10);
