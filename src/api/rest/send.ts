/** What every send has in common: the id is chosen and the message accepted before a child hears of it. */
import { randomBytes } from 'node:crypto';
import { WardenError } from '../../contract/errors.ts';
import { parseMessageId, type MessageId } from '../../contract/ids.ts';
import { operations, type Params, type Result, type SendOperationName } from '../../contract/index.ts';
import type { UploadedFile } from '../../media/prepare-media.ts';
import type { Operation } from '../../contract/operation.ts';
import type { SessionRow } from '../../store/store.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { presentScheduledSend } from '../presenters/scheduled.ts';
import { unixSecondsOf } from '../presenters/session.ts';
import { requireReachable } from './due-time.ts';
import type { TakeKey } from './idempotency.ts';
import { prepareSent } from './media.ts';

interface SendCall<N extends SendOperationName> {
  readonly name: N;
  readonly row: SessionRow;
  readonly params: Params<N>;
  /** The file of a multipart body, held in the spool for the time of the call. */
  readonly upload: UploadedFile | null;
  /** Aborts when the caller is gone or the operation's deadline has passed. */
  readonly signal: AbortSignal;
  /** Accepts the message, together with the key that the request came with. */
  readonly take: TakeKey;
  /** The request came with an Idempotency-Key. */
  readonly hasKey: boolean;
}

/**
 * Accepts a message, hands it to its session and waits for WhatsApp's word on it, as long as SEND_TIMEOUT_MS allows. With
 * `send_at` it is kept for later, whether the session is connected or not.
 */
export async function send<N extends SendOperationName>(
  dependencies: ApiDependencies,
  request: SendCall<N>,
): Promise<Result<SendOperationName>> {
  const { supervisor, settings, clock, log, schedule, media: mediaRoom } = dependencies;
  const { name, row, params, signal, take } = request;
  const dueAt = params.send_at ?? null;
  // A session that cannot send now refuses before anything is accepted: the caller knows, and nothing goes out late.
  if (dueAt === null) {
    await supervisor.assertSendable(row.id);
    await dependencies.pacing.assertSoon(row, params.to, settings.messageTtlMs);
  } else requireReachable(dueAt, clock.now());
  const media = await prepareSent(dependencies, { ...request, operation: operations[name], dueAt }, signal);
  const spooled = media?.source.tag === 'file' ? media.source.path : null;
  const acceptedAt = clock.now();
  const chosen = chosenId(name, params);
  const send = {
    session: row.id,
    id: chosen ?? newMessageId(),
    operation: name,
    params: withoutSettled(params),
    chat: params.to,
    acceptedAt,
    media,
  };
  const accepted = { ...send, expiresAt: acceptedAt + settings.messageTtlMs };
  try {
    // Whoever was told that it took too long must not find it sent.
    if (signal.aborted) throw new WardenError('whatsapp_timeout');
    if (dueAt === null) {
      await supervisor.accept(accepted, {
        take: () => take({ tag: 'accepted', send: accepted }),
        isRepeatable: chosen !== undefined || request.hasKey,
      });
    } else await take({ tag: 'scheduled', send: { ...send, dueAt } });
  } catch (error) {
    if (spooled !== null) await mediaRoom.spool.release(spooled);
    throw error;
  }
  if (spooled !== null) mediaRoom.spool.handOver(spooled);
  log.debug({ session: row.id, messageId: send.id, operation: name, isScheduled: dueAt !== null }, 'message accepted');
  if (dueAt !== null) {
    schedule.wakeAt(dueAt);
    return presentScheduledSend({ id: send.id, chat: send.chat, createdAt: acceptedAt, dueAt });
  }
  const answer = await supervisor.send(accepted);
  return {
    success: true,
    message_id: accepted.id,
    to: answer.to,
    timestamp: unixSecondsOf(answer.at),
    status: answer.status,
    ...(answer.held === undefined
      ? {}
      : { held_until: Math.ceil(answer.held.until / 1000), held_reason: answer.held.reason }),
  };
}

/** Where media came from is settled, and the content of a file has no business in a row; neither has the time to send it. */
export function withoutSettled(params: object): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(params).filter(([name]) => !settled.has(name)));
}

const settled: ReadonlySet<string> = new Set(['base64', 'url', 'send_at']);

/** The id that the caller has chosen for the message itself. */
function chosenId(name: SendOperationName, { message_id: id }: { readonly message_id?: MessageId | undefined }) {
  const operation: Operation = operations[name];
  return operation.isAboutMessage === true ? undefined : id;
}

/** An id as WhatsApp Web makes them: 3EB0 and 18 upper-case hexadecimal digits. */
export function newMessageId(): MessageId {
  const id = parseMessageId(`3EB0${randomBytes(9).toString('hex').toUpperCase()}`);
  if (id === null) throw new WardenError('internal_error', { message: 'a generated message id is malformed' });
  return id;
}
