import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import type { Store } from '../../src/store/store.ts';
import type { ClaimedDelivery } from '../../src/store/webhook-records.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { createOwnedSession, newWebhook, someEvent } from '../support/store-fixtures.ts';

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

const at = 1_700_000_000_000;
const failure = { httpStatus: 503, error: 'HTTP 503', durationMs: 3, excerpt: null } as const;

async function failFirst(claimed: readonly ClaimedDelivery[], webhook: string, isDead: boolean): Promise<void> {
  const delivery = claimed.find((each) => each.webhook.id === webhook);
  assert.ok(delivery !== undefined);
  await store.outbox.settle({
    delivery,
    outcome: isDead ? { ...failure, tag: 'dead' } : { ...failure, tag: 'retry', delayMs: 60_000 },
    judge: (health, now) => ({ ...health, consecutiveFailures: 1, failingSince: now, lastError: 'HTTP 503' }),
  });
}

test('the webhooks of all sessions are summed up, what waits behind others in order included', async () => {
  assert.deepEqual(await store.webhookHealth.totals(5), {
    webhooks: 0,
    disabled: 0,
    queueDepth: 0,
    oldestPendingAt: null,
    held: 0,
    dead: 0,
    failing: 0,
    failingWebhooks: [],
  });
  const { session } = await createOwnedSession(store, 'first', newWebhook('wh_ordered', { ordered: true }));
  const { session: other } = await createOwnedSession(store, 'second', newWebhook('wh_dead'));
  await store.webhooks.create(other, newWebhook('wh_off', { url: 'https://example.com/off' }));
  for (const id of ['E1', 'E2', 'E3']) await store.commits.emit(session, someEvent(id), at);
  await store.commits.emit(other, someEvent('E4'), at);
  await store.webhooks.switchOff(other, 'wh_off');
  const claimed = await store.outbox.claim(10, 60_000);
  await failFirst(claimed, 'wh_ordered', false);
  await failFirst(claimed, 'wh_dead', true);
  const { failingWebhooks, oldestPendingAt, ...totals } = await store.webhookHealth.totals(1);
  assert.deepEqual(totals, { webhooks: 3, disabled: 1, queueDepth: 3, held: 1, dead: 1, failing: 2 });
  assert.ok(oldestPendingAt !== null);
  assert.equal(failingWebhooks.length, 1);
  const { failingWebhooks: all } = await store.webhookHealth.totals(5);
  const ordered = all.find(({ webhook }) => webhook.id === 'wh_ordered');
  const shown = await store.webhooks.get(session, 'wh_ordered');
  assert.ok(ordered !== undefined && shown !== null);
  assert.deepEqual({ ...ordered, now: 0 }, { ...shown, now: 0 }, 'as the webhook itself is shown');
});
