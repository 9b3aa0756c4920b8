/** Pages of rows that are read in the order of their ordinal, and the cursors between them. Pure. */
import { WardenError } from '../contract/errors.ts';
import type { Page } from './store.ts';

/** The page out of up to `limit + 1` rows: one more than asked for tells that there are others. */
export function pageOfRows<Row extends { readonly ordinal: number }, Shown>(
  rows: readonly Row[],
  { limit, total, kind }: { readonly limit: number; readonly total: number; readonly kind: string },
  show: (row: Row) => Shown,
): Page<Shown> {
  const page = rows.slice(0, limit);
  const last = rows.length > limit ? page.at(-1) : undefined;
  const nextCursor = last === undefined ? null : Buffer.from(`${kind}${last.ordinal}`).toString('base64url');
  return { rows: page.map(show), total, nextCursor };
}

/** The ordinal that a cursor of this kind (one letter) names; throws `invalid_request` for one that is not ours. */
export function ordinalOfCursor(kind: string, cursor: string): number {
  const text = Buffer.from(cursor, 'base64url').toString();
  if (text.startsWith(kind) && /^\d{1,15}$/.test(text.slice(kind.length))) return Number(text.slice(kind.length));
  throw new WardenError('invalid_request', {
    details: [{ field: 'cursor', expected: 'the next_cursor of an earlier answer', received: cursor.slice(0, 40) }],
  });
}
