/**
 * What becomes of a request whose key is known, and of a key whose request has ended. Pure.
 *
 * A key is taken before anything happens, or in the transaction that accepts a message. From then on it is either
 * finished (its answer is repeated), or it belongs to a message (whose row says where that is), or it is under way until
 * its lease ends. What is still open then has died with its process: it is done anew where that is harmless, and
 * otherwise its outcome is unknown for good.
 */
import { assertNever } from '../../contract/assert-never.ts';
import { errorCatalogue, isErrorCode, WardenError } from '../../contract/errors.ts';
import type { Result } from '../../contract/index.ts';
import type { Operation } from '../../contract/operation.ts';
import type { IdempotencyOutcome, IdempotencyRow } from '../../store/idempotency-store.ts';
import type { ScheduledRow } from '../../store/scheduled-store.ts';
import type { MessageRow } from '../../store/store.ts';
import { presentScheduledSend } from '../presenters/scheduled.ts';
import { unixSecondsOf } from '../presenters/session.ts';
import type { HttpOutcome } from './outcome.ts';

export type KeyVerdict =
  /** Whoever has the key came with another request. */
  | { readonly tag: 'mismatch' }
  | { readonly tag: 'running' }
  | { readonly tag: 'unknown' }
  | { readonly tag: 'replay'; readonly outcome: Exclude<IdempotencyOutcome, { tag: 'unknown' }> }
  | { readonly tag: 'message'; readonly id: string }
  /** The row is of no use any more. */
  | { readonly tag: 'free' };

export function verdictOn(
  row: IdempotencyRow,
  {
    fingerprint,
    idempotent,
    now,
  }: Pick<Operation, 'idempotent'> & { readonly fingerprint: string; readonly now: number },
): KeyVerdict {
  if (row.expiresAt <= now) return { tag: 'free' };
  if (row.fingerprint !== fingerprint) return { tag: 'mismatch' };
  if (row.outcome !== null) return row.outcome.tag === 'unknown' ? { tag: 'unknown' } : replay(row.outcome);
  if (row.messageId !== null) return { tag: 'message', id: row.messageId };
  if (row.leaseUntil !== null && row.leaseUntil > now) return { tag: 'running' };
  return idempotent === 'repeatable' ? { tag: 'free' } : { tag: 'unknown' };
}

const replay = (outcome: Exclude<IdempotencyOutcome, { tag: 'unknown' }>): KeyVerdict => ({ tag: 'replay', outcome });

export type SendVerdict =
  | { readonly tag: 'answer'; readonly outcome: HttpOutcome }
  | { readonly tag: 'error'; readonly error: WardenError }
  /** It has failed before it went out, for a reason that may be gone: it may be sent anew. */
  | { readonly tag: 'again' };

/** Where the message of a key is now; null when it has been deleted. */
export function verdictOnSend(message: MessageRow | null): SendVerdict {
  if (message === null) {
    const text = 'The message of this Idempotency-Key is not kept any more; it will not be sent again.';
    return { tag: 'error', error: new WardenError('message_not_found', { message: text }) };
  }
  switch (message.status) {
    case 'failed':
      return verdictOnFailure(message.errorCode);
    case 'accepted':
      return { tag: 'answer', outcome: { status: 202, body: presentSend(message, 'pending') } };
    case 'sent':
    case 'delivered':
    case 'read':
    case 'played':
      return { tag: 'answer', outcome: { status: 200, body: presentSend(message, message.status) } };
    default:
      return assertNever(message.status);
  }
}

export function verdictOnScheduled(message: ScheduledRow): SendVerdict {
  return { tag: 'answer', outcome: { status: 202, body: presentScheduledSend(message) } };
}

function presentSend(message: MessageRow, status: Result<'sendText'>['status']): Result<'sendText'> {
  const timestamp = unixSecondsOf(message.sentAt ?? message.at);
  return { success: true, message_id: message.id, to: message.chat, timestamp, status };
}

/** A code of the catalogue, `expired`, or WhatsApp's own of a refusal. */
function verdictOnFailure(code: string | null): SendVerdict {
  if (code === null || code === 'expired') return { tag: 'error', error: new WardenError('message_expired') };
  if (!isErrorCode(code)) {
    const message = `WhatsApp refused the message (${code}).`;
    const details = [{ field: 'whatsapp_code', expected: 'no error', received: code }];
    return { tag: 'error', error: new WardenError('whatsapp_refused', { message, details }) };
  }
  return errorCatalogue[code].retryable ? { tag: 'again' } : { tag: 'error', error: new WardenError(code) };
}

export type KeyFate =
  /** The error is the answer from now on. */
  | 'keep'
  /** Nobody can say whether it was carried out. */
  | 'unknown'
  /** Nothing has happened: the next request with the key begins anew. */
  | 'release'
  /** The message's own row says what has become of it. */
  | 'leave';

/** Malformed, not allowed, too often: nothing has happened. */
const notKept: ReadonlySet<number> = new Set([400, 401, 403, 429]);
/** What is thrown when a request may have been carried out all the same. */
const undecided: ReadonlySet<string> = new Set([
  'whatsapp_timeout',
  'session_restarted',
  'session_not_connected',
  'storage_unavailable',
  'shutting_down',
  'internal_error',
]);

/** What becomes of a taken key when its request has failed. */
export function fateOf(error: WardenError, { runs, idempotent }: Pick<Operation, 'runs' | 'idempotent'>): KeyFate {
  const { status, retryable } = errorCatalogue[error.code];
  if (status < 500 && !retryable && !notKept.has(status)) return 'keep';
  if (runs === 'send') return 'leave';
  return undecided.has(error.code) && idempotent !== 'repeatable' ? 'unknown' : 'release';
}
