/**
 * Encrypts what a database from before encryption holds in plain text: at the start, in batches, each a transaction of
 * its own. It can be interrupted at any time and run again; where all is encrypted it costs four empty questions.
 */
import { sql, type CommonQueryMethods } from 'slonik';
import { z } from 'zod';
import type { Logger } from '../log.ts';
import { noRow, type Database } from './pool.ts';
import { credentialsPlace, gatewayItself, outcomePlace, signalKeyPlace, webhookSecretPlace } from './sealed-places.ts';
import { bytesColumn } from './values.ts';
import type { Vault } from './vault.ts';

/** Encrypts one batch within the caller's transaction; answers how many rows that were. */
type Batch = (transaction: CommonQueryMethods, vault: Vault, limit: number) => Promise<number>;

const rowsPerBatch = 500;

/** `limit` rows at a time. Throws `storage_unavailable`; what is encrypted by then stays. */
export async function encryptExisting(
  database: Pick<Database, 'transaction'>,
  { vault, log, limit = rowsPerBatch }: { readonly vault: Vault; readonly log: Logger; readonly limit?: number },
): Promise<void> {
  const batches = { credentials, signalKeys, webhooks, outcomes } satisfies Record<string, Batch>;
  for (const [what, batch] of Object.entries(batches)) {
    let total = 0;
    for (;;) {
      const count = await database.transaction((transaction) => batch(transaction, vault, limit));
      total += count;
      if (count > 0 && total % (limit * 20) === 0) log.info({ what, rows: total }, 'encrypting what is stored');
      if (count < limit) break;
    }
    if (total > 0) log.info({ what, rows: total }, 'encrypted what was stored in plain text');
  }
}

const ownersOf = (rows: readonly { readonly session: string }[]): readonly string[] => [
  ...new Set(rows.map(({ session }) => session)),
];

const credentials: Batch = async (transaction, vault, limit) => {
  const rows = await transaction.any(sql.type(z.object({ session: z.string(), value: bytesColumn }))`
    select session_id as session, value from credentials where not is_sealed limit ${limit} for update
  `);
  const sealer = await vault.sealerFor(transaction, ownersOf(rows));
  const sealed = rows.map(({ session, value }) => [session, sealer.seal(credentialsPlace(session), value)]);
  if (sealed.length === 0) return 0;
  await transaction.query(sql.type(noRow)`
    update credentials c set value = k.value, is_sealed = true
    from ${sql.unnest(sealed, ['text', 'bytea'])} as k (session_id, value) where c.session_id = k.session_id
  `);
  return rows.length;
};

const plainKey = z.object({ session: z.string(), type: z.string(), id: z.string(), value: bytesColumn });

const signalKeys: Batch = async (transaction, vault, limit) => {
  const rows = await transaction.any(sql.type(plainKey)`
    select session_id as session, type, id, value from signal_keys where not is_sealed limit ${limit} for update
  `);
  const sealer = await vault.sealerFor(transaction, ownersOf(rows));
  const sealed = rows.map(({ session, type, id, value }) => [
    session,
    type,
    id,
    sealer.seal(signalKeyPlace(session, type, id), value),
  ]);
  if (sealed.length === 0) return 0;
  await transaction.query(sql.type(noRow)`
    update signal_keys s set value = k.value, is_sealed = true
    from ${sql.unnest(sealed, ['text', 'text', 'text', 'bytea'])} as k (session_id, type, id, value)
    where s.session_id = k.session_id and s.type = k.type and s.id = k.id
  `);
  return rows.length;
};

const plainSecrets = z.object({
  session: z.string(),
  id: z.string(),
  secret: z.string().nullable(),
  previous: z.string().nullable(),
});

const webhooks: Batch = async (transaction, vault, limit) => {
  const rows = await transaction.any(sql.type(plainSecrets)`
    select session_id as session, id, secret, previous_secret as previous from webhooks
    where secret is not null or previous_secret is not null limit ${limit} for no key update
  `);
  const sealer = await vault.sealerFor(transaction, ownersOf(rows));
  const sealed = rows.map(({ session, id, ...secrets }) => {
    const place = webhookSecretPlace(session, id);
    const sealedOf = (secret: string | null) => (secret === null ? null : sealer.seal(place, Buffer.from(secret)));
    return [id, sealedOf(secrets.secret), sealedOf(secrets.previous)];
  });
  if (sealed.length === 0) return 0;
  await transaction.query(sql.type(noRow)`
    update webhooks w set sealed_secret = coalesce(k.secret, w.sealed_secret),
      sealed_previous_secret = coalesce(k.previous, w.sealed_previous_secret), secret = null, previous_secret = null
    from ${sql.unnest(sealed, ['text', 'bytea', 'bytea'])} as k (id, secret, previous) where w.id = k.id
  `);
  return rows.length;
};

const outcomes: Batch = async (transaction, vault, limit) => {
  const rows = await transaction.any(sql.type(z.object({ ordinal: z.number(), outcome: z.string() }))`
    select ordinal, outcome::text from idempotency where outcome is not null limit ${limit} for update
  `);
  const sealer = await vault.sealerFor(transaction, [gatewayItself]);
  const sealed = rows.map(({ ordinal, outcome }) => [
    ordinal,
    sealer.seal(outcomePlace(ordinal), Buffer.from(outcome)),
  ]);
  if (sealed.length === 0) return 0;
  await transaction.query(sql.type(noRow)`
    update idempotency i set sealed_outcome = k.outcome, outcome = null
    from ${sql.unnest(sealed, ['int8', 'bytea'])} as k (ordinal, outcome) where i.ordinal = k.ordinal
  `);
  return rows.length;
};
