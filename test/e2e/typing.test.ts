import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { at } from '../support/api-client.ts';
import { eventually } from '../support/eventually.ts';
import { errorOf, PairedGateway } from '../support/paired-gateway.ts';

const person = '15551230001';
const other = '15551230002';

describe('typing', () => {
  let support: PairedGateway;

  before(async () => {
    support = await PairedGateway.start({ QUERY_TIMEOUT_MS: '1500' });
    await support.contact(person);
    await support.contact(other);
  });

  after(() => support.dispose());

  /** What a contact has seen. */
  const seenBy = async (phone: string): Promise<readonly unknown[]> => {
    const states = at(await support.ask('/sandbox/chat-states'), 'chat_states');
    assert.ok(Array.isArray(states));
    return states
      .filter((each: unknown) => at(each, 'to') === `${phone}@s.whatsapp.net`)
      .map((each: unknown) => at(each, 'state'));
  };

  test('a chat state reaches the contact', async () => {
    for (const state of ['composing', 'recording', 'paused']) {
      await support.ask('/chatstate/send', { to: '+1 (555) 123 0001', state });
    }
    await eventually(async () => (await seenBy(person)).join() === 'composing,recording,paused');
  });

  test('typing for a while ends by itself, and a longer one replaces it', async () => {
    await support.ask('/chatstate/typing', { to: other, duration: 500 });
    await eventually(async () => (await seenBy(other)).join() === 'composing,paused');
    await support.ask('/chatstate/typing', { to: other, duration: 500 });
    await support.ask('/chatstate/typing', { to: other, duration: 900 });
    await eventually(async () => (await seenBy(other)).join() === 'composing,paused,composing,composing,paused');
  });

  test('what a contact types is told once per change, with its number', async () => {
    await support.ask('/presence/set', { status: 'available' });
    const types = (state: string) => support.ask('/sandbox/typing', { contact: person, state });
    await eventually(async () => at(await types('composing'), 'sessions') === 1);
    await types('composing');
    await types('recording');
    await types('paused');
    await support.event('chat_presence', (data) => at(data, 'state') === 'paused');
    const told = support.events('chat_presence');
    assert.deepEqual(
      told.map((data) => at(data, 'state')),
      ['composing', 'recording', 'paused'],
    );
    const jid = `${person}@s.whatsapp.net`;
    assert.deepEqual(told[0], { chat: jid, from: jid, state: 'composing' });
  });

  test('what a member types in a group is told with the group and the number of the member', async () => {
    const group = at(await support.ask('/sandbox/groups', { subject: 'Tea', participants: [person] }), 'jid');
    await support.ask('/sandbox/typing', { contact: person, group, state: 'composing' });
    assert.deepEqual(await support.event('chat_presence', (data) => at(data, 'chat') === group), {
      chat: group,
      from: `${person}@s.whatsapp.net`,
      state: 'composing',
    });
    const unknown = { contact: person, group: '120363000000000001@g.us', state: 'composing' };
    assert.equal(errorOf(await support.post('/sandbox/typing', unknown)), 'contact_not_found');
  });

  test('wrong input and unknown numbers are refused, and a silent WhatsApp is a time-out', async () => {
    const wrong = await support.post('/chatstate/send', { to: person, state: 'sleeping' });
    assert.deepEqual([wrong.status, at(wrong.json, 'error', 'details', 0, 'field')], [400, 'state']);
    const long = await support.post('/chatstate/typing', { to: person, duration: 3_600_000 });
    assert.deepEqual([long.status, at(long.json, 'error', 'details', 0, 'field')], [400, 'duration']);
    for (const path of ['/chatstate/send', '/chatstate/typing']) {
      const body = path.endsWith('send') ? { state: 'composing' } : {};
      const nobody = await support.post(path, { to: '15559999999', ...body });
      assert.deepEqual([nobody.status, errorOf(nobody)], [404, 'recipient_not_on_whatsapp']);
    }
    await support.fault({ fault: 'mute_queries' });
    const answer = await support.post('/chatstate/typing', { to: '15551230009' });
    assert.deepEqual([answer.status, errorOf(answer)], [504, 'whatsapp_timeout']);
    await support.clearFaults();
  });
});
