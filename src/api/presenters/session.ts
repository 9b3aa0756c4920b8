/** What leaves the process of a session, field by field. Pure. */
import type { Result } from '../../contract/index.ts';
import { WardenError } from '../../contract/errors.ts';
import type { DeviceInfo } from '../../contract/ipc.ts';
import type { SessionResource } from '../../contract/operations/sessions.ts';
import type { SessionRow } from '../../store/store.ts';
import type { ChildView, SessionView } from '../supervisor-port.ts';
import { presentPacingSummary } from './pacing.ts';

export const unixSecondsOf = (ms: number): number => Math.floor(ms / 1000);
export const secondsOrNull = (ms: number | null): number | null => (ms === null ? null : unixSecondsOf(ms));

/** The device as the running link tells it, or as it was stored last; null when the session is not paired. */
export function deviceOf(row: SessionRow, view: SessionView): DeviceInfo | null {
  if (!isPaired(row, view)) return null;
  return view.link?.device ?? row.device;
}

/** Whether the session is paired: the running link knows best. */
export function isPaired(row: SessionRow, view: SessionView): boolean {
  return view.link?.isPaired ?? row.isPaired;
}

export function presentSession(row: SessionRow, view: SessionView): SessionResource {
  const device = deviceOf(row, view);
  return {
    id: row.id,
    name: row.name,
    phone_number: device?.phoneNumber ?? null,
    push_name: device?.pushName ?? null,
    status: view.status,
    status_reason: view.statusReason,
    created_at: unixSecondsOf(row.createdAt),
    updated_at: unixSecondsOf(row.updatedAt),
    last_connected_at: secondsOrNull(row.lastConnectedAt),
    is_logged_in: isPaired(row, view),
    sandbox: row.sandbox,
    isolated: row.isolated,
    pacing: view.pacing ? presentPacingSummary(view.pacing) : null,
    child: view.child === null ? null : presentChild(view.child),
  };
}

function presentChild(child: ChildView): NonNullable<SessionResource['child']> {
  const { lastExit } = child;
  return {
    pid: child.pid,
    state: child.state,
    memory_bytes: child.memoryBytes,
    memory_cap_bytes: child.capBytes,
    memory_warning: child.memoryWarning === null ? null : growing(child.memoryWarning.growth),
    sessions: child.sessions,
    restarts: child.restarts,
    last_exit:
      lastExit === null ? null : { cause: lastExit.cause, at: unixSecondsOf(lastExit.at), detail: lastExit.detail },
  };
}

function growing(growth: 'heap' | 'external' | 'native' | null): string {
  const what = { heap: 'its JavaScript heap', external: 'its buffers', native: 'its native memory' } as const;
  const grown = growth === null ? 'its memory' : what[growth];
  return `The process grows again soon after it was replaced for that, mostly ${grown}; raise memory_cap_mb or SESSION_MEMORY_MB.`;
}

export function presentStatus(row: SessionRow, view: SessionView): Result<'getSessionStatus'> {
  const { id, status, status_reason, is_logged_in, phone_number, last_connected_at } = presentSession(row, view);
  return { id, status, status_reason, is_logged_in, phone_number, last_connected_at };
}

/** Throws `not_paired`. */
export function presentDevice(row: SessionRow, view: SessionView): Result<'getDevice'> {
  const device = deviceOf(row, view);
  if (device === null) throw new WardenError('not_paired');
  return {
    device_id: device.deviceId,
    phone_number: device.phoneNumber,
    jid: device.jid,
    lid: device.lid,
    push_name: device.pushName,
    platform: device.platform,
    is_business: /^smb/i.test(device.platform ?? ''),
    linked_at: secondsOrNull(row.linkedAt),
    app_version: device.appVersion,
  };
}
