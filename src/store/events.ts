/** Reads the events of all sessions in the order of their commits. */
import { sql } from 'slonik';
import { z } from 'zod';
import { sessionNoticeNames } from '../contract/stream-notices.ts';
import type { EventsStore, SessionNotice } from './events-store.ts';
import type { NotificationListener } from './notification-listener.ts';
import type { Database } from './pool.ts';
import { sessionIdColumn } from './values.ts';

/** Bounds what one page has to look through when hardly any event is wanted. */
const mostPositionsPerPage = 20_000;

export function createEventsStore(database: Database, listener: NotificationListener): EventsStore {
  const head = () =>
    database.run((connection) => connection.one(sql.type(headRow)`select identity, position from event_stream`));
  return {
    head,
    listAfter: async (position, { sessions, names }, limit) => {
      const { position: last } = await head();
      if (position >= last) return { events: [], through: position, isLast: true };
      const end = Math.min(last, position + mostPositionsPerPage);
      const ofSessions =
        sessions === null ? sql.fragment`true` : sql.fragment`session_id = any (${sql.array([...sessions], 'text')})`;
      const ofNames = names === null ? sql.fragment`true` : sql.fragment`name = any (${sql.array([...names], 'text')})`;
      const rows = await database.run((connection) =>
        connection.any(sql.type(eventRow)`
          select id, session_id as session, sequence, name, at, data, position from events
          where position > ${position} and position <= ${end} and ${ofSessions} and ${ofNames}
          order by position limit ${limit}
        `),
      );
      const final = rows.at(-1);
      const through = rows.length === limit && final !== undefined ? final.position : end;
      return { events: rows, through, isLast: through >= last };
    },
    listLatest: (session, { names, among }) =>
      database.run((connection) =>
        connection.any(sql.type(latestRow)`
          select name, at, data from (
            select name, at, data, sequence from events where session_id = ${session} order by sequence desc limit ${among}
          ) latest
          where name = any (${sql.array([...names], 'text')}) order by sequence desc
        `),
      ),
    prunedThrough: (sessions) =>
      database.run(async (connection) => {
        const ofSessions =
          sessions === null ? sql.fragment`true` : sql.fragment`session_id = any (${sql.array([...sessions], 'text')})`;
        const { position } = await connection.one(sql.type(z.object({ position: z.number() }))`
          select coalesce(max(position), 0) as position from pruned_events where ${ofSessions}
        `);
        return position;
      }),
    existing: (sessions) =>
      database.run(async (connection) => {
        const rows = await connection.any(sql.type(z.object({ id: z.string() }))`
          select id from sessions where id = any (${sql.array([...sessions], 'text')})
        `);
        return new Set(rows.map(({ id }) => id));
      }),
    onNew: (callback) => listener.add('warden_events', () => callback()),
    onNotice: (callback) =>
      listener.add('warden_sessions', (payload) => callback(payload === null ? null : parseNotice(payload))),
  };
}

const headRow = z.object({ identity: z.string(), position: z.number() });

const eventRow = z.object({
  id: z.string(),
  session: sessionIdColumn,
  sequence: z.number(),
  name: z.string(),
  at: z.number(),
  data: z.unknown(),
  position: z.number(),
});

const latestRow = eventRow.pick({ name: true, at: true, data: true });

const noticeSchema = z.object({ event: z.enum(sessionNoticeNames), session: z.string() });

/** Null for what a newer version of the gateway may have sent. */
function parseNotice(payload: string): SessionNotice | null {
  try {
    return noticeSchema.parse(JSON.parse(payload));
  } catch {
    return null;
  }
}
