/** How many messages came and went over time. */
import { sql } from 'slonik';
import { z } from 'zod';
import type { SessionId } from '../contract/ids.ts';
import type { Database } from './pool.ts';
import { timestampOf } from './values.ts';

export interface TrafficBucket {
  /** Begin, unix milliseconds. */
  readonly at: number;
  readonly received: number;
  readonly sent: number;
  readonly failed: number;
}

export interface TrafficStore {
  /** Buckets of `bucketMs` since `from`, oldest first; those without messages are left out. Null is every session. */
  read(window: {
    readonly session: SessionId | null;
    readonly from: number;
    readonly bucketMs: number;
  }): Promise<readonly TrafficBucket[]>;
}

export function createTrafficStore(database: Database): TrafficStore {
  return {
    read: ({ session, from, bucketMs }) => {
      const ofSession = session === null ? sql.fragment`true` : sql.fragment`session_id = ${session}`;
      return database.run((connection) =>
        connection.any(sql.type(bucketRow)`
          select
            floor(extract(epoch from at) * 1000 / ${bucketMs})::float8 * ${bucketMs}::float8 as at,
            count(*) filter (where not from_me) as received,
            count(*) filter (where from_me and status not in ('accepted', 'failed')) as sent,
            count(*) filter (where from_me and status = 'failed') as failed
          from messages
          where at >= to_timestamp(${timestampOf(from)}) and is_shown and ${ofSession}
          group by 1 order by 1
        `),
      );
    },
  };
}

const bucketRow = z.object({ at: z.number(), received: z.number(), sent: z.number(), failed: z.number() });
