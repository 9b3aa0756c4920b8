/** Who a session has begun to write to, and what WhatsApp said to that. */
import { sql } from 'slonik';
import { z } from 'zod';
import { readRecipient, recipientKeyType } from '../contract/known-recipient.ts';
import type { PacingStore } from './pacing-store.ts';
import { noRow, type Database } from './pool.ts';
import type { CredentialsStore } from './store.ts';
import { textOf, timestampOf } from './values.ts';

export function createPacingStore(database: Database, credentials: Pick<CredentialsStore, 'getKeys'>): PacingStore {
  return {
    knownChats: async (session, chats) => {
      if (chats.length === 0) return new Set();
      const resolved = await credentials.getKeys(session, recipientKeyType, chats);
      const addresses = chats.flatMap((chat) => {
        const key = resolved[chat];
        const { jid, lid } = key === undefined ? { jid: chat, lid: null } : readRecipient(key);
        return [...new Set([chat, jid, ...(lid === null ? [] : [lid])])].map((address) => [chat, address]);
      });
      const rows = await database.run((connection) =>
        connection.any(sql.type(z.object({ chat: z.string() }))`
          select distinct a.chat from ${sql.unnest(addresses, ['text', 'text'])} as a (chat, address)
          where exists (
            select from messages m
            where m.session_id = ${session} and m.chat = a.address and m.is_shown
              and (not m.from_me or m.status in ('sent', 'delivered', 'read', 'played'))
          ) or exists (
            select from opened_chats o where o.session_id = ${session} and o.chat = a.address
          )
        `),
      );
      return new Set(rows.map(({ chat }) => chat));
    },
    standing: async (session, since) => {
      const rows = await database.run((connection) =>
        connection.any(sql.type(z.object({ linkedAt: z.number().nullable(), at: z.number().nullable() }))`
          select s.linked_at as "linkedAt", o.at
          from sessions s
          left join opened_chats o on o.session_id = s.id and o.at > to_timestamp(${timestampOf(since)})
          where s.id = ${session}
          order by o.at
        `),
      );
      return {
        linkedAt: rows[0]?.linkedAt ?? null,
        openedAt: rows.flatMap(({ at }) => (at === null ? [] : [at])),
      };
    },
    openChat: async (session, chat, at) => {
      await database.run((connection) =>
        connection.query(sql.type(noRow)`
          insert into opened_chats (session_id, chat, at)
          select id, ${textOf(chat)}, to_timestamp(${timestampOf(at)}) from sessions where id = ${session}
          on conflict do nothing
        `),
      );
    },
    closeChat: async (session, chat) => {
      await database.run((connection) =>
        connection.query(sql.type(noRow)`
          delete from opened_chats where session_id = ${session} and chat = ${textOf(chat)}
        `),
      );
    },
    countSent: async (session, since) => {
      const { count } = await database.run((connection) =>
        connection.one(sql.type(z.object({ count: z.number() }))`
          select count(*) from messages
          where session_id = ${session} and is_shown and at > to_timestamp(${timestampOf(since)})
            and from_me and operation is not null and status not in ('accepted', 'failed')
        `),
      );
      return count;
    },
    postpone: async (session, messageId, expiresAt) => {
      await database.run((connection) =>
        connection.query(sql.type(noRow)`
          update messages set expires_at = to_timestamp(${timestampOf(expiresAt)})
          where session_id = ${session} and id = ${messageId} and from_me and status = 'accepted'
        `),
      );
    },
    saveBackoff: async (session, backoff) => {
      await database.run((connection) =>
        connection.query(sql.type(noRow)`
          update sessions set pacing_backoff = ${JSON.stringify(backoff)} where id = ${session}
        `),
      );
    },
  };
}
