import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { at } from '../support/api-client.ts';
import { eventually } from '../support/eventually.ts';
import { pairedSession, untilConnected } from '../support/gateway.ts';
import { errorOf, PairedGateway } from '../support/paired-gateway.ts';

const person = '15551234567';
const jid = `${person}@s.whatsapp.net`;
const other = '15557654321';

describe('the simulated phone', () => {
  let support: PairedGateway;
  before(async () => {
    support = await PairedGateway.start();
    await support.contact(person, { name: 'First contact', behaviour: 'silent' });
  });
  after(() => support.dispose());

  const chat = async (query = `contact=${person}`): Promise<readonly unknown[]> => {
    const messages: unknown = at(await support.ask(`/sandbox/chat?${query}`), 'messages');
    if (!Array.isArray(messages)) throw new Error('no messages');
    return messages.map((each: unknown) => each);
  };
  const texts = async (query?: string) => (await chat(query)).map((each) => at(each, 'text'));
  const send = async (text: string): Promise<string> =>
    String(at(await support.ask('/messages/text', { to: jid, text }), 'message_id'));
  const say = async (message: Readonly<Record<string, unknown>>): Promise<string> =>
    String(at(await support.ask('/sandbox/messages', { from: person, ...message }), 'message_id'));
  const find = async (id: string) => (await chat()).find((each) => at(each, 'message_id') === id);

  test('knows the contacts of its session, and not those of another one', async () => {
    await pairedSession(support.gateway, 'stranger', { phone: '15550009999' });
    const list = async (id: string, query = '') =>
      (await support.gateway.get(`/sessions/${id}/sandbox/contacts${query}`)).json;
    assert.equal(at(await list('support'), 'contacts', 0, 'name'), 'First contact');
    assert.deepEqual(await list('stranger'), { contacts: [], total: 0 });
    await support.gateway.must(201, '/sessions/stranger/sandbox/messages', { from: other, text: 'Hello' });
    assert.equal(at(await list('stranger'), 'contacts', 0, 'last_message', 'text'), 'Hello');
    assert.equal(at(await list('support', '?search=first'), 'total'), 1);
    assert.equal(at(await list('support', '?search=nobody'), 'total'), 0);
  });

  test('shows both directions in the order in which they were said, with what was quoted', async () => {
    const first = await send('First');
    await say({ text: 'Second', quoted_id: first });
    await support.event('message', (data) => at(data, 'body') === 'Second');
    await send('Third');
    assert.deepEqual(await texts(), ['First', 'Second', 'Third']);
    assert.deepEqual(
      (await chat()).map((each) => at(each, 'from')),
      ['session', 'contact', 'session'],
    );
    assert.deepEqual(at((await chat())[1], 'quoted'), { message_id: first, text: 'First' });
  });

  test('shows a message as later ones have made it', async () => {
    const id = await send('With a mistake');
    await support.ask('/messages/edit', { to: jid, message_id: id, text: 'Corrected' });
    await say({ react_to: id, emoji: '👍' });
    await say({ react_to: id, emoji: '🙏' });
    const edited = await find(id);
    assert.equal(at(edited, 'text'), 'Corrected');
    assert.equal(at(edited, 'edited'), true);
    assert.deepEqual(at(edited, 'reactions'), [{ by: jid, by_name: 'First contact', emoji: '🙏' }]);
    await support.ask('/messages/delete', { to: jid, message_id: id });
    await say({ react_to: id, emoji: '' });
    assert.equal(at(await find(id), 'deleted'), true);
    assert.deepEqual(at(await find(id), 'reactions'), []);
  });

  test('shows which receipts were told, on both sides, also after everything was restarted', async () => {
    const sent = await send('Tick me');
    assert.deepEqual(at(await find(sent), 'receipts'), []);
    await support.ask('/sandbox/receipts', { message_id: sent, type: 'read' });
    const written = await say({ text: 'Read me' });
    await eventually(async () => at(await find(written), 'receipts', 0, 'by') === '15550001111@s.whatsapp.net');
    await support.gateway.stop();
    await support.gateway.boot();
    await untilConnected(support.gateway, 'support');
    assert.equal(at(await find(sent), 'receipts', 0, 'by'), jid);
    assert.notEqual(at(await find(sent), 'receipts', 0, 'read_at'), null);
    assert.ok((await texts()).indexOf('Tick me') < (await texts()).indexOf('Read me'));
  });

  test('turns pages back through a long chat', async () => {
    for (let number = 0; number < 5; number += 1) await say({ text: `page ${number}` });
    const latest = await support.ask(`/sandbox/chat?contact=${person}&limit=2`);
    assert.equal(at(latest, 'has_more'), true);
    const earliest = String(at(latest, 'messages', 0, 'message_id'));
    assert.deepEqual(await texts(`contact=${person}&limit=2`), ['page 3', 'page 4']);
    assert.deepEqual(await texts(`contact=${person}&limit=2&before=${earliest}`), ['page 1', 'page 2']);
  });

  test('shows a group to its members only, each with what it could decrypt', async () => {
    const group = String(at(await support.ask('/sandbox/groups', { subject: 'Team', participants: [person] }), 'jid'));
    await support.ask('/messages/text', { to: group, text: 'To the team' });
    await say({ group, text: 'From the team' });
    const query = `contact=${person}&group=${encodeURIComponent(group)}`;
    await eventually(async () => (await texts(query)).length === 2);
    assert.deepEqual(await texts(query), ['To the team', 'From the team']);
    assert.equal(at(await support.ask('/sandbox/groups'), 'groups', 0, 'subject'), 'Team');
    assert.ok(!(await texts()).includes('To the team'));
    await support.contact(other);
    const answer = await support.get(`/sandbox/chat?contact=${other}&group=${encodeURIComponent(group)}`);
    assert.equal(answer.status, 422);
    assert.equal(errorOf(await support.get('/sandbox/chat?contact=15559990000')), 'contact_not_found');
  });

  test('tells which faults are on, and one can be cleared without the others', async () => {
    await support.fault({ fault: 'slow_acks', delay_ms: 10 });
    await support.fault({ fault: 'garble', count: 3 });
    const faults = async () => at(await support.ask('/sandbox/faults'), 'faults');
    assert.deepEqual(await faults(), [
      { fault: 'slow_acks', code: null, delay_ms: 10, count: null, until: null },
      { fault: 'garble', code: null, delay_ms: null, count: 3, until: null },
    ]);
    await support.gateway.delete('/sessions/support/sandbox/faults?fault=garble');
    assert.equal(at(await faults(), 0, 'fault'), 'slow_acks');
    assert.equal(at(await faults(), 1), undefined);
    await support.clearFaults();
    assert.deepEqual(await faults(), []);
  });
});
