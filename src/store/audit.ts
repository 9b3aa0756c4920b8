/** The audit log. */
import { sql } from 'slonik';
import { z } from 'zod';
import type { AuditStore } from './audit-store.ts';
import { ordinalOfCursor, pageOfRows } from './ordinal-cursor.ts';
import { noRow, type Database } from './pool.ts';
import { textOf, timestampOf } from './values.ts';

const rowsPerBatch = 2_000;

export function createAuditStore(database: Database): AuditStore {
  return {
    append: async (entries) => {
      const rows = entries.map(({ at, principal, operation, session, target, address, requestId, status }) => [
        timestampOf(at),
        principal,
        operation,
        session,
        textOf(target),
        address,
        requestId,
        status,
      ]);
      await database.run((connection) =>
        connection.query(sql.type(noRow)`
          insert into audit (at, principal, operation, session_id, target, address, request_id, status)
          select to_timestamp(at), principal, operation, session_id, target, address, request_id, status
          from ${sql.unnest(rows, ['float8', 'text', 'text', 'text', 'text', 'text', 'text', 'int2'])}
            as entry (at, principal, operation, session_id, target, address, request_id, status)
        `),
      );
    },
    list: ({ session, principal, operation, from, to, limit, cursor }) =>
      database.run(async (connection) => {
        const conditions = sql.join(
          [
            sql.fragment`true`,
            ...(session === null ? [] : [sql.fragment`a.session_id = ${textOf(session)}`]),
            ...(principal === null ? [] : [sql.fragment`a.principal = ${textOf(principal)}`]),
            ...(operation === null ? [] : [sql.fragment`a.operation = ${textOf(operation)}`]),
            ...(from === null ? [] : [sql.fragment`a.at >= to_timestamp(${timestampOf(from)})`]),
            ...(to === null ? [] : [sql.fragment`a.at < to_timestamp(${timestampOf(to)})`]),
          ],
          sql.fragment` and `,
        );
        const before = cursor === null ? Number.MAX_SAFE_INTEGER : ordinalOfCursor('a', cursor);
        const rows = await connection.any(sql.type(auditRow)`
          select a.ordinal, a.at, a.principal, t.name as "principalName", a.operation, a.session_id as session,
            a.target, a.address, a.request_id as "requestId", a.status
          from audit a left join api_tokens t on t.id = a.principal
          where ${conditions} and a.ordinal < ${before} order by a.ordinal desc limit ${limit + 1}
        `);
        const { total } = await connection.one(sql.type(z.object({ total: z.number() }))`
          select count(*) as total from audit a where ${conditions}
        `);
        return pageOfRows(rows, { limit, total, kind: 'a' }, (row) => row);
      }),
    prune: async (before) => {
      const { rowCount } = await database.run((connection) =>
        connection.query(sql.type(noRow)`
          delete from audit where ordinal in (
            select ordinal from audit where at < to_timestamp(${timestampOf(before)}) order by at limit ${rowsPerBatch}
          )
        `),
      );
      return rowCount >= rowsPerBatch;
    },
  };
}

const auditRow = z.object({
  ordinal: z.number(),
  at: z.number(),
  principal: z.string().nullable(),
  principalName: z.string().nullable(),
  operation: z.string(),
  session: z.string().nullable(),
  target: z.string().nullable(),
  address: z.string(),
  requestId: z.string(),
  status: z.number(),
});
