/** Puts the store together: a pool, a queue of commits with a small pool of its own, one listener. */
import { sql } from 'slonik';
import { monotonicFactory } from 'ulid';
import { z } from 'zod';
import type { Clock } from '../clock.ts';
import type { SessionEvent } from '../contract/events.ts';
import type { Logger } from '../log.ts';
import { createAuditStore } from './audit.ts';
import { createBrowserSessionsStore } from './browser-sessions.ts';
import { createBulkStore } from './bulk.ts';
import { createChildrenStore } from './children.ts';
import { createCommit } from './commit.ts';
import { driverUrl } from './connection-url.ts';
import { createCredentialsStore } from './credentials.ts';
import { encryptExisting } from './encrypt-existing.ts';
import { createEventsStore } from './events.ts';
import { createDeliveriesStore } from './deliveries.ts';
import { CommitQueue } from './group-commit.ts';
import { createIdempotencyStore } from './idempotency.ts';
import { LeaseDesk } from './lease-desk.ts';
import { createMediaStore } from './media.ts';
import { createMessagesStore } from './messages.ts';
import { NotificationListener } from './notification-listener.ts';
import { createOutboxStore } from './outbox.ts';
import { createPacingStore } from './pacing.ts';
import type { Trials } from './lend-connection.ts';
import { openDatabase, type Database } from './pool.ts';
import { createScheduledStore } from './scheduled.ts';
import { openVault, type MasterKeySource, type OpenedVault } from './open-vault.ts';
import { rotateKeys } from './rotate-keys.ts';
import { createSessionsStore } from './sessions.ts';
import { settleBatch } from './settlements.ts';
import type { PoolUse, Store } from './store.ts';
import { createTokensStore } from './tokens.ts';
import { createTrafficStore } from './traffic.ts';
import { createTransferStore } from './transfers.ts';
import type { Settlement } from './webhook-records.ts';
import { createWebhookHealthStore } from './webhook-health.ts';
import { createWebhooksStore } from './webhooks.ts';

/**
 * One commit is under way at a time; the other connection is for when the first is lost. The statements of commits are
 * long, and each connection that has run one keeps its plan in memory.
 */
const committingPoolSize = 2;

/**
 * Opens the store on a database that is migrated already, and encrypts what in it is not. `connection` is a postgres
 * URL. Throws `storage_unavailable` when nothing answers there, and EncryptionKeyError when `keys` has not the key that
 * the database was encrypted with.
 */
export async function createStore(options: {
  readonly connection: string;
  readonly log: Logger;
  readonly clock: Clock;
  /** Hears of events of sessions once they are committed. */
  readonly onEvent?: (event: SessionEvent) => void;
  readonly keys: MasterKeySource;
}): Promise<Store> {
  const { log, clock } = options;
  const connection = driverUrl(options.connection);
  const trials: Trials = new Set();
  const database = await openDatabase(connection, log, { trials });
  const { vault, masterKeys } = await prepare(database, options);
  const committing = await openDatabase(connection, log, { maxPoolSize: committingPoolSize, trials }).catch(
    async (error: unknown) => {
      await database.end();
      throw error;
    },
  );
  const nextUlid = monotonicFactory();
  const newEventId = (): string => `evt_${nextUlid(clock.now())}`;
  const desk = new LeaseDesk();
  const { onEvent } = options;
  const queue = new CommitQueue(createCommit({ database: committing, vault, newEventId, desk, clock, onEvent }), log);
  const listener = new NotificationListener(connection, log);
  const credentials = createCredentialsStore(database, vault);
  const settling = new CommitQueue<Settlement>((settlements) => settleBatch(database, settlements), log);
  return {
    sessions: createSessionsStore(database, vault, log),
    children: createChildrenStore(database),
    credentials,
    commits: {
      setKeys: (body) => queue.submit({ tag: 'keys', body }),
      record: (body) => queue.submit({ tag: 'record', body }),
      sending: (body) => queue.submit({ tag: 'sending', body }),
      clearCredentials: (body) => queue.submit({ tag: 'clear', body }),
      emit: (session, event, at) => queue.submit({ tag: 'emit', body: { session, event, at } }),
      drain: () => queue.drain(),
    },
    messages: createMessagesStore(database, queue),
    scheduled: createScheduledStore(database),
    idempotency: createIdempotencyStore(database, vault),
    media: createMediaStore(database),
    pacing: createPacingStore(database, credentials),
    bulks: createBulkStore(database, newEventId),
    traffic: createTrafficStore(database),
    browserSessions: createBrowserSessionsStore(database),
    events: createEventsStore(database, listener),
    webhooks: createWebhooksStore(database, vault, newEventId),
    webhookHealth: createWebhookHealthStore(database),
    outbox: createOutboxStore({ database, vault, listener, settling, desk, log }),
    deliveries: createDeliveriesStore(database, vault, newEventId),
    tokens: createTokensStore(database),
    audit: createAuditStore(database),
    transfers: createTransferStore(database, vault),
    encryption: { rotate: () => rotateKeys(database, masterKeys) },
    ping: async (timeoutMs) => {
      await database.run(
        (connection) => connection.one(sql.type(z.object({ one: z.number() }))`select 1 as one`),
        timeoutMs,
      );
    },
    connections: () => sumOf(database.connections(), committing.connections()),
    close: async () => {
      await Promise.all([queue.drain(), settling.drain()]);
      await listener.close();
      await Promise.all([database.end(), committing.end()]);
    },
  };
}

const sumOf = (one: PoolUse, other: PoolUse): PoolUse => ({
  acquired: one.acquired + other.acquired,
  idle: one.idle + other.idle,
  waiting: one.waiting + other.waiting,
  size: one.size + other.size,
});

/** A database that cannot be used with these keys is left as it was. */
async function prepare(
  database: Database,
  { keys, log }: { readonly keys: MasterKeySource; readonly log: Logger },
): Promise<OpenedVault> {
  try {
    const opened = await openVault(database, keys);
    await encryptExisting(database, { vault: opened.vault, log });
    return opened;
  } catch (error) {
    await database.end();
    throw error;
  }
}
