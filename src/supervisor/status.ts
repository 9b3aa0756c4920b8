/** The status that people see, from what is wanted, the process and the link. Pure; always with a reason in words. */
import { assertNever } from '../contract/assert-never.ts';
import type { LinkSnapshot } from '../contract/ipc.ts';
import type { SessionStatus } from '../contract/operations/sessions.ts';

export type ProcessTag = 'stopped' | 'starting' | 'running' | 'stopping' | 'backoff' | 'crash_loop' | 'blocked';

export interface StatusFacts {
  readonly desired: 'running' | 'stopped';
  readonly link: Pick<LinkSnapshot, 'state' | 'reason' | 'until'>;
  /** Null when no child is assigned. */
  readonly process: {
    readonly state: ProcessTag;
    /** Milliseconds without a heartbeat, once that is suspicious. */
    readonly silentMs: number | null;
    readonly lastExitDetail: string | null;
    /** Milliseconds until the next try. */
    readonly retryInMs: number | null;
    /** Milliseconds until starts go on after too many processes have ended at once; null when they are not held back. */
    readonly pausedMs: number | null;
  } | null;
  /** Why the session cannot run although its child could. */
  readonly trouble: string | null;
}

export interface DerivedStatus {
  readonly status: SessionStatus;
  readonly reason: string;
}

export function deriveStatus(facts: StatusFacts): DerivedStatus {
  const { desired, link, process, trouble } = facts;
  if (isOver(link)) return { status: link.state === 'logged_out' ? 'logged_out' : 'failed', reason: link.reason };
  if (trouble !== null) return { status: 'failed', reason: trouble };
  if (process === null || process.state === 'stopped') return withoutProcess(desired, link);
  const exit = process.lastExitDetail ?? 'The process of the session ended.';
  switch (process.state) {
    case 'blocked':
      return { status: 'failed', reason: exit };
    case 'crash_loop':
      return { status: 'failed', reason: `${exit} It keeps ending; the next try is ${inWords(process.retryInMs)}.` };
    case 'backoff':
      return { status: 'connecting', reason: `${exit} It is restarted ${inWords(process.retryInMs)}.` };
    case 'starting':
      return process.pausedMs === null
        ? { status: 'connecting', reason: 'The process of the session is starting.' }
        : { status: 'connecting', reason: paused(process.pausedMs) };
    case 'stopping':
      return desired === 'stopped'
        ? { status: 'disconnected', reason: 'The session is being disconnected.' }
        : { status: 'connecting', reason: 'The process of the session is being restarted.' };
    case 'running':
      return process.silentMs === null ? fromLink(link) : unresponsive(process.silentMs);
    default:
      return assertNever(process.state);
  }
}

/** Whether a link has ended for good: a person must call connect. A time of a next try means that it has not. */
export function isOver(link: Pick<LinkSnapshot, 'state' | 'until'>): boolean {
  return (link.state === 'logged_out' || link.state === 'replaced' || link.state === 'rejected') && link.until === null;
}

function withoutProcess(desired: 'running' | 'stopped', link: StatusFacts['link']): DerivedStatus {
  if (desired === 'stopped') {
    return { status: 'disconnected', reason: 'The session is disconnected; call connect to start it.' };
  }
  return link.state === 'idle'
    ? { status: 'disconnected', reason: link.reason }
    : { status: 'connecting', reason: 'The session waits for its turn to start.' };
}

function paused(pausedMs: number): string {
  return `Many processes ended at the same time; this one is started when the cause is over, the next try is ${inWords(pausedMs)}.`;
}

function unresponsive(silentMs: number): DerivedStatus {
  const seconds = Math.round(silentMs / 1000);
  return {
    status: 'connecting',
    reason: `The process of the session has not answered for ${seconds} s; it is killed and restarted unless it recovers.`,
  };
}

function fromLink(link: StatusFacts['link']): DerivedStatus {
  const { state, reason } = link;
  switch (state) {
    case 'connected':
    case 'waiting_for_qr':
    case 'waiting_for_pair_code':
      return { status: state, reason };
    case 'idle':
      return { status: 'disconnected', reason };
    case 'connecting':
    case 'reconnecting':
      return { status: 'connecting', reason };
    case 'logged_out':
      return { status: 'logged_out', reason };
    case 'replaced':
    case 'banned':
    case 'outdated':
    case 'rejected':
      return { status: 'failed', reason };
    default:
      return assertNever(state);
  }
}

function inWords(delayMs: number | null): string {
  if (delayMs === null || delayMs < 1000) return 'at once';
  return `in ${Math.round(delayMs / 1000)} s`;
}
