import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { at } from '../support/api-client.ts';
import { eventually } from '../support/eventually.ts';
import { errorOf, PairedGateway } from '../support/paired-gateway.ts';
import { receivedBy } from '../support/received.ts';

const contact = '15551234567';
const other = '15557654321';
const unknownId = '3EB0FFFFFFFFFFFFFFFF';

describe('editing, deleting and forwarding messages', () => {
  let paired: PairedGateway;

  before(async () => {
    paired = await PairedGateway.start({ SEND_TIMEOUT_MS: '3000' });
    await paired.contact(contact);
    await paired.contact(other);
  });

  after(() => paired.dispose());

  const sendText = async (text: string): Promise<string> =>
    String(at(await paired.ask('/messages/text', { to: contact, text }), 'message_id'));
  /** A message of the contact, known to the session. */
  const written = async (body: object): Promise<string> => {
    const id = String(at(await paired.ask('/sandbox/messages', { from: contact, ...body }), 'message_id'));
    await paired.event('message', (data) => at(data, 'message_id') === id);
    return id;
  };
  const stored = (id: string) => paired.ask(`/messages/${id}`);
  const becomes = (id: string, matches: (message: unknown) => boolean) =>
    eventually(async () => {
      const message = await stored(id);
      return matches(message) ? message : null;
    });

  test('an edit reaches the contact under an id of its own and changes the message in the store', async () => {
    const id = await sendText('Helo');
    const edit = await paired.ask('/messages/edit', { to: contact, message_id: id, text: 'Hello' });
    assert.equal(at(edit, 'status'), 'sent');
    assert.notEqual(at(edit, 'message_id'), id);
    const copy = await receivedBy(paired, { by: contact, id, matches: (item) => at(item, 'edits') !== undefined });
    assert.equal(at(copy, 'edits', 0, 'text'), 'Hello');
    const message = await becomes(id, (each) => at(each, 'body') === 'Hello');
    assert.equal(typeof at(message, 'edited_at'), 'number');
    const sent = await paired.event('message_sent', (data) => at(data, 'message_id') === at(edit, 'message_id'));
    assert.equal(at(sent, 'type'), 'edit');
  });

  test('a retry of an edited message gets the new text', async () => {
    const id = await sendText('Old text');
    await paired.ask('/messages/edit', { to: contact, message_id: id, text: 'New text' });
    await becomes(id, (each) => at(each, 'body') === 'New text');
    const reply = await paired.ask('/messages/text', { to: contact, text: 'See above', reply_to: id });
    const copy = await receivedBy(paired, { by: contact, id: String(at(reply, 'message_id')) });
    const quoted = at(
      copy,
      'raw',
      'extendedTextMessage',
      'contextInfo',
      'quotedMessage',
      'extendedTextMessage',
      'text',
    );
    assert.equal(quoted, 'New text');
  });

  test('an edit of an unknown message, of somebody else’s, or without a text is refused', async () => {
    const unknown = await paired.post('/messages/edit', { to: contact, message_id: unknownId, text: 'x' });
    assert.equal(unknown.status, 404);
    assert.equal(errorOf(unknown), 'message_not_found');
    const theirs = await paired.post('/messages/edit', {
      to: contact,
      message_id: await written({ text: 'Mine' }),
      text: 'x',
    });
    assert.equal(theirs.status, 403);
    assert.equal(errorOf(theirs), 'message_not_own');
    const elsewhere = await paired.post('/messages/edit', { to: other, message_id: await sendText('Here'), text: 'x' });
    assert.equal(errorOf(elsewhere), 'message_not_found');
    const place = await paired.ask('/messages/location', { to: contact, latitude: 1, longitude: 2 });
    const textless = await paired.post('/messages/edit', {
      to: contact,
      message_id: at(place, 'message_id'),
      text: 'x',
    });
    assert.equal(textless.status, 422);
    assert.equal(errorOf(textless), 'unprocessable');
    const empty = await paired.post('/messages/edit', { to: contact, message_id: unknownId, text: '' });
    assert.equal(at(empty.json, 'error', 'details', 0, 'field'), 'text');
  });

  test('an edit after fifteen minutes is refused', async () => {
    const id = await sendText('Long ago');
    await paired.gateway.database?.query("update messages set at = at - interval '16 minutes' where id = $1", [id]);
    const late = await paired.post('/messages/edit', { to: contact, message_id: id, text: 'x' });
    assert.equal(late.status, 422);
    assert.equal(errorOf(late), 'message_too_old');
  });

  test('an edit that WhatsApp refuses changes nothing', async () => {
    const id = await sendText('As it was');
    await paired.fault({ fault: 'refuse_send', code: 400, count: 1 });
    const refused = await paired.post('/messages/edit', { to: contact, message_id: id, text: 'x' });
    assert.equal(refused.status, 502);
    assert.equal(at(await stored(id), 'body'), 'As it was');
  });

  test('an edit whose ack is late is made when the ack comes', async () => {
    const id = await sendText('Slow');
    await paired.fault({ fault: 'slow_acks', delay_ms: 4_000 });
    const pending = await paired.post('/messages/edit', { to: contact, message_id: id, text: 'Slower' });
    assert.equal(pending.status, 202);
    assert.equal(at(await stored(id), 'body'), 'Slow');
    await becomes(id, (each) => at(each, 'body') === 'Slower');
    await paired.event('message_sent', (data) => at(data, 'message_id') === at(pending.json, 'message_id'));
    await paired.clearFaults();
  });

  test('a deletion for everyone reaches the contact and leaves nothing in the store', async () => {
    const id = await sendText('Forget this');
    await paired.ask('/messages/delete', { to: contact, message_id: id });
    const copy = await receivedBy(paired, { by: contact, id, matches: (item) => at(item, 'deleted') === true });
    assert.equal(at(copy, 'text'), 'Forget this');
    const message = await becomes(id, (each) => at(each, 'deleted_at') !== null);
    assert.equal(at(message, 'body'), null);
    const again = await paired.post('/messages/edit', { to: contact, message_id: id, text: 'x' });
    assert.equal(errorOf(again), 'message_not_found');
  });

  test('a deletion for everyone of somebody else’s message is refused, as is one of an unknown message', async () => {
    const theirs = await paired.post('/messages/delete', { to: contact, message_id: await written({ text: 'Mine' }) });
    assert.equal(theirs.status, 403);
    assert.equal(errorOf(theirs), 'message_not_own');
    const unknown = await paired.post('/messages/delete', { to: contact, message_id: unknownId });
    assert.equal(errorOf(unknown), 'message_not_found');
  });

  test('a deletion for this account only leaves the contact its copy', async () => {
    const id = await sendText('Only for me');
    await paired.ask('/messages/delete', { to: contact, message_id: id, for_everyone: false });
    const copy = await receivedBy(paired, { by: contact, id });
    assert.equal(at(copy, 'text'), 'Only for me');
    assert.equal(at(copy, 'deleted'), undefined);
  });

  test('a forwarded text is marked as such, and marked higher when it is forwarded again', async () => {
    const id = await written({ text: 'Pass it on' });
    const first = String(at(await paired.ask('/messages/forward', { to: other, message_id: id }), 'message_id'));
    const copy = await receivedBy(paired, { by: other, id: first });
    assert.equal(at(copy, 'text'), 'Pass it on');
    assert.equal(at(copy, 'forwarded'), true);
    const second = String(at(await paired.ask('/messages/forward', { to: contact, message_id: first }), 'message_id'));
    const again = await receivedBy(paired, { by: contact, id: second });
    assert.equal(at(again, 'raw', 'extendedTextMessage', 'contextInfo', 'forwardingScore'), 2);
  });

  test('a forwarded image keeps its file without being uploaded again', async () => {
    const file = Buffer.from('/9j/4AAQSkZJRgABAQEASABIAAD/2wBDAP//////', 'base64').toString('base64');
    const id = await written({ type: 'image', file: { base64: file }, caption: 'Look' });
    const forwarded = String(at(await paired.ask('/messages/forward', { to: other, message_id: id }), 'message_id'));
    const copy = await receivedBy(paired, { by: other, id: forwarded });
    assert.equal(at(copy, 'type'), 'image');
    assert.equal(at(copy, 'caption'), 'Look');
    assert.equal(at(copy, 'media', 'failure'), null);
    assert.equal(at(copy, 'media', 'file_length'), Buffer.from(file, 'base64').length);
  });

  test('a forwarded poll is a poll of its own', async () => {
    const id = await written({ type: 'poll', question: 'Which?', options: ['A', 'B'] });
    const forwarded = String(at(await paired.ask('/messages/forward', { to: other, message_id: id }), 'message_id'));
    const copy = await receivedBy(paired, { by: other, id: forwarded });
    assert.deepEqual(at(copy, 'poll'), { question: 'Which?', options: ['A', 'B'], selectable: 1 });
    await paired.ask('/sandbox/messages', { from: other, vote_in: forwarded, options: ['B'] });
    const vote = await paired.event('poll_vote', (data) => at(data, 'message_id') === forwarded);
    assert.deepEqual(at(vote, 'selected'), ['B']);
  });

  test('what may be seen only once is not forwarded, nor what is unknown', async () => {
    const once = await written({ type: 'image', file: { base64: 'AAAAAAAA' }, view_once: true });
    const answer = await paired.post('/messages/forward', { to: other, message_id: once });
    assert.equal(answer.status, 422);
    const unknown = await paired.post('/messages/forward', { to: other, message_id: unknownId });
    assert.equal(errorOf(unknown), 'message_not_found');
  });

  test('a session that is not connected changes nothing', async () => {
    await paired.gateway.must(201, '/sessions', { id: 'idle', sandbox: true, auto_connect: false });
    for (const [kind, body] of [
      ['edit', { text: 'x' }],
      ['delete', {}],
      ['forward', {}],
    ] as const) {
      const answer = await paired.gateway.post(`/sessions/idle/messages/${kind}`, {
        to: contact,
        message_id: unknownId,
        ...body,
      });
      assert.equal(answer.status, 503);
      assert.equal(errorOf(answer), 'session_not_connected');
    }
  });
});
