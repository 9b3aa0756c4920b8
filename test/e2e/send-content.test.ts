import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { at } from '../support/api-client.ts';
import { errorOf, ownPhone, PairedGateway } from '../support/paired-gateway.ts';
import { receivedBy } from '../support/received.ts';

const contact = '15551234567';
const stranger = '15559999999';

describe('locations, contacts, polls and what goes with every message', () => {
  let paired: PairedGateway;

  before(async () => {
    paired = await PairedGateway.start();
    await paired.contact(contact);
    await paired.contact(stranger, { registered: false });
  });

  after(() => paired.dispose());

  const send = async (kind: string, body: object): Promise<string> => {
    const answer = await paired.ask(`/messages/${kind}`, { to: contact, ...body });
    assert.equal(at(answer, 'status'), 'sent');
    return String(at(answer, 'message_id'));
  };
  const refusal = async (kind: string, body: object) => {
    const { status, json } = await paired.post(`/messages/${kind}`, body);
    return { status, type: at(json, 'error', 'type'), field: at(json, 'error', 'details', 0, 'field') };
  };

  test('a location arrives with its name and address', async () => {
    const id = await send('location', {
      latitude: 52.52,
      longitude: 13.405,
      name: 'Berlin',
      address: 'Alexanderplatz 1',
    });
    const received = await receivedBy(paired, { by: contact, id });
    assert.equal(at(received, 'type'), 'location');
    assert.deepEqual(at(received, 'location'), {
      latitude: 52.52,
      longitude: 13.405,
      name: 'Berlin',
      address: 'Alexanderplatz 1',
    });
  });

  test('a location outside of the world is refused by its field', async () => {
    const answer = await refusal('location', { to: contact, latitude: 91, longitude: 0 });
    assert.deepEqual(answer, { status: 400, type: 'invalid_request', field: 'latitude' });
  });

  test('a contact card arrives with a name that needs escaping, its company and its number on WhatsApp', async () => {
    const id = await send('contact', {
      contact: {
        display_name: 'Support; sales, and\\or "help"',
        organization: 'Example, Inc.',
        phones: [{ number: '+1 555 000-2222', phone_type: 'WORK' }],
      },
    });
    const received = await receivedBy(paired, { by: contact, id });
    assert.equal(at(received, 'type'), 'contact');
    assert.deepEqual(at(received, 'contacts'), [
      { display_name: 'Support; sales, and\\or "help"', phones: ['15550002222'] },
    ]);
    const vcard = String(at(received, 'raw', 'contactMessage', 'vcard'));
    assert.match(vcard, /^ORG:Example\\, Inc\.$/m);
    assert.match(vcard, /^FN:Support\\; sales\\, and\\\\or "help"$/m);
    assert.match(vcard, /^TEL;type=WORK;type=VOICE;waid=15550002222:\+15550002222$/m);
  });

  test('several contact cards arrive in one message', async () => {
    const cards = ['One', 'Two'].map((name) => ({ display_name: name, phones: [{ number: '15550002222' }] }));
    const received = await receivedBy(paired, { by: contact, id: await send('contact', { contacts: cards }) });
    const contacts = at(received, 'contacts');
    assert.deepEqual(Array.isArray(contacts) && contacts.map((each) => at(each, 'display_name')), ['One', 'Two']);
  });

  test('a contact without cards, or with both forms of them, is refused by its field', async () => {
    const card = { display_name: 'One', phones: [{ number: '15550002222' }] };
    const expected = { status: 400, type: 'invalid_request', field: 'contact' };
    assert.deepEqual(await refusal('contact', { to: contact }), expected);
    assert.deepEqual(await refusal('contact', { to: contact, contact: card, contacts: [card] }), expected);
  });

  test('a poll arrives with its question and options', async () => {
    const id = await send('poll', { question: 'Lunch?', options: ['Yes', 'No', 'Later'], selectable: 0 });
    const received = await receivedBy(paired, { by: contact, id });
    assert.equal(at(received, 'type'), 'poll');
    assert.deepEqual(at(received, 'poll'), { question: 'Lunch?', options: ['Yes', 'No', 'Later'], selectable: 0 });
  });

  test('a poll with options that are the same, or with one only, is refused by its field', async () => {
    const expected = { status: 400, type: 'invalid_request', field: 'options' };
    assert.deepEqual(await refusal('poll', { to: contact, question: 'Lunch?', options: ['Yes', 'Yes'] }), expected);
    assert.deepEqual(await refusal('poll', { to: contact, question: 'Lunch?', options: ['Yes'] }), expected);
  });

  test('a reply quotes a message of the chat, whoever wrote it', async () => {
    const written = String(
      at(await paired.ask('/sandbox/messages', { from: contact, text: 'A question' }), 'message_id'),
    );
    await paired.event('message', (data) => at(data, 'message_id') === written);
    const reply = await receivedBy(paired, {
      by: contact,
      id: await send('text', { text: 'An answer', reply_to: written }),
    });
    assert.equal(at(reply, 'quoted_id'), written);
    assert.equal(at(reply, 'raw', 'extendedTextMessage', 'contextInfo', 'quotedMessage', 'conversation'), 'A question');
    const own = await receivedBy(paired, {
      by: contact,
      id: await send('location', { latitude: 1, longitude: 2, reply_to: at(reply, 'message_id') }),
    });
    assert.equal(at(own, 'quoted_id'), at(reply, 'message_id'));
  });

  test('a reply to an unknown message, or to one of another chat, is refused', async () => {
    const expected = { status: 404, type: 'message_not_found', field: 'reply_to' };
    assert.deepEqual(await refusal('text', { to: contact, text: 'Hm', reply_to: '3EB0FFFFFFFFFFFFFFFF' }), expected);
    const elsewhere = await paired.ask('/sandbox/messages', { from: '15557654321', text: 'Another chat' });
    await paired.event('message', (data) => at(data, 'message_id') === at(elsewhere, 'message_id'));
    assert.deepEqual(
      await refusal('text', { to: contact, text: 'Hm', reply_to: at(elsewhere, 'message_id') }),
      expected,
    );
  });

  test('people are mentioned in a chat of two, everybody only in groups', async () => {
    const text = `Ask @${ownPhone}`;
    const received = await receivedBy(paired, {
      by: contact,
      id: await send('text', { text, mentions: [`+${ownPhone}`] }),
    });
    assert.deepEqual(at(received, 'mentions'), [`${ownPhone}@s.whatsapp.net`]);
    assert.equal(at(received, 'text'), text);
    const answer = await refusal('text', { to: contact, text: 'Hey', mentions: 'all' });
    assert.deepEqual(answer, { status: 400, type: 'invalid_request', field: 'mentions' });
  });

  test('a message disappears when it is asked to, and as the chat does otherwise', async () => {
    const asked = await receivedBy(paired, {
      by: contact,
      id: await send('text', { text: 'Soon gone', ephemeral_seconds: 86_400 }),
    });
    assert.equal(at(asked, 'ephemeral_seconds'), 86_400);
    assert.equal(
      at(await receivedBy(paired, { by: contact, id: await send('text', { text: 'Stays' }) }), 'ephemeral_seconds'),
      undefined,
    );
    const written = await paired.ask('/sandbox/messages', {
      from: contact,
      text: 'Disappearing',
      ephemeral_seconds: 604_800,
    });
    const event = await paired.event('message', (data) => at(data, 'message_id') === at(written, 'message_id'));
    assert.equal(at(event, 'ephemeral'), 604_800);
    const kept = await receivedBy(paired, { by: contact, id: await send('text', { text: 'As the chat does' }) });
    assert.equal(at(kept, 'ephemeral_seconds'), 604_800);
    const off = await receivedBy(paired, {
      by: contact,
      id: await send('text', { text: 'Stays', ephemeral_seconds: 0 }),
    });
    assert.equal(at(off, 'ephemeral_seconds'), undefined);
  });

  test('nobody gets what is sent to a number that is not on WhatsApp', async () => {
    for (const [kind, body] of [
      ['location', { latitude: 1, longitude: 2 }],
      ['poll', { question: 'Anybody?', options: ['Yes', 'No'] }],
      ['contact', { contact: { display_name: 'One', phones: [{ number: '15550002222' }] } }],
    ] as const) {
      assert.equal((await refusal(kind, { to: stranger, ...body })).type, 'recipient_not_on_whatsapp');
    }
  });

  test('what WhatsApp refuses is told with its code', async () => {
    await paired.fault({ fault: 'refuse_send', code: 479, count: 1 });
    const answer = await paired.post('/messages/poll', { to: contact, question: 'Now?', options: ['Yes', 'No'] });
    assert.equal(answer.status, 502);
    assert.equal(errorOf(answer), 'whatsapp_refused');
    assert.equal(at(answer.json, 'error', 'details', 0, 'received'), '479');
    await paired.event('message_failed', (data) => at(data, 'code') === '479');
  });
});
