import { sql, type CommonQueryMethods } from 'slonik';
import { preparedText } from './media-columns.ts';
import { noRow } from './pool.ts';
import type { AcceptedSend } from './store.ts';
import { textOf, timestampOf } from './values.ts';

/** The row of a message that will be sent; violates `messages_own` when the session has one with this id. */
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
