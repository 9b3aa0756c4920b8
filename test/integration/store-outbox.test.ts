import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import type { Store } from '../../src/store/store.ts';
import type { ClaimedDelivery, DeliveryOutcome } from '../../src/store/webhook-records.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { createOwnedSession, newWebhook, receivedItem, someEvent } from '../support/store-fixtures.ts';

let database: TestDatabase;
let store: Store;
before(async () => {
  database = await createTestDatabase();
  store = await database.openStore();
});
beforeEach(async () => {
  await database.query('delete from sessions');
});
after(() => database.dispose());

const leaseMs = 60_000;
const delivered = { tag: 'delivered', httpStatus: 200, durationMs: 12.5, excerpt: 'ok' } as const;
const retryIn = (delayMs: number) =>
  ({ tag: 'retry', httpStatus: 500, error: 'HTTP 500', durationMs: 3, excerpt: null, delayMs }) as const;

async function settle(delivery: ClaimedDelivery | undefined, outcome: DeliveryOutcome): Promise<void> {
  assert.ok(delivery !== undefined);
  await store.outbox.settle({ delivery, outcome, judge: (health) => health });
}

function idsOf(deliveries: readonly ClaimedDelivery[]): readonly unknown[] {
  return deliveries.map(({ event: { data } }) =>
    typeof data === 'object' && data !== null && 'message_id' in data ? data.message_id : data,
  );
}

async function emit(session: Parameters<Store['commits']['emit']>[0], ...ids: readonly string[]): Promise<void> {
  for (const id of ids) await store.commits.emit(session, someEvent(id), 1_700_000_000_000);
}

test('an event goes to the webhooks that subscribe to its name or to all, and is kept when there is none', async () => {
  const { session, epoch } = await createOwnedSession(store, 'subscribed', newWebhook('wh_all'));
  await store.webhooks.create(session, newWebhook('wh_failed', { events: ['message_failed'] }));
  await store.webhooks.create(session, newWebhook('wh_other', { events: ['connected', 'qr_code'] }));
  const { session: silent } = await createOwnedSession(store, 'silent');
  await store.commits.record({ session, epoch, items: [receivedItem('E1')] });
  await emit(silent, 'E2');
  const claimed = await store.outbox.claim(10, leaseMs);
  assert.deepEqual(claimed.map((delivery) => delivery.webhook.id).toSorted(), ['wh_all', 'wh_failed']);
  assert.match(claimed[0]?.event.id ?? '', /^evt_[0-9A-HJKMNP-TV-Z]{26}$/);
  assert.equal(claimed[0]?.event.sequence, 1);
  assert.equal(claimed[0]?.event.at, 1_700_000_000_000);
  assert.equal(claimed[0]?.webhook.secret, 'test-secret');
  const rows = await database.query(`select name from events where session_id = 'silent'`);
  assert.deepEqual(rows, [{ name: 'message_failed' }]);
});

test('a delivery is claimed by one dispatcher at a time and comes back when its lease ends', async () => {
  const { session } = await createOwnedSession(store, 'leased', newWebhook('wh_leased'));
  await emit(session, 'L1', 'L2', 'L3');
  const second = await database.openStore();
  const claims = await Promise.all([store.outbox.claim(2, leaseMs), second.outbox.claim(2, leaseMs)]);
  const ids = claims.flatMap(idsOf);
  assert.equal(new Set(ids).size, ids.length, `claimed twice: ${ids.join()}`);
  await store.outbox.claim(10, leaseMs);
  assert.deepEqual(await store.outbox.claim(10, leaseMs), []);
  const wait = (await store.outbox.nextDueInMs()) ?? 0;
  assert.ok(wait > 50_000 && wait <= leaseMs, `next due in ${wait} ms`);
  await database.query(`update deliveries set lease_until = now() - interval '1 second'`);
  assert.equal(await store.outbox.nextDueInMs(), 0);
  assert.deepEqual(idsOf(await store.outbox.claim(10, leaseMs)), ['L1', 'L2', 'L3']);
});

