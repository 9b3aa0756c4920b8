/** Accepted messages that must not be sent any more, of whichever session. */
import { sql, type CommonQueryMethods } from 'slonik';
import type { MessageId, SessionId } from '../contract/ids.ts';
import { acceptedColumns, acceptedSend } from './accepted-row.ts';
import { noRow } from './pool.ts';
import type { AcceptedSend } from './store.ts';
import { timestampOf } from './values.ts';

/** An acceptance of which nobody knows whether it was committed. */
export interface UnsureAcceptance {
  readonly session: SessionId;
  readonly id: MessageId;
  /** Unix milliseconds; tells it from a later one under the same id. */
  readonly acceptedAt: number;
}

export interface WaitingSendsStore {
  /** Accepted messages of all sessions whose time was over at `now` (unix milliseconds), oldest first; a batch of them. */
  listExpired(now: number): Promise<readonly AcceptedSend[]>;
  /** Takes an acceptance back that no child has begun to send; answers whether there was one. */
  withdraw(acceptance: UnsureAcceptance): Promise<boolean>;
}

const expiredAtOnce = 500;

export function listExpired(connection: CommonQueryMethods, now: number): Promise<readonly AcceptedSend[]> {
  return connection.any(sql.type(acceptedSend)`
    select ${acceptedColumns} from messages
    where status = 'accepted' and operation is not null and expires_at <= to_timestamp(${timestampOf(now)})
    order by ordinal limit ${expiredAtOnce}
  `);
}

export async function withdraw(
  connection: CommonQueryMethods,
  { session, id, acceptedAt }: UnsureAcceptance,
): Promise<boolean> {
  const { rowCount } = await connection.query(sql.type(noRow)`
    delete from messages
    where session_id = ${session} and id = ${id} and from_me and status = 'accepted' and key is null
      and at = to_timestamp(${timestampOf(acceptedAt)})
  `);
  return rowCount > 0;
}
