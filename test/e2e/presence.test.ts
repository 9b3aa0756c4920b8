import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { at } from '../support/api-client.ts';
import { eventually } from '../support/eventually.ts';
import { untilConnected } from '../support/gateway.ts';
import { errorOf, PairedGateway } from '../support/paired-gateway.ts';

const person = '15551230001';
const jid = `${person}@s.whatsapp.net`;

describe('presence', () => {
  let support: PairedGateway;

  before(async () => {
    support = await PairedGateway.start({ QUERY_TIMEOUT_MS: '1500' });
    await support.contact(person);
  });

  after(() => support.dispose());

  const shown = async (): Promise<readonly unknown[]> => {
    const states = at(await support.ask('/sandbox/chat-states'), 'chat_states');
    assert.ok(Array.isArray(states));
    return states.map((each: unknown) => at(each, 'state'));
  };
  const comes = (status: string, lastSeen?: number | null) =>
    support.ask('/sandbox/presence', {
      contact: person,
      status,
      ...(lastSeen === undefined ? {} : { last_seen: lastSeen }),
    });
  const statuses = () => support.events('presence').map((data) => at(data, 'status'));

  test('the account is shown as online and as offline', async () => {
    await support.ask('/presence/set', { status: 'available' });
    await eventually(async () => (await shown()).at(-1) === 'available');
    await support.ask('/presence/set', { status: 'unavailable' });
    await eventually(async () => (await shown()).at(-1) === 'unavailable');
  });

  test('the presence of a contact is told when it changes, with the number of the contact', async () => {
    await support.ask('/presence/set', { status: 'available' });
    await support.ask('/presence/subscribe', { jid: '+1 555 123-0001' });
    await support.event('presence', (data) => at(data, 'status') === 'unavailable');
    await comes('available');
    await support.event('presence', (data) => at(data, 'status') === 'available');
    await comes('available');
    await comes('unavailable', 1_767_225_600);
    assert.deepEqual(await support.event('presence', (data) => at(data, 'last_seen') !== null), {
      jid,
      status: 'unavailable',
      last_seen: 1_767_225_600,
    });
    assert.deepEqual(statuses(), ['unavailable', 'available', 'unavailable']);
  });

  test('after a reconnect the account is online still and hears of its contacts', async () => {
    await support.fault({ fault: 'disconnect' });
    await support.event('disconnected');
    await untilConnected(support.gateway, 'support');
    await eventually(async () => (await shown()).at(-1) === 'subscribe');
    await comes('available');
    await eventually(() => statuses().at(-1) === 'available');
  });

  test('after a restart of its process as well', async () => {
    await support.ask('/restart', {});
    await eventually(() => support.events('connected').length >= 3, 30_000);
    await untilConnected(support.gateway, 'support');
    await comes('unavailable', 1_767_225_700);
    await support.event('presence', (data) => at(data, 'last_seen') === 1_767_225_700);
  });

  test('wrong input and unknown numbers are refused', async () => {
    const wrong = await support.post('/presence/set', { status: 'sleeping' });
    assert.deepEqual([wrong.status, at(wrong.json, 'error', 'details', 0, 'field')], [400, 'status']);
    const nobody = await support.post('/presence/subscribe', { jid: '15559999999' });
    assert.deepEqual([nobody.status, errorOf(nobody)], [404, 'recipient_not_on_whatsapp']);
    const group = await support.post('/presence/subscribe', { jid: '120363000000000001@g.us' });
    assert.deepEqual([group.status, at(group.json, 'error', 'details', 0, 'field')], [400, 'jid']);
  });

  test('a session that is not connected says so', async () => {
    await support.gateway.must(201, '/sessions', { id: 'idle', sandbox: true, auto_connect: false });
    for (const [path, body] of [
      ['presence/set', { status: 'available' }],
      ['presence/subscribe', { jid: person }],
      ['chatstate/send', { to: person, state: 'composing' }],
      ['chatstate/typing', { to: person }],
    ] as const) {
      const answer = await support.gateway.post(`/sessions/idle/${path}`, body);
      assert.deepEqual([answer.status, errorOf(answer)], [503, 'session_not_connected']);
    }
  });
});