test('an ordered webhook gets the next delivery only after the one before it is settled', async () => {
  const { session } = await createOwnedSession(store, 'ordered', newWebhook('wh_ordered', { ordered: true }));
  await emit(session, 'O1', 'O2', 'O3');
  const [first, ...others] = await store.outbox.claim(10, leaseMs);
  assert.deepEqual(others, []);
  assert.ok(first);
  assert.deepEqual(idsOf([first]), ['O1']);
  await settle(first, retryIn(60_000));
  assert.deepEqual(await store.outbox.claim(10, leaseMs), []);
  const wait = (await store.outbox.nextDueInMs()) ?? 0;
  assert.ok(wait > 50_000, `next due in ${wait} ms`);
  await database.query('update deliveries set due_at = now() where id = $1', [first.id]);
  const [again] = await store.outbox.claim(10, leaseMs);
  assert.equal(again?.attempts, 1);
  assert.equal(again.id, first.id);
  await settle(first, delivered);
  assert.deepEqual(idsOf(await store.outbox.claim(10, leaseMs)), ['O2']);
});

test('an unordered webhook goes on while one delivery waits for its retry', async () => {
  const { session } = await createOwnedSession(store, 'unordered', newWebhook('wh_unordered'));
  await emit(session, 'U1', 'U2');
  const [first] = await store.outbox.claim(1, leaseMs);
  await settle(first, retryIn(60_000));
  assert.deepEqual(idsOf(await store.outbox.claim(10, leaseMs)), ['U2']);
});

test('a slow webhook does not take all places', async () => {
  const slow = await createOwnedSession(store, 'slow', newWebhook('wh_slow'));
  const quick = await createOwnedSession(store, 'quick', newWebhook('wh_quick'));
  await emit(slow.session, ...Array.from({ length: 12 }, (_, index) => `S${index}`));
  await emit(quick.session, 'Q1');
  const claimed = await store.outbox.claim(10, leaseMs);
  assert.deepEqual(idsOf(claimed), ['S0', 'S1', 'S2', 'S3', 'Q1']);
  assert.deepEqual(await store.outbox.claim(10, leaseMs), []);
  const wait = (await store.outbox.nextDueInMs()) ?? 0;
  assert.ok(wait > 50_000, `the dispatcher would spin: next due in ${wait} ms`);
  await settle(claimed[0], delivered);
  assert.equal(await store.outbox.nextDueInMs(), 0);
  assert.deepEqual(idsOf(await store.outbox.claim(10, leaseMs)), ['S4']);
});

test('what is delivered or dead stays so, and a webhook takes its open deliveries with it', async () => {
  const { session } = await createOwnedSession(store, 'settled', newWebhook('wh_settled'));
  await emit(session, 'D1', 'D2', 'D3');
  const [first, second] = await store.outbox.claim(10, leaseMs);
  await settle(first, delivered);
  await settle(first, retryIn(0));
  await settle(second, { tag: 'dead', httpStatus: null, error: 'gave up', durationMs: 1, excerpt: null });
  const rows = await database.query('select status, attempts, last_status, last_error from deliveries order by id');
  assert.deepEqual(rows.slice(0, 2), [
    { status: 'delivered', attempts: 1, last_status: 200, last_error: null },
    { status: 'dead', attempts: 1, last_status: null, last_error: 'gave up' },
  ]);
  await store.webhooks.delete(session, 'wh_settled');
  assert.equal(await store.outbox.nextDueInMs(), null);
});

test('a listener hears of new deliveries, also of those committed by another process, until it stops', async () => {
  const { session } = await createOwnedSession(store, 'heard', newWebhook('wh_heard'));
  const { session: unheard } = await createOwnedSession(store, 'unheard');
  let calls = 0;
  const stop = store.outbox.onNew(() => (calls += 1));
  await eventually(() => calls > 0);
  calls = 0;
  const other = await database.openStore();
  await other.commits.emit(unheard, someEvent('H0'), 1);
  await other.commits.emit(session, someEvent('H1'), 1);
  await eventually(() => calls > 0);
  assert.equal(calls, 1);
  const listening = `select pid from pg_stat_activity where query ilike 'listen%' and datname = current_database()`;
  const before = await database.query(listening);
  await database.query(`select pg_terminate_backend(pid) from (${listening}) l`);
  calls = 0;
  await eventually(() => calls > 0, 5_000);
  assert.notDeepEqual(await database.query(listening), before);
  stop();
  calls = 0;
  await other.commits.emit(session, someEvent('H2'), 1);
  await other.commits.drain();
  assert.equal(calls, 0);
});
