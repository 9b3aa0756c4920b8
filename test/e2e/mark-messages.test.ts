import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { at } from '../support/api-client.ts';
import { eventually } from '../support/eventually.ts';
import { inbox, pairedSession, requireCleanOracle } from '../support/gateway.ts';
import { errorOf, ownPhone, PairedGateway } from '../support/paired-gateway.ts';
import { receivedBy } from '../support/received.ts';

const contact = '15551234567';
const reader = '15550002222';
const unknownId = '3EB0FFFFFFFFFFFFFFFF';

describe('reacting to messages, pinning, starring and reading them', () => {
  let paired: PairedGateway;

  before(async () => {
    paired = await PairedGateway.start();
    await paired.contact(contact);
  });

  after(() => paired.dispose());

  const written = async (text: string): Promise<string> => {
    const id = String(at(await paired.ask('/sandbox/messages', { from: contact, text }), 'message_id'));
    await paired.event('message', (data) => at(data, 'message_id') === id);
    return id;
  };
  const reaction = (matches: (reaction: unknown) => boolean) =>
    eventually(
      async () => (await inbox(paired.gateway, 'support', contact)).find((item) => matches(at(item, 'reaction'))),
      15_000,
      () => inbox(paired.gateway, 'support', contact),
    );

  test('a reaction reaches the contact, and is taken back by an empty one', async () => {
    const id = await written('Funny');
    const answer = await paired.ask('/messages/react', { to: contact, message_id: id, emoji: '😂' });
    assert.equal(at(answer, 'status'), 'sent');
    await reaction((each) => at(each, 'message_id') === id && at(each, 'emoji') === '😂');
    await paired.ask('/messages/react', { to: contact, message_id: id, emoji: '' });
    await reaction((each) => at(each, 'message_id') === id && at(each, 'emoji') === '');
  });

  test('own messages are reacted to as well', async () => {
    const sent = await paired.ask('/messages/text', { to: contact, text: 'Mine' });
    await paired.ask('/messages/react', { to: contact, message_id: at(sent, 'message_id'), emoji: '👍' });
    await reaction((each) => at(each, 'message_id') === at(sent, 'message_id'));
  });

  test('a message is pinned for everybody, and unpinned', async () => {
    const id = await written('Important');
    for (const [pinned, type] of [
      [true, 'PIN_FOR_ALL'],
      [false, 'UNPIN_FOR_ALL'],
    ] as const) {
      const answer = await paired.ask('/messages/pin', { to: contact, message_id: id, pinned });
      const copy = await receivedBy(paired, { by: contact, id: String(at(answer, 'message_id')) });
      assert.equal(at(copy, 'raw', 'pinInChatMessage', 'key', 'id'), id);
      assert.equal(at(copy, 'raw', 'pinInChatMessage', 'type'), type);
    }
    const refused = await paired.post('/messages/pin', { to: contact, message_id: id, duration_seconds: 5 });
    assert.equal(at(refused.json, 'error', 'details', 0, 'field'), 'duration_seconds');
  });

  test('a message is starred, and not any more', async () => {
    const id = await written('Nice');
    for (const starred of [true, false]) {
      const answer = await paired.ask('/messages/star', { to: contact, message_id: id, starred });
      assert.equal(at(answer, 'success'), true);
    }
  });

  test('nothing is attached to a message that is unknown', async () => {
    for (const [kind, body] of [
      ['react', { emoji: '👍' }],
      ['pin', {}],
      ['star', {}],
    ] as const) {
      const answer = await paired.post(`/messages/${kind}`, { to: contact, message_id: unknownId, ...body });
      assert.equal(answer.status, 404);
      assert.equal(errorOf(answer), 'message_not_found');
    }
    const read = await paired.post('/messages/read', { chat: contact, message_ids: [unknownId] });
    assert.equal(errorOf(read), 'message_not_found');
    assert.equal(at(read.json, 'error', 'details', 0, 'field'), 'message_ids');
  });

  test('whoever wrote a message hears that it was read', async () => {
    await pairedSession(paired.gateway, 'reader', { phone: reader });
    const ids: string[] = [];
    for (const text of ['One', 'Two']) {
      ids.push(String(at(await paired.ask('/messages/text', { to: reader, text }), 'message_id')));
    }
    const stored = (id: string) => paired.gateway.get(`/sessions/reader/messages/${id}`);
    for (const id of ids) await eventually(async () => (await stored(id)).status === 200);
    const wrongChat = await paired.gateway.post('/sessions/reader/messages/read', { chat: contact, message_ids: ids });
    assert.equal(errorOf(wrongChat), 'message_not_found');
    await paired.gateway.must(200, '/sessions/reader/messages/read', { chat: ownPhone, message_ids: ids });
    for (const id of ids) {
      const receipt = await paired.event(
        'receipt',
        (data) => at(data, 'status') === 'read' && JSON.stringify(at(data, 'message_ids')).includes(id),
      );
      assert.equal(at(receipt, 'from'), `${reader}@s.whatsapp.net`);
      assert.equal(at(await paired.ask(`/messages/${id}`), 'status'), 'read');
    }
    await requireCleanOracle(paired.gateway, 'reader');
  });

  test('a session that is not connected attaches nothing', async () => {
    await paired.gateway.must(201, '/sessions', { id: 'idle', sandbox: true, auto_connect: false });
    const answer = await paired.gateway.post('/sessions/idle/messages/react', {
      to: contact,
      message_id: unknownId,
      emoji: '👍',
    });
    assert.equal(errorOf(answer), 'session_not_connected');
    const read = await paired.gateway.post('/sessions/idle/messages/read', { chat: contact, message_ids: [unknownId] });
    assert.equal(errorOf(read), 'session_not_connected');
  });
});
