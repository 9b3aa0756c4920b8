import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { at } from '../support/api-client.ts';
import { GatewayUnderTest, token, untilConnected } from '../support/gateway.ts';
import { runShell } from '../support/shell.ts';

const base = 'http://localhost:3451/api/v1';
/** A PNG of one pixel. */
const pixel = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==';

/** What WA-RS has published, command by command, as its users have it in their scripts. */
const commands = {
  'lists sessions': `curl -X GET -H "Authorization: Bearer YOUR_JWT_TOKEN" ${base}/sessions`,
  'gets a session': `curl -H "Authorization: Bearer YOUR_JWT_TOKEN" ${base}/sessions/my-session`,
  'gets the status': `curl -H "Authorization: Bearer YOUR_JWT_TOKEN" ${base}/sessions/my-session/status`,
  'gets the device': `curl -H "Authorization: Bearer YOUR_JWT_TOKEN" ${base}/sessions/my-session/device`,
  'sends a text': post('messages/text', { to: '628123456789', text: 'Hello!' }),
  'sends an image': post('messages/image', { to: '628123456789', base64: pixel, caption: 'Check this out!' }),
  'sends an image in the form with a media object': post('messages/image', {
    to: '628123456789',
    media: { base64: pixel, mimetype: 'image/png' },
    caption: 'Check this out!',
  }),
  'sends a document': post('messages/document', { to: '628123456789', base64: pixel, filename: 'report.png' }),
  'sends a sticker': post('messages/sticker', { to: '628123456789', base64: pixel }),
  'sends a location': post('messages/location', {
    to: '628123456789',
    latitude: -6.2088,
    longitude: 106.8456,
    name: 'Jakarta',
    address: 'Jakarta, Indonesia',
  }),
  'sends a contact': post('messages/contact', {
    to: '628123456789',
    contact: { display_name: 'Somebody', phones: [{ number: '+628123456789', phone_type: 'CELL' }] },
  }),
  'edits a message': post('messages/edit', { to: '628123456789', message_id: 'SENT_ID', text: 'Edited message text' }),
  'reacts to a message': post('messages/react', { to: '628123456789', message_id: 'SENT_ID', emoji: '👍' }),
  'checks numbers': post('contacts/check', { phones: ['628123456789', '628987654321'] }),
  'gets contact info': post('contacts/info', { jid: '628123456789@s.whatsapp.net' }),
  'gets users': post('contacts/users', { jids: ['628123456789@s.whatsapp.net'] }),
  'lists groups': `curl -H "Authorization: Bearer YOUR_JWT_TOKEN" ${base}/sessions/my-session/groups`,
  'sets its presence': post('presence/set', { status: 'available' }),
  'sends a chat state': post('chatstate/send', { to: '628123456789@s.whatsapp.net', state: 'composing' }),
  'shows typing': post('chatstate/typing', { to: '628123456789@s.whatsapp.net', duration: 3000 }),
  'lists blocked contacts': `curl -H "Authorization: Bearer YOUR_JWT_TOKEN" ${base}/sessions/my-session/blocking/list`,
  'blocks a contact': post('blocking/block', { jid: '628123456789@s.whatsapp.net' }),
  'checks whether a contact is blocked': `curl -H "Authorization: Bearer YOUR_JWT_TOKEN" ${base}/sessions/my-session/blocking/check/628123456789@s.whatsapp.net`,
  'unblocks a contact': post('blocking/unblock', { jid: '628123456789@s.whatsapp.net' }),
  'uploads media': `printf '%s' '${pixel}' | base64 -d > image.png
curl -X POST ${base}/sessions/my-session/media/upload -H "Authorization: Bearer YOUR_JWT_TOKEN" -F "file=@image.png" -F "media_type=image"`,
  'registers a webhook': post('webhooks', {
    url: 'https://example.com/webhook',
    events: ['message', 'connected', 'disconnected'],
    secret: 'your-webhook-secret',
  }),
  'lists webhooks': `curl -H "Authorization: Bearer YOUR_JWT_TOKEN" ${base}/sessions/my-session/webhooks`,
  disconnects: post('disconnect', {}),
  connects: post('connect', {}),
  'deletes the session': `curl -X DELETE -H "Authorization: Bearer YOUR_JWT_TOKEN" ${base}/sessions/my-session`,
} as const;

describe('a command that WA-RS has published', () => {
  let gateway: GatewayUnderTest;
  let sentId = '';

  before(async () => {
    gateway = await GatewayUnderTest.start();
    const created = await shell(
      `curl -X POST -H "Authorization: Bearer YOUR_JWT_TOKEN" -H "Content-Type: application/json" -d '{"id": "my-session", "name": "My Account", "sandbox": true}' ${base}/sessions`,
    );
    assert.equal(at(created, 'session', 'id'), 'my-session');
    await gateway.must(200, '/sessions/my-session/sandbox/scan', { phone: '628111222333' });
    await untilConnected(gateway, 'my-session');
    for (const phone of ['628123456789', '628987654321']) {
      await gateway.must(201, '/sessions/my-session/sandbox/contacts', { phone });
    }
    const sent = await gateway.must(200, '/sessions/my-session/messages/text', { to: '628123456789', text: 'First' });
    sentId = String(at(sent, 'message_id'));
  });

  after(() => gateway.dispose());

  const shell = async (command: string): Promise<unknown> => {
    const script = command
      .replaceAll('http://localhost:3451', gateway.baseUrl)
      .replaceAll('YOUR_JWT_TOKEN', token)
      .replaceAll('SENT_ID', sentId);
    return JSON.parse(await runShell(script));
  };

  for (const [what, command] of Object.entries(commands)) {
    test(what, async () => {
      const answer = await shell(command);
      assert.equal(at(answer, 'error'), undefined, JSON.stringify(answer));
    });
  }
});

function post(route: string, body: object): string {
  return `curl -X POST ${base}/sessions/my-session/${route} -H "Authorization: Bearer YOUR_JWT_TOKEN" -H "Content-Type: application/json" -d '${JSON.stringify(body)}'`;
}
