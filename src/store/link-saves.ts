/**
 * Keeps what was last told of links. When a gateway starts, all its sessions tell at the same time: one statement for
 * all of them leaves the pool to those who wait for an answer.
 */
import { sql } from 'slonik';
import type { SessionId } from '../contract/ids.ts';
import type { LinkSnapshot } from '../contract/ipc.ts';
import type { Outcome } from './commit-batch.ts';
import { noRow, type Database } from './pool.ts';
import { textOf, timestampOf } from './values.ts';

export interface LinkSave {
  readonly snapshot: LinkSnapshot;
  /** Unix milliseconds. */
  readonly at: number;
}

/** Carries out all of them, those of one session in their order. */
export async function saveLinks(database: Database, saves: readonly LinkSave[]): Promise<readonly Outcome[]> {
  let waiting = saves;
  while (waiting.length > 0) {
    const bySession = new Map<SessionId, LinkSave>();
    const later: LinkSave[] = [];
    for (const save of waiting) {
      if (bySession.has(save.snapshot.session)) later.push(save);
      else bySession.set(save.snapshot.session, save);
    }
    await saveOnePerSession(database, [...bySession.values()]);
    waiting = later;
  }
  return saves.map(() => null);
}

async function saveOnePerSession(database: Database, saves: readonly LinkSave[]): Promise<void> {
  const rows = saves.map(({ snapshot, at }) => [
    snapshot.session,
    snapshot.state,
    textOf(snapshot.reason),
    timestampOf(snapshot.until),
    snapshot.isPaired,
    snapshot.device === null ? null : textOf(JSON.stringify(snapshot.device)),
    timestampOf(at),
  ]);
  await database.run((connection) =>
    connection.query(sql.type(noRow)`
      update sessions s set
        link_state = told.state,
        link_reason = told.reason,
        link_until = to_timestamp(told.until),
        device = case when told.is_paired then coalesce(told.device::json, s.device) end,
        linked_at = case
          when told.is_paired then case when s.is_paired then s.linked_at else to_timestamp(told.at) end
        end,
        is_paired = told.is_paired,
        last_connected_at = case when told.state = 'connected' then to_timestamp(told.at) else s.last_connected_at end,
        updated_at = to_timestamp(told.at)
      from ${sql.unnest(rows, ['text', 'text', 'text', 'float8', 'bool', 'text', 'float8'])} as told (id, state, reason, until, is_paired, device, at)
      where s.id = told.id
    `),
  );
}
