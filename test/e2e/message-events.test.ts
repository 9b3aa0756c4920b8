import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { at } from '../support/api-client.ts';
import { eventually } from '../support/eventually.ts';
import { untilConnected, untilStatus } from '../support/gateway.ts';
import { ownPhone, PairedGateway } from '../support/paired-gateway.ts';

const contact = '15551234567';
const contactJid = `${contact}@s.whatsapp.net`;
const ownJid = `${ownPhone}@s.whatsapp.net`;

describe('events about messages', () => {
  let paired: PairedGateway;

  before(async () => {
    paired = await PairedGateway.start({ UNDECRYPTABLE_PATIENCE_MS: '2500' });
    await paired.contact(contact, { name: 'First contact' });
  });

  after(() => paired.dispose());

  const write = async (body: object): Promise<string> =>
    String(at(await paired.ask('/sandbox/messages', { from: contact, ...body }), 'message_id'));
  const about = (id: string) => (data: unknown) => at(data, 'message_id') === id;
  const told = async (body: object): Promise<unknown> => paired.event('message', about(await write(body)));
  const count = (name: string, id: string): number => paired.events(name).filter(about(id)).length;
  const sendText = async (text: string): Promise<string> =>
    String(at(await paired.ask('/messages/text', { to: contact, text }), 'message_id'));

  test('a message tells what it holds, whatever its kind', async () => {
    const location = await told({ type: 'location', latitude: 1.5, longitude: -2.5, name: 'Here', address: 'There' });
    assert.equal(at(location, 'type'), 'location');
    assert.deepEqual(at(location, 'location'), { latitude: 1.5, longitude: -2.5, name: 'Here', address: 'There' });

    const card = await told({ type: 'contact', contact: { display_name: 'A, B', phones: ['15550002222'] } });
    assert.equal(at(card, 'type'), 'contact');
    assert.equal(at(card, 'contacts', 0, 'display_name'), 'A, B');
    assert.match(String(at(card, 'contacts', 0, 'vcard')), /waid=15550002222/);

    const poll = await told({ type: 'poll', question: 'Which?', options: ['A', 'B'], selectable: 2 });
    assert.equal(at(poll, 'type'), 'poll');
    assert.deepEqual(at(poll, 'poll'), { question: 'Which?', options: ['A', 'B'], selectable: 2 });

    const image = await told({ type: 'image', file: { base64: 'AAAAAAAA' }, caption: 'Look', view_once: true });
    assert.equal(at(image, 'type'), 'image');
    assert.equal(at(image, 'body'), 'Look');
    assert.equal(at(image, 'caption'), 'Look');
    assert.equal(at(image, 'view_once'), true);
    assert.equal(at(image, 'media', 'file_length'), 6);
    assert.equal(
      at(image, 'media', 'url'),
      `/api/v1/sessions/support/messages/${String(at(image, 'message_id'))}/media`,
    );

    const forwarded = await told({
      text: 'Heard this?',
      forwarded: true,
      ephemeral_seconds: 86_400,
      mentions: [ownPhone],
    });
    assert.equal(at(forwarded, 'forwarded'), true);
    assert.equal(at(forwarded, 'ephemeral'), 86_400);
    assert.deepEqual(at(forwarded, 'mentions'), [ownJid]);
  });

  test('a reply tells what it quotes: by whom, and the caption of media', async () => {
    const own = await sendText('My question');
    const reply = await told({ text: 'An answer', quoted_id: own });
    assert.deepEqual(at(reply, 'quoted'), { message_id: own, from: ownJid, body: 'My question' });
    const image = String(
      at(await told({ type: 'image', file: { base64: 'AAAAAAAA' }, caption: 'My cat' }), 'message_id'),
    );
    const comment = await told({ text: 'Nice', quoted_id: image });
    assert.deepEqual(at(comment, 'quoted'), { message_id: image, from: contactJid, body: 'My cat' });
  });

  test('what the account writes on its phone is told as its own, and once', async () => {
    const id = await write({ from: 'phone', to: contact, text: 'From my phone' });
    const event = await paired.event('message', about(id));
    assert.equal(at(event, 'is_from_me'), true);
    assert.equal(at(event, 'from'), ownJid);
    assert.equal(at(event, 'chat'), contactJid);
    assert.equal(count('message_sent', id), 0);
  });

  test('message_sent tells that WhatsApp has a message, once', async () => {
    const id = await sendText('Sent');
    const event = await paired.event('message_sent', about(id));
    assert.deepEqual(
      { ...Object(event), timestamp: 0 },
      { message_id: id, chat: contactJid, type: 'text', timestamp: 0 },
    );
    await paired.event('receipt', (data) => JSON.stringify(at(data, 'message_ids')).includes(id));
    assert.equal(count('message_sent', id), 1);
  });

  test('an edit is told with its new text, and the store follows', async () => {
    const id = String(at(await told({ text: 'Helo' }), 'message_id'));
    await write({ edit_of: id, text: 'Hello' });
    const event = await paired.event('message_edited', about(id));
    assert.deepEqual(
      { ...Object(event), timestamp: 0 },
      { message_id: id, chat: contactJid, from: contactJid, is_from_me: false, body: 'Hello', timestamp: 0 },
    );
    assert.equal(at(await paired.ask(`/messages/${id}`), 'body'), 'Hello');
    assert.equal(count('message', id), 1);
  });

  test('an edit on the phone of what the session sent is told, too', async () => {
    const id = await sendText('Typo');
    await write({ from: 'phone', to: contact, edit_of: id, text: 'No typo' });
    const event = await paired.event('message_edited', about(id));
    assert.equal(at(event, 'is_from_me'), true);
    assert.equal(at(await paired.ask(`/messages/${id}`), 'body'), 'No typo');
  });

  test('a deletion is told, and the store forgets the text', async () => {
    const id = String(at(await told({ text: 'Secret' }), 'message_id'));
    await write({ delete_of: id });
    const event = await paired.event('message_deleted', about(id));
    assert.equal(at(event, 'from'), contactJid);
    const stored = await paired.ask(`/messages/${id}`);
    assert.equal(at(stored, 'body'), null);
    assert.equal(typeof at(stored, 'deleted_at'), 'number');
  });

  test('a reaction is told, and that it was taken back', async () => {
    const id = await sendText('Like me');
    await write({ react_to: id, emoji: '👍' });
    const given = await paired.event('reaction', (data) => about(id)(data) && at(data, 'emoji') !== null);
    assert.equal(at(given, 'emoji'), '👍');
    assert.equal(at(given, 'from'), contactJid);
    await write({ react_to: id, emoji: '' });
    await paired.event('reaction', (data) => about(id)(data) && at(data, 'emoji') === null);
    const own = String(at(await told({ text: 'Mine' }), 'message_id'));
    await write({ from: 'phone', to: contact, react_to: own, emoji: '🎉' });
    assert.equal(at(await paired.event('reaction', about(own)), 'is_from_me'), true);
  });

  test('votes are told by the names of the options, in polls of the session and of others', async () => {
    const sent = await paired.ask('/messages/poll', {
      to: contact,
      question: 'Lunch?',
      options: ['Yes', 'No', 'Later'],
      selectable: 0,
    });
    const id = String(at(sent, 'message_id'));
    await write({ vote_in: id, options: ['Later', 'Yes'] });
    const vote = await paired.event('poll_vote', about(id));
    assert.deepEqual(
      { ...Object(vote), timestamp: 0 },
      { message_id: id, chat: contactJid, from: contactJid, selected: ['Yes', 'Later'], timestamp: 0 },
    );
    await write({ vote_in: id, options: [] });
    await paired.event('poll_vote', (data) => about(id)(data) && JSON.stringify(at(data, 'selected')) === '[]');
    const theirs = String(at(await told({ type: 'poll', question: 'Who?', options: ['You', 'Me'] }), 'message_id'));
    await write({ from: 'phone', to: contact, vote_in: theirs, options: ['Me'] });
    const own = await paired.event('poll_vote', about(theirs));
    assert.deepEqual([at(own, 'from'), at(own, 'selected')], [ownJid, ['Me']]);
  });

  test('equal texts are different messages', async () => {
    const ids = [await write({ text: 'Same' }), await write({ text: 'Same' })];
    for (const id of ids) await paired.event('message', about(id));
    assert.notEqual(ids[0], ids[1]);
  });

  test('a message that cannot be decrypted is asked for again, and told when it can', async () => {
    await paired.fault({ fault: 'garble', count: 1 });
    const id = await write({ text: 'Second try' });
    assert.equal(at(await paired.event('message', about(id)), 'body'), 'Second try');
    assert.equal(count('message_undecryptable', id), 0);
  });

  test('a message that stays undecryptable is told as such', async () => {
    await paired.fault({ fault: 'garble' });
    const id = await write({ text: 'Never readable' });
    const event = await paired.event('message_undecryptable', about(id));
    assert.equal(at(event, 'chat'), contactJid);
    assert.equal(at(event, 'from'), contactJid);
    await paired.clearFaults();
    await told({ text: 'Readable again' });
  });

  test('what came while the session was away is told in order as backfilled, with what happened to it', async () => {
    const known = await sendText('Before');
    await paired.ask('/disconnect', {});
    await untilStatus(paired.gateway, 'support', 'disconnected');
    const kept = await write({ text: 'While away' });
    const edited = await write({ text: 'Helo' });
    await write({ edit_of: edited, text: 'Hello' });
    const deleted = await write({ text: 'Oops' });
    await write({ delete_of: deleted });
    await write({ react_to: known, emoji: '👋' });
    await paired.ask('/connect', {});
    await untilConnected(paired.gateway, 'support');
    for (const [id, body] of [
      [kept, 'While away'],
      [edited, 'Helo'],
      [deleted, 'Oops'],
    ] as const) {
      const event = await paired.event('message', about(id));
      assert.equal(at(event, 'backfilled'), true);
      assert.equal(at(event, 'body'), body);
    }
    assert.equal(at(await paired.event('message_edited', about(edited)), 'body'), 'Hello');
    await paired.event('message_deleted', about(deleted));
    await paired.event('reaction', about(known));
    await eventually(async () => at(await paired.ask(`/messages/${edited}`), 'body') === 'Hello');
    for (const id of [kept, edited, deleted]) assert.equal(count('message', id), 1);
  });
});
