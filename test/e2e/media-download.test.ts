import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { request } from 'undici';
import { at } from '../support/api-client.ts';
import { eventually } from '../support/eventually.ts';
import { token } from '../support/gateway.ts';
import { startHttpReceiver, type HttpReceiver } from '../support/http-receiver.ts';
import { getFile } from '../support/media-forms.ts';
import { contact, startMediaSession, type MediaSession } from '../support/media-session.ts';

const faults = '/sessions/support/sandbox/faults';

describe('files of messages', () => {
  let session: MediaSession;
  let receiver: HttpReceiver;
  before(async () => {
    receiver = await startHttpReceiver();
    session = await startMediaSession(
      { MEDIA_DOWNLOAD_TIMEOUT_MS: '4000', QUERY_TIMEOUT_MS: '4000' },
      { url: receiver.url },
    );
  });
  after(async () => {
    await session.dispose();
    await receiver.close();
  });

  /** A contact writes with a file; answers what the webhook was told of it. */
  const write = async (
    bytes: Buffer,
    fields: Readonly<Record<string, unknown>> = {},
  ): Promise<{ id: string; url: string; data: unknown }> => {
    const written = await session.gateway.must(201, '/sessions/support/sandbox/messages', {
      from: contact,
      type: 'document',
      file: { base64: bytes.toString('base64') },
      ...fields,
    });
    const id = String(at(written, 'message_id'));
    const told = await eventually(
      () =>
        receiver.requests.find(({ json }) => at(json, 'event') === 'message' && at(json, 'data', 'message_id') === id),
      15_000,
      () => receiver.requests.map(({ json }) => json),
    );
    const data = at(told.json, 'data');
    return { id, url: String(at(data, 'media', 'url')), data };
  };

  test('are told with their type, name and size, and can be fetched by the path that is told', async () => {
    const bytes = randomBytes(100_000);
    const { url, data } = await write(bytes, {
      mimetype: 'application/pdf',
      file_name: 'Bericht "1".pdf',
      caption: 'Read this',
    });
    assert.equal(at(data, 'type'), 'document');
    assert.equal(at(data, 'caption'), 'Read this');
    assert.equal(at(data, 'media', 'mimetype'), 'application/pdf');
    assert.equal(at(data, 'media', 'file_name'), 'Bericht "1".pdf');
    assert.equal(at(data, 'media', 'file_length'), bytes.length);
    const file = await getFile(session.gateway, url);
    assert.equal(file.status, 200);
    assert.deepEqual(file.bytes, bytes);
    assert.equal(file.headers['content-type'], 'application/pdf');
    assert.equal(file.headers['content-length'], String(bytes.length));
    assert.match(String(file.headers['content-disposition']), /^attachment; filename="/);
    assert.equal(file.headers['x-content-type-options'], 'nosniff');
    assert.equal(file.headers['content-security-policy'], 'sandbox');
  });

  test('are given out as they were sent, for all kinds, and by POST as well', async () => {
    for (const type of ['image', 'video', 'audio', 'sticker']) {
      const bytes = randomBytes(5_000);
      const { id, url } = await write(bytes, { type });
      assert.deepEqual((await getFile(session.gateway, url)).bytes, bytes, type);
      const posted = await request(`${session.gateway.baseUrl}/api/v1/sessions/support/media/download`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify({ message_id: id }),
      });
      assert.deepEqual(Buffer.from(await posted.body.arrayBuffer()), bytes, type);
    }
  });

  test('of messages that the session sent can be fetched, too', async () => {
    const bytes = randomBytes(3_000);
    const sent = await session.gateway.must(200, '/sessions/support/messages/document', {
      to: contact,
      base64: bytes.toString('base64'),
    });
    const file = await getFile(
      session.gateway,
      `/api/v1/sessions/support/messages/${String(at(sent, 'message_id'))}/media`,
    );
    assert.deepEqual(file.bytes, bytes);
  });

  test('never run in the browser, whatever a stranger calls them', async () => {
    const { url } = await write(Buffer.from('<script>alert(1)</script>'), {
      mimetype: 'text/html\r\nx-evil: 1',
      file_name: 'a\r\nb.html',
    });
    const file = await getFile(session.gateway, url);
    assert.equal(file.headers['content-type'], 'application/octet-stream');
    assert.equal(file.headers['x-evil'], undefined);
    assert.match(String(file.headers['content-disposition']), /^attachment/);
  });

  test('that are asked for many times at once are downloaded once', async () => {
    const bytes = randomBytes(200_000);
    const { url } = await write(bytes);
    await session.gateway.must(200, faults, { fault: 'media_slow', delay_ms: 500 });
    const files = await Promise.all(Array.from({ length: 8 }, () => getFile(session.gateway, url)));
    for (const file of files) assert.deepEqual(file.bytes, bytes);
    // What is kept here needs no media server any more.
    await session.gateway.must(200, faults, { fault: 'media_down' });
    assert.deepEqual((await getFile(session.gateway, url)).bytes, bytes);
    await session.gateway.delete(faults);
  });

  test('that WhatsApp has forgotten are uploaded again by the phone', async () => {
    const bytes = randomBytes(20_000);
    const { id, url } = await write(bytes);
    await session.gateway.must(200, '/sessions/support/sandbox/media/expire', { message_id: id });
    assert.deepEqual((await getFile(session.gateway, url)).bytes, bytes);
  });

  test('that the phone does not have either are gone', async () => {
    const { id, url } = await write(randomBytes(1_000));
    await session.gateway.must(200, '/sessions/support/sandbox/media/expire', { message_id: id, from_phone: true });
    const answer = await session.gateway.api.call('GET', url);
    assert.equal(answer.status, 410);
    assert.equal(at(answer.json, 'error', 'type'), 'media_gone');
  });

  test('that were changed on the way are not given out', async () => {
    const { url } = await write(randomBytes(70_000));
    await session.gateway.must(200, faults, { fault: 'media_corrupt', count: 1 });
    const answer = await session.gateway.api.call('GET', url);
    assert.equal(answer.status, 502);
    assert.equal(at(answer.json, 'error', 'type'), 'media_damaged');
    assert.equal((await getFile(session.gateway, url)).status, 200);
  });

  test('that break off, or whose server is down or hangs, can be asked for again', async () => {
    const { url } = await write(randomBytes(300_000));
    for (const fault of [
      { fault: 'media_cut', count: 1 },
      { fault: 'media_down', count: 1 },
      { fault: 'media_down', count: 1, code: 503 },
      { fault: 'media_slow', delay_ms: 20_000, count: 1 },
    ]) {
      await session.gateway.must(200, faults, fault);
      const answer = await session.gateway.api.call('GET', url);
      assert.equal(answer.status, 502, JSON.stringify(fault));
      assert.equal(at(answer.json, 'error', 'type'), 'media_unavailable');
    }
    assert.equal((await getFile(session.gateway, url)).status, 200);
  });

  test('of unknown messages, and of messages without one, are not found', async () => {
    const unknown = await session.gateway.get('/sessions/support/messages/3EB0FFFFFFFF/media');
    assert.equal(unknown.status, 404);
    assert.equal(at(unknown.json, 'error', 'type'), 'message_not_found');
    const sent = await session.gateway.must(200, '/sessions/support/messages/text', { to: contact, text: 'no file' });
    const none = await session.gateway.get(`/sessions/support/messages/${String(at(sent, 'message_id'))}/media`);
    assert.equal(none.status, 404);
    assert.equal(at(none.json, 'error', 'type'), 'media_not_found');
  });

  test('of another session are not given out', async () => {
    const { id } = await write(randomBytes(100));
    await session.gateway.must(201, '/sessions', { id: 'other', sandbox: true, auto_connect: false });
    const answer = await session.gateway.get(`/sessions/other/messages/${id}/media`);
    assert.equal(at(answer.json, 'error', 'type'), 'message_not_found');
  });
});
