/** What is told once, whatever WhatsApp repeats: within a transaction of the group commit. */
import { sql, type CommonQueryMethods } from 'slonik';
import { z } from 'zod';
import type { RecordItem } from '../contract/ipc.ts';
import { textOf } from './values.ts';

export interface SessionItem {
  readonly session: string;
  readonly item: RecordItem;
}

/** The text under which an item is told once within its session; null for one that has no such text. */
export function onceIdOf(item: RecordItem): string | null {
  switch (item.tag) {
    case 'event':
      return item.onceId ?? null;
    case 'change':
      return `change:${item.chat}:${item.by}:${item.changeId}`;
    default:
      return null;
  }
}

/** Answers which items have not been told before; of several with the same text in this batch the first. */
export async function markTold(
  transaction: CommonQueryMethods,
  items: readonly SessionItem[],
): Promise<(item: RecordItem) => boolean> {
  const marked = items.flatMap(({ session, item }) => {
    const id = onceIdOf(item);
    return id === null ? [] : [{ session, item, id: textOf(id) }];
  });
  if (marked.length === 0) return () => true;
  const fresh = await transaction.any(sql.type(z.object({ session: z.string(), id: z.string() }))`
    insert into told_once (session_id, id)
    select session_id, id from ${sql.unnest(
      marked.map(({ session, id }) => [session, id]),
      ['text', 'text'],
    )} as t (session_id, id)
    on conflict do nothing
    returning session_id as session, id
  `);
  const left = new Set(fresh.map(({ session, id }) => JSON.stringify([session, id])));
  const told = new Set(
    marked.flatMap(({ session, item, id }) => (left.delete(JSON.stringify([session, id])) ? [] : [item])),
  );
  return (item) => !told.has(item);
}
