/** Puts the store together: a pool, a queue of commits with a small pool of its own, one listener. */
import { sql } from 'slonik';
import { monotonicFactory } from 'ulid';
import { z } from 'zod';
import type { Clock } from '../clock.ts';
import type { Logger } from '../log.ts';
import { createAuditStore } from './audit.ts';
import { createBrowserSessionsStore } from './browser-sessions.ts';
import { createBulkStore } from './bulk.ts';
import { createChildrenStore } from './children.ts';
import { createCommit } from './commit.ts';
import { driverUrl } from './connection-url.ts';
import { createCredentialsStore } from './credentials.ts';
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
import { openDatabase } from './pool.ts';
import { createScheduledStore } from './scheduled.ts';
import { createSessionsStore } from './sessions.ts';
import { settleBatch } from './settlements.ts';
import type { Store } from './store.ts';
import { createTokensStore } from './tokens.ts';
import { createTrafficStore } from './traffic.ts';
import type { Settlement } from './webhook-records.ts';
import { createWebhookHealthStore } from './webhook-health.ts';
import { createWebhooksStore } from './webhooks.ts';

/**
 * One commit is under way at a time; the other connection is for when the first is lost. The statements of commits are
 * long, and each connection that has run one keeps its plan in memory.
 */
const committingPoolSize = 2;

/**
 * Opens the store on a database that is migrated already. `connection` is a postgres URL. Throws
 * `storage_unavailable` when nothing answers there.
 */
export async function createStore(options: {
  readonly connection: string;
  readonly log: Logger;
  readonly clock: Clock;
}): Promise<Store> {
  const { log, clock } = options;
  const connection = driverUrl(options.connection);
  const database = await openDatabase(connection, log);
  const committing = await openDatabase(connection, log, committingPoolSize).catch(async (error: unknown) => {
    await database.end();
    throw error;
  });
  const nextUlid = monotonicFactory();
  const newEventId = (): string => `evt_${nextUlid(clock.now())}`;
  const desk = new LeaseDesk();
  const queue = new CommitQueue(createCommit({ database: committing, newEventId, desk, clock }), log);
  const listener = new NotificationListener(connection, log);
  const credentials = createCredentialsStore(database);
  const settling = new CommitQueue<Settlement>((settlements) => settleBatch(database, settlements), log);
  return {
    sessions: createSessionsStore(database, log),
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
    idempotency: createIdempotencyStore(database),
    media: createMediaStore(database),
    pacing: createPacingStore(database, credentials),
    bulks: createBulkStore(database, newEventId),
    traffic: createTrafficStore(database),
    browserSessions: createBrowserSessionsStore(database),
    events: createEventsStore(database, listener),
    webhooks: createWebhooksStore(database, newEventId),
    webhookHealth: createWebhookHealthStore(database),
    outbox: createOutboxStore({ database, listener, settling, desk }),
    deliveries: createDeliveriesStore(database, newEventId),
    tokens: createTokensStore(database),
    audit: createAuditStore(database),
    ping: async (timeoutMs) => {
      await database.run(
        (connection) => connection.one(sql.type(z.object({ one: z.number() }))`select 1 as one`),
        timeoutMs,
      );
    },
    close: async () => {
      await Promise.all([queue.drain(), settling.drain()]);
      await listener.close();
      await Promise.all([database.end(), committing.end()]);
    },
  };
}
