/** Browsers that are signed in. Knows digests only: whoever reads the database cannot sign in with what stands there. */
import { sql } from 'slonik';
import { z } from 'zod';
import { noRow, type Database } from './pool.ts';
import { timestampOf } from './values.ts';

export interface BrowserSessionRow {
  /** Who signed in: `superadmin`, or the id of a token. */
  readonly principal: string;
  readonly createdAt: number;
  readonly lastSeenAt: number;
}

/** Times are unix milliseconds. */
export interface BrowserSessionsStore {
  create(digest: Buffer, principal: string, now: number): Promise<void>;
  find(digest: Buffer): Promise<BrowserSessionRow | null>;
  touch(digest: Buffer, now: number): Promise<void>;
  delete(digest: Buffer): Promise<void>;
  /** Signs out whoever was last seen, or signed in, before these instants. */
  deleteOlder(limits: { readonly lastSeenBefore: number; readonly createdBefore: number }): Promise<void>;
}

export function createBrowserSessionsStore(database: Database): BrowserSessionsStore {
  return {
    create: async (digest, principal, now) => {
      await database.run((connection) =>
        connection.query(sql.type(noRow)`
          insert into browser_sessions (digest, principal, created_at, last_seen_at)
          values (${sql.binary(digest)}, ${principal}, to_timestamp(${timestampOf(now)}), to_timestamp(${timestampOf(now)}))
        `),
      );
    },
    find: (digest) =>
      database.run((connection) =>
        connection.maybeOne(sql.type(browserSessionRow)`
          select principal, created_at as "createdAt", last_seen_at as "lastSeenAt"
          from browser_sessions where digest = ${sql.binary(digest)}
        `),
      ),
    touch: async (digest, now) => {
      await database.run((connection) =>
        connection.query(sql.type(noRow)`
          update browser_sessions set last_seen_at = to_timestamp(${timestampOf(now)})
          where digest = ${sql.binary(digest)}
        `),
      );
    },
    delete: async (digest) => {
      await database.run((connection) =>
        connection.query(sql.type(noRow)`delete from browser_sessions where digest = ${sql.binary(digest)}`),
      );
    },
    deleteOlder: async ({ lastSeenBefore, createdBefore }) => {
      await database.run((connection) =>
        connection.query(sql.type(noRow)`
          delete from browser_sessions
          where last_seen_at < to_timestamp(${timestampOf(lastSeenBefore)})
            or created_at < to_timestamp(${timestampOf(createdBefore)})
        `),
      );
    },
  };
}

const browserSessionRow = z.object({ principal: z.string(), createdAt: z.number(), lastSeenAt: z.number() });
