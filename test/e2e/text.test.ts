import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { Webhook } from 'standardwebhooks';
import { at } from '../support/api-client.ts';
import { eventually } from '../support/eventually.ts';
import { GatewayUnderTest, inbox, pairedSession, requireCleanOracle } from '../support/gateway.ts';
import { startHttpReceiver, type HttpReceiver, type ReceivedRequest } from '../support/http-receiver.ts';

const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const contact = '15551234567';

describe('text messages', () => {
  let gateway: GatewayUnderTest;
  let receiver: HttpReceiver;

  before(async () => {
    gateway = await GatewayUnderTest.start({ env: { SEND_TIMEOUT_MS: '3000' } });
    receiver = await startHttpReceiver();
    await pairedSession(gateway, 'support', { phone: '15550001111', webhook: { url: receiver.url, secret } });
    await gateway.must(201, '/sessions/support/sandbox/contacts', {
      phone: contact,
      name: 'First contact',
      behaviour: 'delivers',
    });
  });

  after(async () => {
    try {
      await requireCleanOracle(gateway, 'support');
    } finally {
      await gateway.dispose();
      await receiver.close();
    }
  });

  const event = (name: string, matches: (data: unknown) => boolean): Promise<ReceivedRequest> =>
    eventually(
      () => receiver.requests.find(({ json }) => at(json, 'event') === name && matches(at(json, 'data'))),
      15_000,
      () => receiver.requests.map(({ json }) => json),
    );

  test('a text reaches the contact, who decrypts it, and a copy reaches the own phone', async () => {
    const sent = await gateway.must(200, '/sessions/support/messages/text', {
      to: '+1 555 123-4567',
      text: 'Hello from Warden',
    });
    assert.equal(at(sent, 'status'), 'sent');
    assert.equal(at(sent, 'to'), `${contact}@s.whatsapp.net`);
    const id = at(sent, 'message_id');
    const received = await eventually(async () =>
      (await inbox(gateway, 'support', contact)).find((each) => at(each, 'message_id') === id),
    );
    assert.equal(at(received, 'text'), 'Hello from Warden');
    const copy = await eventually(async () =>
      (await inbox(gateway, 'support', '15550001111')).find((each) => at(each, 'message_id') === id),
    );
    assert.equal(at(copy, 'text'), 'Hello from Warden');
    assert.equal(at(copy, 'chat'), `${contact}@s.whatsapp.net`);
  });

  test('a text from a contact reaches the webhook with signatures that verify', async () => {
    const written = await gateway.must(201, '/sessions/support/sandbox/messages', {
      from: contact,
      text: 'Hi, are you there?',
    });
    const request = await event('message', (data) => at(data, 'message_id') === at(written, 'message_id'));
    assert.deepEqual(
      { ...Object(at(request.json, 'data')), timestamp: 0, from_lid: 'x' },
      {
        from: `${contact}@s.whatsapp.net`,
        chat: `${contact}@s.whatsapp.net`,
        message_id: at(written, 'message_id'),
        timestamp: 0,
        type: 'text',
        body: 'Hi, are you there?',
        is_from_me: false,
        is_group: false,
        participant: null,
        from_phone: contact,
        from_lid: 'x',
        push_name: 'First contact',
        caption: null,
        quoted: null,
        mentions: [],
        media: null,
        location: null,
        contacts: null,
        poll: null,
        view_once: false,
        forwarded: false,
        ephemeral: null,
        backfilled: false,
      },
    );
    assert.match(String(at(request.json, 'data', 'from_lid')), /^\d+@lid$/);
    const hex = createHmac('sha256', secret).update(request.body).digest('hex');
    assert.equal(request.headers['x-signature'], hex);
    assert.equal(request.headers['x-webhook-signature'], `sha256=${hex}`);
    assert.deepEqual(new Webhook(secret).verify(request.body, request.headers), request.json);
  });

  test('delivered and read receipts arrive as events', async () => {
    const sent = await gateway.must(200, '/sessions/support/messages/text', { to: contact, text: 'Did you get this?' });
    const id = String(at(sent, 'message_id'));
    const isAbout = (status: string) => (data: unknown) => {
      const ids = at(data, 'message_ids');
      return Array.isArray(ids) && ids.includes(id) && at(data, 'status') === status;
    };
    const delivered = await event('receipt', isAbout('delivered'));
    assert.equal(at(delivered.json, 'data', 'chat'), `${contact}@s.whatsapp.net`);
    await gateway.must(200, '/sessions/support/sandbox/receipts', { message_id: id, type: 'read' });
    await event('receipt', isAbout('read'));
  });

  test('a reply quotes the message that it answers', async () => {
    const written = await gateway.must(201, '/sessions/support/sandbox/messages', {
      from: contact,
      text: 'A question',
    });
    const quotedId = String(at(written, 'message_id'));
    await event('message', (data) => at(data, 'message_id') === quotedId);
    const sent = await gateway.must(200, '/sessions/support/messages/text', {
      to: contact,
      text: 'An answer',
      reply_to: quotedId,
    });
    const received = await eventually(async () =>
      (await inbox(gateway, 'support', contact)).find((each) => at(each, 'message_id') === at(sent, 'message_id')),
    );
    assert.equal(at(received, 'quoted_id'), quotedId);
  });

  test('a reply of the contact tells what it quotes', async () => {
    const sent = await gateway.must(200, '/sessions/support/messages/text', { to: contact, text: 'Choose one' });
    const written = await gateway.must(201, '/sessions/support/sandbox/messages', {
      from: contact,
      text: 'The first',
      quoted_id: at(sent, 'message_id'),
    });
    const request = await event('message', (data) => at(data, 'message_id') === at(written, 'message_id'));
    assert.equal(at(request.json, 'data', 'quoted', 'message_id'), at(sent, 'message_id'));
    assert.equal(at(request.json, 'data', 'quoted', 'body'), 'Choose one');
  });

  test('what the account writes on its own phone is told as its own', async () => {
    const written = await gateway.must(201, '/sessions/support/sandbox/messages', {
      from: 'phone',
      to: contact,
      text: 'From my pocket',
    });
    const request = await event('message', (data) => at(data, 'message_id') === at(written, 'message_id'));
    assert.equal(at(request.json, 'data', 'is_from_me'), true);
    assert.equal(at(request.json, 'data', 'chat'), `${contact}@s.whatsapp.net`);
    assert.equal(at(request.json, 'data', 'from'), '15550001111@s.whatsapp.net');
  });

  test('a number that is not on WhatsApp is refused before anything is sent', async () => {
    const answer = await gateway.post('/sessions/support/messages/text', { to: '+15559999999', text: 'Anybody?' });
    assert.equal(answer.status, 404);
    assert.equal(at(answer.json, 'error', 'type'), 'recipient_not_on_whatsapp');
  });

  test('a refusal of WhatsApp is passed on with its code', async () => {
    await gateway.must(200, '/sessions/support/sandbox/faults', { fault: 'refuse_send', code: 463, count: 1 });
    const answer = await gateway.post('/sessions/support/messages/text', { to: contact, text: 'Too much' });
    assert.equal(answer.status, 502);
    assert.equal(at(answer.json, 'error', 'type'), 'whatsapp_refused');
    assert.equal(at(answer.json, 'error', 'details', 0, 'received'), '463');
  });

  test('a message that WhatsApp does not acknowledge in time is pending', async () => {
    await gateway.must(200, '/sessions/support/sandbox/faults', { fault: 'drop_acks', count: 1 });
    const answer = await gateway.post('/sessions/support/messages/text', { to: contact, text: 'Hm?' });
    assert.equal(answer.status, 202);
    assert.equal(at(answer.json, 'status'), 'pending');
    await gateway.api.call('DELETE', '/api/v1/sessions/support/sandbox/faults');
  });

  test('an id of the caller is used, and taken afterwards', async () => {
    const body = { to: contact, text: 'Mine', message_id: '3EB0AAAABBBBCCCCDDDD' };
    const sent = await gateway.must(200, '/sessions/support/messages/text', body);
    assert.equal(at(sent, 'message_id'), body.message_id);
    const again = await gateway.post('/sessions/support/messages/text', body);
    assert.equal(again.status, 409);
    assert.equal(at(again.json, 'error', 'type'), 'message_id_taken');
  });

  test('a session that is not connected refuses a send with a reason', async () => {
    await gateway.must(201, '/sessions', { id: 'idle', sandbox: true, auto_connect: false });
    const answer = await gateway.post('/sessions/idle/messages/text', { to: contact, text: 'Nobody home' });
    assert.equal(answer.status, 503);
    assert.equal(at(answer.json, 'error', 'type'), 'session_not_connected');
  });
});
