/** Idempotency keys: who has taken which, and how that ended. */
import { sql, type CommonQueryMethods } from 'slonik';
import { z } from 'zod';
import { assertNever } from '../contract/assert-never.ts';
import { isErrorCode, type ErrorCode } from '../contract/errors.ts';
import { insertAccepted, withNamedConflicts } from './accept-message.ts';
import type { IdempotencyScope, IdempotencyStore, KeyClaim } from './idempotency-store.ts';
import { noRow, type Database } from './pool.ts';
import type { NewMessage } from './scheduled-store.ts';
import { insertScheduled } from './scheduled.ts';
import { gatewayItself, outcomePlace } from './sealed-places.ts';
import { bytesColumn, timestampOf } from './values.ts';
import type { Vault } from './vault.ts';

const rowsPerBatch = 2_000;

export function createIdempotencyStore(database: Database, vault: Vault): IdempotencyStore {
  return {
    find: (scope) =>
      database.run(async (connection) => {
        const found = await connection.maybeOne(sql.type(keyRow)`
          select ordinal, fingerprint, message_id as "messageId", lease_until as "leaseUntil",
            sealed_outcome as sealed, expires_at as "expiresAt"
          from idempotency where ${within(scope)}
        `);
        if (found === null) return null;
        const { sealed, ...row } = found;
        const records = sealed === null ? [] : [{ place: outcomePlace(row.ordinal), sealed }];
        const [opened] = await vault.open(connection, records);
        return { ...row, outcome: opened === undefined ? null : storedOutcome.parse(JSON.parse(opened.toString())) };
      }),
    claim: (claim, message) =>
      withNamedConflicts(() =>
        message === null
          ? database.run((connection) => take(connection, claim, null))
          : database.transaction(async (transaction) => {
              const ordinal = await take(transaction, claim, message.send.id);
              if (ordinal !== null) await insertMessage(transaction, message);
              return ordinal;
            }),
      ),
    finish: async (ordinal, outcome) => {
      await database.run(async (connection) => {
        const sealer = await vault.sealerFor(connection, [gatewayItself]);
        const sealed = sealer.seal(outcomePlace(ordinal), Buffer.from(JSON.stringify(outcome)));
        await connection.query(sql.type(noRow)`
          update idempotency set sealed_outcome = ${sql.binary(sealed)} where ordinal = ${ordinal}
        `);
      });
    },
    release: async (ordinal) => {
      await database.run((connection) =>
        connection.query(sql.type(noRow)`delete from idempotency where ordinal = ${ordinal}`),
      );
    },
    prune: async (now) => {
      const { rowCount } = await database.run((connection) =>
        connection.query(sql.type(noRow)`
          delete from idempotency where ordinal in (
            select ordinal from idempotency where expires_at <= to_timestamp(${timestampOf(now)})
            order by expires_at limit ${rowsPerBatch}
          )
        `),
      );
      return rowCount >= rowsPerBatch;
    },
  };
}

/** Waits for whoever is about to take the same key, and answers null when that was done. */
async function take(
  connection: CommonQueryMethods,
  { scope, fingerprint, leaseUntil, expiresAt }: KeyClaim,
  messageId: string | null,
): Promise<number | null> {
  const taken = await connection.maybeOne(sql.type(z.object({ ordinal: z.number() }))`
    insert into idempotency (
      principal, session_id, operation, key, fingerprint, message_id, lease_until, expires_at
    ) values (
      ${scope.principal}, ${scope.session}, ${scope.operation}, ${scope.key}, ${fingerprint}, ${messageId},
      to_timestamp(${timestampOf(leaseUntil)}), to_timestamp(${timestampOf(expiresAt)})
    )
    on conflict do nothing
    returning ordinal
  `);
  return taken?.ordinal ?? null;
}

function insertMessage(connection: CommonQueryMethods, message: NewMessage): Promise<void> {
  switch (message.tag) {
    case 'accepted':
      return insertAccepted(connection, message.send);
    case 'scheduled':
      return insertScheduled(connection, message.send);
    default:
      return assertNever(message);
  }
}

const within = ({ principal, session, operation, key }: IdempotencyScope) => sql.fragment`
  principal = ${principal} and operation = ${operation} and key = ${key}
  and coalesce(session_id, '') = ${session ?? ''}
`;

const errorCodeColumn = z.custom<ErrorCode>((value) => typeof value === 'string' && isErrorCode(value));

const storedOutcome = z.discriminatedUnion('tag', [
  z.object({ tag: z.literal('answer'), status: z.number(), body: z.unknown() }),
  z.object({
    tag: z.literal('error'),
    error: z.object({
      code: errorCodeColumn,
      message: z.string(),
      details: z
        .array(z.object({ field: z.string(), expected: z.string(), received: z.string().exactOptional() }))
        .exactOptional(),
    }),
  }),
  z.object({ tag: z.literal('unknown') }),
]);

const keyRow = z.object({
  ordinal: z.number(),
  fingerprint: z.string(),
  messageId: z.string().nullable(),
  leaseUntil: z.number().nullable(),
  sealed: bytesColumn.nullable(),
  expiresAt: z.number(),
});
