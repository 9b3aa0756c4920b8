/** Edits and deletions within a transaction of the group commit. They are few: each is carried out by itself. */
import { sql, type CommonQueryMethods } from 'slonik';
import { z } from 'zod';
import { isAllowed, isEffective, type Change } from './change-rule.ts';
import { noRow } from './pool.ts';
import { bytesColumn, bytesOf, textOf, timestampOf } from './values.ts';

interface SessionChange {
  readonly session: string;
  readonly item: Change;
}

type Content = Pick<Change, 'change' | 'scope' | 'chat' | 'by' | 'byLid' | 'at' | 'body' | 'proto'>;

/**
 * Carries out changes in order; answers whether a change is to be told. One that nobody may make is not, and one of a
 * message that is not known is, and kept until the message comes.
 */
export async function applyChanges(
  transaction: CommonQueryMethods,
  changes: readonly SessionChange[],
): Promise<(item: Change) => boolean> {
  const told = new Set<Change>();
  for (const { session, item } of changes) {
    const outcome = await applyChange(transaction, { session, targetId: item.targetId, content: item });
    if (outcome === 'unknown') await keepForLater(transaction, session, item);
    if (outcome !== 'refused') told.add(item);
  }
  return (item) => told.has(item);
}

/** Carries out what was waiting for messages that have just been written. */
export async function applyPending(
  transaction: CommonQueryMethods,
  messages: readonly { readonly session: string; readonly id: string }[],
): Promise<void> {
  if (messages.length === 0) return;
  const pending = await transaction.any(sql.type(pendingRow)`
    delete from pending_changes p
    using ${sql.unnest(
      messages.map(({ session, id }) => [session, textOf(id)]),
      ['text', 'text'],
    )} as m (session_id, id)
    where p.session_id = m.session_id and p.target_id = m.id
    returning p.ordinal, p.session_id as session, p.target_id as "targetId", p.change, p.scope, p.chat, p.author as by,
      p.author_lid as "byLid", p.at, p.body, p.proto
  `);
  for (const { session, targetId, ...content } of pending.toSorted((a, b) => a.ordinal - b.ordinal)) {
    await applyChange(transaction, { session, targetId, content });
  }
}

async function applyChange(
  transaction: CommonQueryMethods,
  { session, targetId, content }: { readonly session: string; readonly targetId: string; readonly content: Content },
): Promise<'applied' | 'refused' | 'unknown'> {
  const targets = await transaction.any(sql.type(targetRow)`
    select ordinal, chat, sender, deleted_at is not null as "isDeleted", edited_at as "editedAt" from messages
    where session_id = ${session} and id = ${textOf(targetId)}
    for update
  `);
  if (targets.length === 0) return 'unknown';
  const allowed = targets.filter((target) => isAllowed(target, content));
  if (allowed.length === 0) return 'refused';
  const ordinals = allowed.filter((target) => isEffective(target, content)).map(({ ordinal }) => ordinal);
  if (ordinals.length > 0) await changeRows(transaction, ordinals, content);
  return 'applied';
}

/** An edit without content of its own changes the text only. A deletion leaves nothing of the message behind. */
async function changeRows(
  transaction: CommonQueryMethods,
  ordinals: readonly number[],
  { change, at, body, proto }: Content,
): Promise<void> {
  const instant = sql.fragment`to_timestamp(${timestampOf(at)})`;
  const assignments =
    change === 'deleted'
      ? sql.fragment`deleted_at = ${instant}, body = null, proto = null, media = null, params = null`
      : sql.fragment`edited_at = ${instant}, body = ${textOf(body)}, proto = coalesce(${binaryOf(proto)}, proto)`;
  await transaction.query(sql.type(noRow)`
    update messages set ${assignments} where ordinal = any (${sql.array([...ordinals], 'int8')})
  `);
}

async function keepForLater(transaction: CommonQueryMethods, session: string, item: Change): Promise<void> {
  await transaction.query(sql.type(noRow)`
    insert into pending_changes (session_id, target_id, change, scope, chat, author, author_lid, at, body, proto)
    values (
      ${session}, ${textOf(item.targetId)}, ${item.change}, ${item.scope}, ${textOf(item.chat)}, ${textOf(item.by)},
      ${textOf(item.byLid)}, to_timestamp(${timestampOf(item.at)}), ${textOf(item.body)}, ${binaryOf(item.proto)}
    )
  `);
}

const binaryOf = (value: Uint8Array | null) =>
  value === null ? sql.fragment`null::bytea` : sql.binary(bytesOf(value));

const targetRow = z.object({
  ordinal: z.number(),
  chat: z.string(),
  sender: z.string().nullable(),
  isDeleted: z.boolean(),
  editedAt: z.number().nullable(),
});

const pendingRow = z.object({
  ordinal: z.number(),
  session: z.string(),
  targetId: z.string(),
  change: z.enum(['edited', 'deleted']),
  scope: z.enum(['everyone', 'account']),
  chat: z.string(),
  by: z.string(),
  byLid: z.string().nullable(),
  at: z.number(),
  body: z.string().nullable(),
  proto: bytesColumn.nullable(),
});
