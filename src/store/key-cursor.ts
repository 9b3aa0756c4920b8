/** Pure: the cursor of a list that is ordered by one key; opaque to whoever gets it. */
import { WardenError } from '../contract/errors.ts';

export interface KeyCursor {
  format(key: string): string;
  /** Throws `invalid_request` for a cursor of another list. */
  parse(cursor: string): string;
}

/** `kind` tells the cursors of one list from those of others. */
export function keyCursor(kind: string, keyPattern: RegExp): KeyCursor {
  return {
    format: (key) => Buffer.from(`${kind}${key}`).toString('base64url'),
    parse: (cursor) => {
      const text = Buffer.from(cursor, 'base64url').toString();
      const key = text.slice(kind.length);
      if (text.startsWith(kind) && keyPattern.test(key)) return key;
      throw new WardenError('invalid_request', {
        details: [{ field: 'cursor', expected: 'the next_cursor of an earlier answer', received: cursor.slice(0, 40) }],
      });
    },
  };
}
