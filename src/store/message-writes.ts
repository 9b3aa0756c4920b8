/** Bulk writes of message rows within a transaction of the group commit. */
import { sql, type CommonQueryMethods } from 'slonik';
import { z } from 'zod';
import type { MessageRecord, MessageStatus } from '../contract/ipc.ts';
import { locationText } from './media-columns.ts';
import { identityOf, type SessionRecord } from './message-identity.ts';
import { moveStatus, type StatusRow } from './message-status.ts';
import { noRow } from './pool.ts';
import { bytesOf, textOf, timestampOf } from './values.ts';

export const columnTypes = [
  'text',
  'text',
  'text',
  'text',
  'bool',
  'text',
  'text',
  'bytea',
  'bytea',
  'float8',
  'text',
  'text',
];

export function columnsOf({ session, record }: SessionRecord, status: MessageStatus) {
  return [
    session,
    textOf(record.id),
    textOf(record.chat),
    textOf(record.sender),
    record.fromMe,
    textOf(record.type),
    textOf(record.body),
    bytesOf(record.proto),
    bytesOf(record.key),
    timestampOf(record.timestamp),
    status,
    locationText(record.media),
  ];
}

/**
 * Writes messages that are not known yet; answers whether a record of this batch was new. Of a message that stands
 * twice in the batch only the first record counts.
 */
export async function insertMessages(
  transaction: CommonQueryMethods,
  messages: readonly SessionRecord[],
): Promise<(record: MessageRecord) => boolean> {
  if (messages.length === 0) return () => false;
  const rows = messages.map((message) => columnsOf(message, message.record.fromMe ? 'sent' : 'delivered'));
  const inserted = await transaction.any(sql.type(insertedRow)`
    insert into messages (session_id, id, chat, sender, from_me, type, body, proto, key, at, status, media)
    select session_id, id, chat, sender, from_me, type, body, proto, key, to_timestamp(at), status, media::json
    from ${sql.unnest(rows, columnTypes)}
      as m (session_id, id, chat, sender, from_me, type, body, proto, key, at, status, media)
    on conflict do nothing
    returning session_id as session, id, chat, sender, from_me as "fromMe"
  `);
  const fresh = new Set(inserted.map((row) => identityOf(row.session, row)));
  const news = new Set<MessageRecord>();
  for (const { session, record } of messages) {
    if (fresh.delete(identityOf(session, record))) news.add(record);
  }
  return (record) => news.has(record);
}

const insertedRow = z.object({
  session: z.string(),
  id: z.string(),
  chat: z.string(),
  sender: z.string(),
  fromMe: z.boolean(),
});

/**
 * Fills accepted rows with what is about to be sent; a message that nobody accepted gets a row of its own, so that
 * retries can be answered. Answers which of them have failed already.
 */
export async function fillSending(
  transaction: CommonQueryMethods,
  messages: readonly SessionRecord[],
): Promise<(session: string, id: string) => boolean> {
  if (messages.length === 0) return () => false;
  const latest = new Map(
    messages.map(({ session, record }) => {
      const message = { session, record: { ...record, fromMe: true } };
      return [identityOf(session, message.record), message];
    }),
  );
  const rows = [...latest.values()].map((message) => columnsOf(message, 'accepted'));
  const filled = await transaction.any(sql.type(z.object({ session_id: z.string(), id: z.string() }))`
    insert into messages as m (session_id, id, chat, sender, from_me, type, body, proto, key, at, status, media)
    select session_id, id, chat, sender, from_me, type, body, proto, key, to_timestamp(at), status, media::json
    from ${sql.unnest(rows, columnTypes)}
      as r (session_id, id, chat, sender, from_me, type, body, proto, key, at, status, media)
    on conflict (session_id, id) where from_me do update set
      chat = excluded.chat, sender = excluded.sender, type = excluded.type, body = excluded.body,
      proto = excluded.proto, key = excluded.key, media = excluded.media
    where m.status <> 'failed'
    returning session_id, id
  `);
  const done = new Set(filled.map((row) => JSON.stringify([row.session_id, row.id])));
  return (session, id) => !done.has(JSON.stringify([session, textOf(id)]));
}

interface MessageAddress {
  readonly session: string;
  readonly id: string;
}

/** The statuses of the own messages that a batch touches: loaded once, moved in memory, saved once. */
export class StatusBook {
  private readonly rows: Map<string, StatusRow>;
  private readonly moved = new Set<string>();

  private constructor(rows: Map<string, StatusRow>) {
    this.rows = rows;
  }

  static async load(transaction: CommonQueryMethods, messages: readonly MessageAddress[]): Promise<StatusBook> {
    if (messages.length === 0) return new StatusBook(new Map());
    const found = await transaction.any(sql.type(statusRow)`
      select m.session_id as session, m.id, m.status, m.error_code
      from ${sql.unnest(
        messages.map(({ session, id }) => [session, textOf(id)]),
        ['text', 'text'],
      )} as k (session_id, id)
      join messages m on m.session_id = k.session_id and m.id = k.id and m.from_me
    `);
    return new StatusBook(
      new Map(found.map(({ error_code: errorCode, ...row }) => [addressOf(row), { ...row, errorCode, reachedAt: {} }])),
    );
  }

  /** Null for a message that the store does not know. */
  statusOf(session: string, id: string): MessageStatus | null {
    return this.rows.get(addressOf({ session, id }))?.status ?? null;
  }

  /** Moves a message forwards; false when it is unknown, further already or failed. */
  move(message: MessageAddress, to: Parameters<typeof moveStatus>[1]): boolean {
    const address = addressOf(message);
    const row = this.rows.get(address);
    const next = row === undefined ? null : moveStatus(row, to);
    if (next === null) return false;
    this.rows.set(address, next);
    this.moved.add(address);
    return true;
  }

  async save(transaction: CommonQueryMethods): Promise<void> {
    if (this.moved.size === 0) return;
    const rows = [...this.moved].flatMap((address) => {
      const row = this.rows.get(address);
      if (row === undefined) return [];
      const { sent, delivered, read, played, failed } = row.reachedAt;
      return [
        [
          row.session,
          row.id,
          row.status,
          textOf(row.errorCode),
          ...[sent, delivered, read, played, failed].map((at) => timestampOf(at)),
        ],
      ];
    });
    await transaction.query(sql.type(noRow)`
      update messages m set
        status = u.status,
        error_code = u.error_code,
        sent_at = coalesce(m.sent_at, to_timestamp(u.sent_at)),
        delivered_at = coalesce(m.delivered_at, to_timestamp(u.delivered_at)),
        read_at = coalesce(m.read_at, to_timestamp(u.read_at)),
        played_at = coalesce(m.played_at, to_timestamp(u.played_at)),
        failed_at = coalesce(m.failed_at, to_timestamp(u.failed_at))
      from ${sql.unnest(rows, ['text', 'text', 'text', 'text', 'float8', 'float8', 'float8', 'float8', 'float8'])}
        as u (session_id, id, status, error_code, sent_at, delivered_at, read_at, played_at, failed_at)
      where m.session_id = u.session_id and m.id = u.id and m.from_me
    `);
  }
}

const statusRow = z.object({
  session: z.string(),
  id: z.string(),
  status: z.enum(['accepted', 'sent', 'delivered', 'read', 'played', 'failed']),
  error_code: z.string().nullable(),
});

const addressOf = ({ session, id }: MessageAddress): string => JSON.stringify([session, textOf(id)]);
