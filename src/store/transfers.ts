/** Sessions that move between gateways: read as a whole, and written as a whole. */
import { sql, type CommonQueryMethods } from 'slonik';
import { z } from 'zod';
import { WardenError } from '../contract/errors.ts';
import type { SessionId } from '../contract/ids.ts';
import type { MovedSession, SentMessage } from '../contract/moved-session.ts';
import { insertMessages } from './message-writes.ts';
import { noRow, violatedConstraint, type Database } from './pool.ts';
import { credentialsPlace, signalKeyPlace } from './sealed-places.ts';
import { findSession } from './sessions.ts';
import type { TransferStore } from './transfer-store.ts';
import { bytesColumn, textOf, timestampOf } from './values.ts';
import type { Vault } from './vault.ts';

const rowsPerStatement = 2_000;
const importedReason = 'The session was imported and has not been connected yet.';

export function createTransferStore(database: Database, vault: Vault): TransferStore {
  return {
    read: (id) => database.transaction((transaction) => readSession(transaction, vault, id)),
    create: async (id, moved, desired) => {
      try {
        return await database.transaction(async (transaction) => {
          await insertSession(transaction, { id, moved, desired });
          await insertSecrets(transaction, vault, { id, moved });
          await insertOpenedChats(transaction, { id, moved });
          await insertMessages(
            transaction,
            moved.sent.map((message) => ({ session: id, record: { ...message, fromMe: true, media: null } })),
          );
          const row = await findSession(transaction, id);
          if (row === null) throw new WardenError('session_not_found');
          return row;
        });
      } catch (error) {
        throw violatedConstraint(error) === 'sessions_pkey'
          ? new WardenError('session_exists', { cause: error })
          : error;
      }
    },
    setExported: async (id, at) => {
      await database.run((connection) =>
        connection.query(sql.type(noRow)`
          update sessions set exported_at = to_timestamp(${timestampOf(at)}::float8), updated_at = now() where id = ${id}
        `),
      );
    },
  };
}

const keyRow = z.object({ type: z.string(), id: z.string(), value: bytesColumn });
const chatRow = z.object({ chat: z.string(), at: z.number() });

async function readSession(transaction: CommonQueryMethods, vault: Vault, id: SessionId): Promise<MovedSession | null> {
  const row = await findSession(transaction, id);
  const sealedCreds = await transaction.maybeOne(sql.type(z.object({ value: bytesColumn }))`
    select value from credentials where session_id = ${id}
  `);
  if (row === null || sealedCreds === null) return null;
  const rows = await transaction.any(sql.type(keyRow)`
    select type, id, value from signal_keys where session_id = ${id} order by ordinal
  `);
  const [creds] = await vault.open(transaction, [{ place: credentialsPlace(id), sealed: sealedCreds.value }]);
  const values = await vault.open(
    transaction,
    rows.map((key) => ({ place: signalKeyPlace(id, key.type, key.id), sealed: key.value })),
  );
  const openedChats = await transaction.any(
    sql.type(chatRow)`select chat, at from opened_chats where session_id = ${id}`,
  );
  const { name, sandbox, memoryCapMb, isolated, pacing, device, linkedAt } = row;
  return {
    name,
    sandbox,
    memoryCapMb,
    isolated,
    pacing,
    device,
    linkedAt,
    openedChats,
    sent: await recentlySent(transaction, id),
    creds: creds ?? Buffer.alloc(0),
    keys: rows.flatMap((key, index) => {
      const value = values[index];
      return value === undefined ? [] : [{ type: key.type, id: key.id, value }];
    }),
  };
}

const sentRow = z.object({
  id: z.string(),
  chat: z.string(),
  sender: z.string(),
  type: z.string(),
  timestamp: z.number(),
  body: z.string().nullable(),
  proto: bytesColumn,
  key: bytesColumn,
});

/** Recipients ask for a repetition soon, or never. */
function recentlySent(transaction: CommonQueryMethods, id: SessionId): Promise<readonly SentMessage[]> {
  return transaction.any(sql.type(sentRow)`
    select id, chat, sender, type, at as timestamp, body, proto, key from messages
    where session_id = ${id} and from_me and is_shown and at > now() - interval '1 day'
      and status in ('sent', 'delivered', 'read', 'played')
      and sender is not null and type is not null and proto is not null and key is not null
    order by ordinal desc limit ${rowsPerStatement}
  `);
}

interface Imported {
  readonly id: SessionId;
  readonly moved: MovedSession;
}

async function insertSession(
  transaction: CommonQueryMethods,
  { id, moved, desired }: Imported & { readonly desired: 'running' | 'stopped' },
): Promise<void> {
  const jsonOf = (value: object | null): string | null => (value === null ? null : textOf(JSON.stringify(value)));
  await transaction.query(sql.type(noRow)`
    insert into sessions (
      id, name, sandbox, desired, memory_cap_mb, isolated, pacing, device, link_reason, is_paired, linked_at
    ) values (
      ${id}, ${textOf(moved.name)}, ${moved.sandbox}, ${desired}, ${moved.memoryCapMb}, ${moved.isolated},
      ${jsonOf(moved.pacing)}::json, ${jsonOf(moved.device)}::json, ${importedReason}, true,
      coalesce(to_timestamp(${timestampOf(moved.linkedAt)}::float8), now())
    )
  `);
}

async function insertSecrets(transaction: CommonQueryMethods, vault: Vault, { id, moved }: Imported): Promise<void> {
  const sealer = await vault.sealerFor(transaction, [id]);
  await transaction.query(sql.type(noRow)`
    insert into credentials (session_id, value)
    values (${id}, ${sql.binary(sealer.seal(credentialsPlace(id), moved.creds))})
  `);
  for (let start = 0; start < moved.keys.length; start += rowsPerStatement) {
    const rows = moved.keys
      .slice(start, start + rowsPerStatement)
      .map((key) => [id, key.type, key.id, sealer.seal(signalKeyPlace(id, key.type, key.id), key.value)]);
    await transaction.query(sql.type(noRow)`
      insert into signal_keys (session_id, type, id, value)
      select * from ${sql.unnest(rows, ['text', 'text', 'text', 'bytea'])} as k (session_id, type, id, value)
    `);
  }
}

async function insertOpenedChats(transaction: CommonQueryMethods, { id, moved }: Imported): Promise<void> {
  if (moved.openedChats.length === 0) return;
  const rows = moved.openedChats.map(({ chat, at }) => [id, textOf(chat), timestampOf(at)]);
  await transaction.query(sql.type(noRow)`
    insert into opened_chats (session_id, chat, at)
    select session_id, chat, to_timestamp(at)
    from ${sql.unnest(rows, ['text', 'text', 'float8'])} as c (session_id, chat, at)
    on conflict do nothing
  `);
}
