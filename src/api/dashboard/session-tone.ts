/** How a session's status looks: one of four tones, and whether somebody has to do something. Pure. */
import type { SessionStatus } from '../../contract/operations/sessions.ts';

export type Tone = 'good' | 'info' | 'warn' | 'bad' | 'none';

export const toneOf = {
  connected: 'good',
  connecting: 'info',
  waiting_for_qr: 'warn',
  waiting_for_pair_code: 'warn',
  disconnected: 'none',
  logged_out: 'bad',
  failed: 'bad',
} as const satisfies Record<SessionStatus, Tone>;

/** A short name for people. */
export const statusWords = {
  connected: 'Connected',
  connecting: 'Connecting',
  waiting_for_qr: 'Waiting for a scan',
  waiting_for_pair_code: 'Waiting for the code',
  disconnected: 'Disconnected',
  logged_out: 'Logged out',
  failed: 'Failed',
} as const satisfies Record<SessionStatus, string>;

export const statuses: readonly SessionStatus[] = [
  'connected',
  'connecting',
  'waiting_for_qr',
  'waiting_for_pair_code',
  'disconnected',
  'logged_out',
  'failed',
];

/** Sessions of each status; those without any are left out. */
export function countByStatus(
  sessions: readonly { readonly status: SessionStatus }[],
): readonly { readonly status: SessionStatus; readonly count: number; readonly tone: Tone; readonly words: string }[] {
  return statuses
    .map((status) => ({
      status,
      count: sessions.filter((session) => session.status === status).length,
      tone: toneOf[status],
      words: statusWords[status],
    }))
    .filter(({ count }) => count > 0);
}

/** Parts of a bar of `width` from left to right. */
export function barParts<Entry extends { readonly count: number }>(
  entries: readonly Entry[],
  width: number,
): readonly (Entry & { readonly x: number; readonly width: number })[] {
  const total = entries.reduce((sum, { count }) => sum + count, 0);
  let x = 0;
  return entries.map((entry) => {
    const part = { ...entry, x, width: total === 0 ? 0 : (entry.count / total) * width };
    x += part.width;
    return part;
  });
}
