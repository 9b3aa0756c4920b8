/** Messages: what was accepted for sending, and what anybody asks for by id. */
import { sql } from 'slonik';
import { z } from 'zod';
import { insertAccepted, withNamedConflicts } from './accept-message.ts';
import { acceptedColumns, acceptedSend } from './accepted-row.ts';
import type { CommitQueue } from './group-commit.ts';
import { findMessage, latestMessages, listChats, listMessages } from './message-list.ts';
import type { Database } from './pool.ts';
import { pruneMemory, pruneMessages } from './pruning.ts';
import { listOwnReactions, listSentContents } from './sent-contents.ts';
import type { MessagesStore } from './store.ts';
import { bytesColumn, textOf } from './values.ts';
import { listExpired, withdraw } from './waiting-sends.ts';

export function createMessagesStore(database: Database, queue: CommitQueue): MessagesStore {
  return {
    accept: (send) => withNamedConflicts(() => database.run((connection) => insertAccepted(connection, send))),
    get: (session, id) =>
      database.run((connection) =>
        connection.maybeOne(sql.type(storedMessage)`
          select
            proto, key, chat, sender, from_me as "fromMe", type, at as timestamp, deleted_at is not null as "isDeleted",
            status, error_code as "errorCode"
          from messages
          where session_id = ${session} and id = ${textOf(id)}
          order by from_me desc, ordinal desc limit 1
        `),
      ),
    listAccepted: (session) =>
      database.run((connection) =>
        connection.any(sql.type(acceptedSend)`
          select ${acceptedColumns} from messages
          where session_id = ${session} and status = 'accepted' and operation is not null
          order by ordinal
        `),
      ),
    listExpired: (now) => database.run((connection) => listExpired(connection, now)),
    withdraw: (acceptance) => database.run((connection) => withdraw(connection, acceptance)),
    list: (session, filter) => database.run((connection) => listMessages(connection, session, filter)),
    find: (session, id) => database.run((connection) => findMessage(connection, session, id)),
    listChats: (session, page) => database.run((connection) => listChats(connection, session, page)),
    latestOf: (sessions) => database.run((connection) => latestMessages(connection, sessions)),
    listSentContents: (session, ids) => database.run((connection) => listSentContents(connection, session, ids)),
    listOwnReactions: (session, ids) => database.run((connection) => listOwnReactions(connection, session, ids)),
    prune: (before) => database.run((connection) => pruneMessages(connection, before)),
    forget: (before) => database.run((connection) => pruneMemory(connection, before)),
    fail: (session, id, failure) => queue.submit({ tag: 'fail', body: { session, id, ...failure } }),
  };
}

const storedMessage = z.object({
  proto: bytesColumn.nullable(),
  key: bytesColumn.nullable(),
  chat: z.string(),
  sender: z.string().nullable(),
  fromMe: z.boolean(),
  type: z.string().nullable(),
  timestamp: z.number(),
  isDeleted: z.boolean(),
  status: z.enum(['accepted', 'sent', 'delivered', 'read', 'played', 'failed']),
  errorCode: z.string().nullable(),
});
