/** What the supervisor is told at its creation; config.ts reads it, tests shorten it. */
import type { LinkLimits } from '../contract/ipc.ts';

export interface RestartPolicy {
  readonly baseMs: number;
  readonly maxMs: number;
  /** A child that ran so long and was of use begins anew with its delays. */
  readonly resetMs: number;
  readonly crashLoopCount: number;
  readonly crashLoopWindowMs: number;
}

export interface SupervisorSettings {
  readonly sessionsPerChild: number;
  /** Memory cap of a child of one session, megabytes; a session may have its own. */
  readonly memoryCapMb: number;
  /** Children that may boot at the same time. */
  readonly startConcurrency: number;
  /** WhatsApp handshakes per second, after a burst. */
  readonly connectRatePerSecond: number;
  readonly connectBurst: number;
  /** From spawn to the first session accepted. */
  readonly readyTimeoutMs: number;
  readonly heartbeatSuspectMs: number;
  readonly heartbeatKillMs: number;
  readonly stopTimeoutMs: number;
  readonly restart: RestartPolicy;
  readonly limits: LinkLimits;
  /** WhatsApp Web version to announce; null takes the library's. */
  readonly version: readonly [number, number, number] | null;
  /** The whole environment of a child, beside what spawn.ts adds. */
  readonly childEnvironment: Readonly<Record<string, string>>;
}
