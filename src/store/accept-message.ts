/** Writes the row of a message that is to be sent. */
import { sql, type CommonQueryMethods } from 'slonik';
import { WardenError } from '../contract/errors.ts';
import { preparedText } from './media-columns.ts';
import { noRow, violatedConstraint } from './pool.ts';
import type { AcceptedSend } from './store.ts';
import { textOf, timestampOf } from './values.ts';

export async function insertAccepted(connection: CommonQueryMethods, send: AcceptedSend): Promise<void> {
  await connection.query(sql.type(noRow)`
    insert into messages (session_id, id, chat, from_me, at, status, operation, params, expires_at, prepared)
    values (
      ${send.session}, ${send.id}, ${send.chat}, true, to_timestamp(${timestampOf(send.acceptedAt)}),
      'accepted', ${send.operation}, ${textOf(JSON.stringify(send.params ?? null))},
      to_timestamp(${timestampOf(send.expiresAt)}), ${preparedText(send.media)}
    )
  `);
}

/** Runs what writes such a row; tells the constraints that it may violate by name: `message_id_taken`, `session_not_found`. */
export async function withNamedConflicts<Value>(write: () => Promise<Value>): Promise<Value> {
  try {
    return await write();
  } catch (error) {
    switch (violatedConstraint(error)) {
      case 'messages_own':
        throw new WardenError('message_id_taken', { cause: error });
      case 'messages_session_id_fkey':
      case 'idempotency_session_id_fkey':
        throw new WardenError('session_not_found', { cause: error });
      default:
        throw error;
    }
  }
}
