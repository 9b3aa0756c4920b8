import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import { after, before, describe, test } from 'node:test';
import { at } from '../support/api-client.ts';
import { eventually } from '../support/eventually.ts';
import { GatewayUnderTest, inbox, pairedSession, requireCleanOracle } from '../support/gateway.ts';
import { jpeg, oggOpus, png } from '../support/media-files.ts';
import { postForm, sha256Hex } from '../support/media-forms.ts';

const contact = '15551234567';
const path = '/sessions/support/messages/image';

describe('images', () => {
  let gateway: GatewayUnderTest;
  let files: Server;
  let filesUrl: string;
  let picture: Buffer;

  before(async () => {
    picture = await png(640, 480);
    files = createServer((request, response) => {
      if (request.url === '/picture.png') response.writeHead(200, { 'content-type': 'image/png' }).end(picture);
      else response.writeHead(404).end('not here');
    });
    await new Promise<void>((resolve) => files.listen(0, '127.0.0.1', resolve));
    const address = files.address();
    filesUrl = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
    gateway = await GatewayUnderTest.start({
      env: { OUTBOUND_ALLOW_CIDR: '127.0.0.1/32', MEDIA_MAX_IMAGE_MB: '1', SEND_TIMEOUT_MS: '5000' },
    });
    await pairedSession(gateway, 'support', { phone: '15550001111' });
    await gateway.must(201, '/sessions/support/sandbox/contacts', { phone: contact });
  });

  after(async () => {
    try {
      await requireCleanOracle(gateway, 'support');
    } finally {
      await gateway.dispose();
      await new Promise((resolve) => files.close(resolve));
    }
  });

  const received = async (sent: unknown): Promise<unknown> => {
    const id = at(sent, 'message_id');
    return eventually(async () =>
      (await inbox(gateway, 'support', contact)).find((each) => at(each, 'message_id') === id),
    );
  };

  test('as base64 reach the contact unchanged, with caption, size and preview', async () => {
    const base64 = `data:image/png;base64,${picture.toString('base64')}`;
    const sent = await gateway.must(200, path, { to: contact, base64, caption: 'A picture' });
    const message = await received(sent);
    assert.equal(at(message, 'type'), 'image');
    assert.equal(at(message, 'caption'), 'A picture');
    assert.equal(at(message, 'media', 'sha256'), sha256Hex(picture));
    assert.equal(at(message, 'media', 'mimetype'), 'image/png');
    assert.equal(at(message, 'media', 'failure'), null);
    assert.equal(at(message, 'raw', 'imageMessage', 'width'), 640);
    assert.equal(at(message, 'raw', 'imageMessage', 'height'), 480);
    assert.ok(String(at(message, 'raw', 'imageMessage', 'jpegThumbnail')).length > 100);
  });

  test('by url are fetched by the gateway', async () => {
    const sent = await gateway.must(200, path, { to: contact, url: `${filesUrl}/picture.png` });
    assert.equal(at(await received(sent), 'media', 'sha256'), sha256Hex(picture));
  });

  test('by url that does not answer with a file name what came', async () => {
    const answer = await gateway.post(path, { to: contact, url: `${filesUrl}/missing.png` });
    assert.equal(answer.status, 422);
    assert.equal(at(answer.json, 'error', 'type'), 'media_unreachable');
    assert.equal(at(answer.json, 'error', 'details', 0, 'received'), '404');
  });

  test('by url into the private network of the gateway are refused', async () => {
    for (const url of ['http://127.0.0.2:8080/a.png', 'http://169.254.169.254/latest', 'http://[::1]:3000/a.png']) {
      const answer = await gateway.post(path, { to: contact, url });
      assert.equal(answer.status, 400, url);
      assert.equal(at(answer.json, 'error', 'details', 0, 'field'), 'url');
    }
  });

  test('as multipart reach the contact, their fields read by the schema', async () => {
    const answer = await postForm(gateway, path, {
      fields: { to: contact, caption: 'From a form', view_once: 'true' },
      file: { blob: new Blob([new Uint8Array(picture)], { type: 'image/png' }), name: 'picture.png' },
    });
    assert.equal(answer.status, 200, JSON.stringify(answer.json));
    const message = await received(answer.json);
    assert.equal(at(message, 'caption'), 'From a form');
    assert.equal(at(message, 'view_once'), true);
    assert.equal(at(message, 'media', 'sha256'), sha256Hex(picture));
  });

  test('as multipart with a wrong field or file name tell its name', async () => {
    const file = { blob: new Blob([new Uint8Array(picture)]), name: 'picture.png' };
    const wrong = await postForm(gateway, path, { fields: { to: contact, view_once: 'perhaps' }, file });
    assert.equal(wrong.status, 400);
    assert.equal(at(wrong.json, 'error', 'details', 0, 'field'), 'view_once');
    const nothing = await postForm(gateway, path, { fields: { to: contact } });
    assert.equal(nothing.status, 400);
    assert.match(
      String(at(nothing.json, 'error', 'message')),
      /exactly one of url, base64, media_id or a multipart file/,
    );
  });

  test('answer a message of the chat', async () => {
    const first = await gateway.must(200, '/sessions/support/messages/text', { to: contact, text: 'Which one?' });
    const sent = await gateway.must(200, path, {
      to: contact,
      base64: (await jpeg(10, 10)).toString('base64'),
      reply_to: at(first, 'message_id'),
    });
    assert.equal(at(await received(sent), 'quoted_id'), at(first, 'message_id'));
  });

  test('from no source or from two name the fields', async () => {
    const none = await gateway.post(path, { to: contact });
    assert.equal(none.status, 400);
    const two = await gateway.post(path, { to: contact, base64: 'AAAA', url: 'https://example.com/a.png' });
    assert.equal(two.status, 400);
    assert.deepEqual(
      [at(two.json, 'error', 'details', 0, 'field'), at(two.json, 'error', 'details', 1, 'field')],
      ['url', 'base64'],
    );
  });

  test('that are none, or larger than the limit, are refused', async () => {
    const sound = await gateway.post(path, { to: contact, base64: oggOpus([100]).toString('base64') });
    assert.equal(sound.status, 422);
    assert.equal(at(sound.json, 'error', 'type'), 'media_type_not_supported');
    const large = Buffer.concat([picture, Buffer.alloc(1_200_000)]).toString('base64');
    const answer = await gateway.post(path, { to: contact, base64: large });
    assert.equal(answer.status, 413);
    assert.equal(at(answer.json, 'error', 'type'), 'media_too_large');
  });

  test('cannot be sent while the media servers are down, and nothing arrives late', async () => {
    await gateway.must(200, '/sessions/support/sandbox/faults', { fault: 'media_down' });
    const answer = await gateway.post(path, { to: contact, base64: picture.toString('base64') });
    assert.equal(answer.status, 502, answer.text);
    assert.equal(at(answer.json, 'error', 'type'), 'media_upload_failed');
    await gateway.delete('/sessions/support/sandbox/faults');
    await gateway.must(200, path, { to: contact, base64: picture.toString('base64') });
  });

  test('to a number that is not on WhatsApp are not uploaded', async () => {
    const answer = await gateway.post(path, { to: '+15559999999', base64: picture.toString('base64') });
    assert.equal(answer.status, 404);
    assert.equal(at(answer.json, 'error', 'type'), 'recipient_not_on_whatsapp');
  });

  test('that WhatsApp refuses tell its code', async () => {
    await gateway.must(200, '/sessions/support/sandbox/faults', { fault: 'refuse_send', code: 463, count: 1 });
    const answer = await gateway.post(path, { to: contact, base64: picture.toString('base64') });
    assert.equal(answer.status, 502);
    assert.equal(at(answer.json, 'error', 'details', 0, 'received'), '463');
  });

  test('of a session that is not connected are refused before anything is fetched', async () => {
    await gateway.must(201, '/sessions', { id: 'idle', sandbox: true, auto_connect: false });
    const answer = await gateway.post('/sessions/idle/messages/image', { to: contact, base64: 'AAAA' });
    assert.equal(answer.status, 503);
    assert.equal(at(answer.json, 'error', 'type'), 'session_not_connected');
  });
});
