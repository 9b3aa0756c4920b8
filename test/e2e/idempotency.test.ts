import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { at, type ApiAnswer } from '../support/api-client.ts';
import { eventually } from '../support/eventually.ts';
import { inbox, untilConnected } from '../support/gateway.ts';
import { errorOf, PairedGateway } from '../support/paired-gateway.ts';

const contact = '15551234567';

describe('a send that a client repeats with its Idempotency-Key', () => {
  let paired: PairedGateway;
  let keys = 0;

  before(async () => {
    paired = await PairedGateway.start({ SEND_TIMEOUT_MS: '1500' });
    await paired.contact(contact, { behaviour: 'delivers' });
  });
  after(() => paired.dispose());

  const newKey = () => `order-${++keys}`;
  const send = (key: string, text: string): Promise<ApiAnswer> =>
    paired.gateway.api.call('POST', '/api/v1/sessions/support/messages/text', {
      body: { to: contact, text },
      headers: { 'idempotency-key': key },
    });
  const isReplayed = ({ headers }: ApiAnswer): boolean => headers['idempotency-replayed'] === 'true';
  const received = async (text: string): Promise<readonly unknown[]> =>
    (await inbox(paired.gateway, 'support', contact)).filter((each) => at(each, 'text') === text);

  test('reaches the contact once, and is answered twice', async () => {
    const key = newKey();
    const first = await send(key, 'Thank you for your order');
    const second = await send(key, 'Thank you for your order');
    assert.deepEqual([first.status, isReplayed(first)], [200, false], first.text);
    assert.deepEqual([second.status, isReplayed(second), second.text], [200, true, first.text]);
    // A message that comes after it: whatever the repetition had sent would be here by then.
    await send(newKey(), 'Anything else?');
    await eventually(async () => (await received('Anything else?')).length === 1);
    assert.equal((await received('Thank you for your order')).length, 1);
  });

  test('is told how far the message has come when the first answer was pending', async () => {
    await paired.fault({ fault: 'slow_acks', delay_ms: 4000 });
    const key = newKey();
    const first = await send(key, 'Slowly');
    await paired.clearFaults();
    assert.deepEqual([first.status, at(first.json, 'status')], [202, 'pending'], first.text);
    const final = await eventually(async () => {
      const answer = await send(key, 'Slowly');
      return at(answer.json, 'status') === 'delivered' ? answer : null;
    }, 20_000);
    assert.deepEqual([final.status, isReplayed(final)], [200, true]);
    assert.equal(at(final.json, 'message_id'), at(first.json, 'message_id'));
    assert.equal((await received('Slowly')).length, 1);
  });

  test('fails the same way again', async () => {
    const key = newKey();
    const wrong = () =>
      paired.gateway.api.call('POST', '/api/v1/sessions/support/messages/text', {
        body: { to: '15559990000', text: 'Nobody there' },
        headers: { 'idempotency-key': key },
      });
    await paired.contact('15559990000', { registered: false });
    const [first, second] = [await wrong(), await wrong()];
    assert.deepEqual([first.status, isReplayed(first)], [404, false], first.text);
    assert.deepEqual([second.status, errorOf(second), isReplayed(second)], [404, 'recipient_not_on_whatsapp', true]);
  });

  test('becomes one message when the gateway dies in between', async () => {
    await paired.fault({ fault: 'slow_acks', delay_ms: 8000 });
    const key = newKey();
    const lost = send(key, 'Across a crash').catch(() => null);
    const accepted = async () => {
      const rows = await paired.gateway.database?.query(`select message_id from idempotency where key = $1`, [key]);
      return rows?.[0]?.['message_id'];
    };
    const messageId = await eventually(accepted);
    await paired.gateway.kill();
    await lost;
    await paired.gateway.boot();
    const early = await send(key, 'Across a crash');
    assert.ok(early.status === 200 || early.status === 202, early.text);
    assert.deepEqual([at(early.json, 'message_id'), isReplayed(early)], [messageId, true]);
    await untilConnected(paired.gateway, 'support');
    await paired.clearFaults();
    await eventually(
      async () => at((await send(key, 'Across a crash')).json, 'status') === 'delivered',
      30_000,
      async () => (await send(key, 'Across a crash')).text,
    );
    const copies = await received('Across a crash');
    assert.deepEqual(new Set(copies.map((each) => at(each, 'message_id'))), new Set([messageId]));
  });
});
