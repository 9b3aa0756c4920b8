/**
 * Statements that come again and again get a name, under which the database keeps them parsed and planned: half of its
 * work on a message is otherwise planning. The rare ones stay without, since each costs memory in every connection.
 */
import { createHash } from 'node:crypto';
import type { Interceptor } from 'slonik';

const runsBeforeNamed = 20;
/** Bounds what is remembered; texts do not depend on values, so that there are some hundred of them. */
const maxTexts = 1_000;

export function createPreparedStatements(): Interceptor {
  const runs = new Map<string, number>();
  const names = new Map<string, string>();
  return {
    name: 'prepared-statements',
    transformQuery: (_context, query) => {
      const known = names.get(query.sql);
      if (known !== undefined) return { ...query, name: known };
      const label = labelOf(query.sql);
      const count = (runs.get(query.sql) ?? 0) + 1;
      if (label === '' && count < runsBeforeNamed) {
        if (runs.size < maxTexts || runs.has(query.sql)) runs.set(query.sql, count);
        return query;
      }
      runs.delete(query.sql);
      const hash = createHash('sha256').update(query.sql).digest('base64url').slice(0, 22);
      const name = `warden_${label}${hash}`;
      names.set(query.sql, name);
      return { ...query, name };
    },
  };
}

/**
 * A statement that begins with a comment of one word is known to come again and again; it bears the word in its name, so
 * that it is known on the line.
 */
function labelOf(text: string): string {
  const label = /^\s*\/\* (\w+) \*\//.exec(text)?.[1];
  return label === undefined ? '' : `${label}_`;
}
