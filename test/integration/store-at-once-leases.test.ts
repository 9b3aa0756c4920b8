/** Which deliveries a commit gives out as it creates them. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import type { Store } from '../../src/store/store.ts';
import type { ClaimedDelivery } from '../../src/store/webhook-records.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { createOwnedSession, newWebhook, receivedItem, someEvent } from '../support/store-fixtures.ts';

describe('deliveries that are leased by the commit that creates them', () => {
  const leaseMs = 60_000;
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

  function taker(places = 100): { readonly taken: ClaimedDelivery[]; readonly leave: () => void } {
    const taken: ClaimedDelivery[] = [];
    const leave = store.outbox.onLeased({
      leaseMs,
      places: () => places - taken.length,
      take: (deliveries) => taken.push(...deliveries),
    });
    return { taken, leave };
  }

  const settled = (delivery: ClaimedDelivery) =>
    store.outbox.settle({
      delivery,
      outcome: { tag: 'delivered', httpStatus: 200, durationMs: 1, excerpt: null },
      judge: (health) => health,
    });

  test('are the same as a claim would give, and nobody else gets them', async () => {
    const { session, epoch } = await createOwnedSession(store, 'leased', newWebhook('wh_leased'));
    const { taken, leave } = taker();
    const origin = { requestId: 'req_leased', traceparent: `00-${'7'.repeat(32)}-${'5'.repeat(16)}-01` };
    await store.commits.record({
      session,
      epoch,
      items: [{ tag: 'event', at: 1_700_000_000_000, event: someEvent('L1'), origin }],
    });
    leave();
    assert.deepEqual(
      taken.map((delivery) => delivery.origin),
      [origin],
    );
    assert.deepEqual(await store.outbox.claim(10, leaseMs), []);
    await database.query(`update deliveries set lease_until = now() - interval '1 second'`);
    const [claimed] = await store.outbox.claim(10, leaseMs);
    assert.deepEqual(taken, [claimed]);
    if (claimed !== undefined) await settled(claimed);
  });

  test('are no more than the places of a webhook; the rest waits for a claim', async () => {
    const { session, epoch } = await createOwnedSession(store, 'many', newWebhook('wh_many'));
    const { taken, leave } = taker();
    let calls = 0;
    const stop = store.outbox.onNew(() => (calls += 1));
    await eventually(() => calls > 0);
    calls = 0;
    await store.commits.record({ session, epoch, items: ['1', '2', '3'].map((id) => receivedItem(id)) });
    assert.deepEqual(
      taken.map(({ isCrowded }) => isCrowded),
      [false, false, false],
    );
    assert.equal(calls, 0, 'nobody is woken for what has been given out');
    await store.commits.record({ session, epoch, items: ['4', '5', '6'].map((id) => receivedItem(id)) });
    leave();
    assert.equal(taken.length, 4);
    assert.equal(taken.at(-1)?.isCrowded, true);
    await eventually(() => calls > 0);
    stop();
    for (const delivery of taken) await settled(delivery);
    const claimed = await store.outbox.claim(10, leaseMs);
    assert.deepEqual(
      claimed.map(({ event }) => event.sequence),
      [5, 6],
    );
    for (const delivery of claimed) await settled(delivery);
  });

  test('are none while something is due before them, while the receiver rests, and when there is no room', async () => {
    const { session, epoch } = await createOwnedSession(store, 'waiting', newWebhook('wh_waiting'));
    const record = (id: string) => store.commits.record({ session, epoch, items: [receivedItem(id)] });
    await record('W1');
    const { taken, leave } = taker();
    await record('W2');
    assert.deepEqual(taken, [], 'W1 is due before');
    for (const delivery of await store.outbox.claim(10, leaseMs)) await settled(delivery);
    await database.query(
      `update webhook_health set retry_at = now() + interval '1 hour' where webhook_id = 'wh_waiting'`,
    );
    await record('W3');
    assert.deepEqual(taken, [], 'the receiver rests');
    leave();
    const full = taker(0);
    await database.query(`update webhook_health set retry_at = null where webhook_id = 'wh_waiting'`);
    for (const delivery of await store.outbox.claim(10, leaseMs)) await settled(delivery);
    await record('W4');
    full.leave();
    assert.deepEqual(full.taken, [], 'nobody has room');
    assert.equal((await store.outbox.claim(10, leaseMs)).length, 1);
  });
});
