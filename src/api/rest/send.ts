/** What every send has in common: the id is chosen and the message accepted before a child hears of it. */
import { randomBytes } from 'node:crypto';
import { WardenError } from '../../contract/errors.ts';
import { parseMessageId, type MessageId } from '../../contract/ids.ts';
import type { Params, Result, SendOperationName } from '../../contract/index.ts';
import type { SessionRow } from '../../store/store.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { unixSecondsOf } from '../presenters/session.ts';

/** Accepts a message, hands it to its session and waits for WhatsApp's word on it, as long as SEND_TIMEOUT_MS allows. */
export async function send<N extends SendOperationName>(
  { store, supervisor, settings, clock }: ApiDependencies,
  request: { readonly name: N; readonly row: SessionRow; readonly params: Params<N> },
): Promise<Result<SendOperationName>> {
  const { name, row, params } = request;
  // A session that cannot send now refuses before anything is accepted: the caller knows, and nothing goes out late.
  await supervisor.assertSendable(row.id);
  const acceptedAt = clock.now();
  const accepted = {
    session: row.id,
    id: params.message_id ?? newMessageId(),
    operation: name,
    params,
    chat: params.to,
    acceptedAt,
    expiresAt: acceptedAt + settings.messageTtlMs,
  };
  await store.messages.accept(accepted);
  const answer = await supervisor.send(accepted);
  return {
    success: true,
    message_id: accepted.id,
    to: answer.to,
    timestamp: unixSecondsOf(answer.at),
    status: answer.status,
  };
}

/** An id as WhatsApp Web makes them: 3EB0 and 18 upper-case hexadecimal digits. */
export function newMessageId(): MessageId {
  const id = parseMessageId(`3EB0${randomBytes(9).toString('hex').toUpperCase()}`);
  if (id === null) throw new WardenError('internal_error', { message: 'a generated message id is malformed' });
  return id;
}
