/** Rows of messages that are to be sent. */
import { sql, type CommonQueryMethods } from 'slonik';
import { WardenError } from '../contract/errors.ts';
import { preparedText } from './media-columns.ts';
import { noRow, violatedConstraint } from './pool.ts';
import type { AcceptedSend } from './store.ts';
import { textOf, timestampOf } from './values.ts';

/** Throws `message_id_taken` for the id of a scheduled message; one of a message that was sent violates a constraint. */
export async function insertAccepted(connection: CommonQueryMethods, send: AcceptedSend): Promise<void> {
  const { rowCount } = await connection.query(sql.type(noRow)`
    insert into messages (session_id, id, chat, from_me, at, status, operation, params, expires_at, prepared)
    select ${send.session}::text, ${send.id}::text, ${send.chat}::text, true,
      to_timestamp(${timestampOf(send.acceptedAt)}), 'accepted', ${send.operation}::text,
      ${textOf(JSON.stringify(send.params ?? null))}::json, to_timestamp(${timestampOf(send.expiresAt)}),
      ${preparedText(send.media)}::json
    where not exists (select from scheduled_messages where session_id = ${send.session} and id = ${send.id})
  `);
  if (rowCount === 0) throw new WardenError('message_id_taken');
}

/** Runs what writes such a row; tells the constraints that it may violate by name: `message_id_taken`, `session_not_found`. */
export async function withNamedConflicts<Value>(write: () => Promise<Value>): Promise<Value> {
  try {
    return await write();
  } catch (error) {
    switch (violatedConstraint(error)) {
      case 'messages_own':
      case 'scheduled_messages_pkey':
        throw new WardenError('message_id_taken', { cause: error });
      case 'messages_session_id_fkey':
      case 'scheduled_messages_session_id_fkey':
      case 'idempotency_session_id_fkey':
        throw new WardenError('session_not_found', { cause: error });
      default:
        throw error;
    }
  }
}
