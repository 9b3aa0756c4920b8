import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { at } from '../support/api-client.ts';
import { pairedSession } from '../support/gateway.ts';
import { oggOpus, png } from '../support/media-files.ts';
import { postForm, sha256Hex } from '../support/media-forms.ts';
import { contact, startMediaSession, type MediaSession } from '../support/media-session.ts';

const upload = '/sessions/support/media/upload';

describe('media that is uploaded once', () => {
  let session: MediaSession;
  let picture: Buffer;
  before(async () => {
    session = await startMediaSession();
    picture = await png(64, 48);
  });
  after(() => session.dispose());

  test('can be sent many times, from any session, and says where it lies', async () => {
    const { gateway } = session;
    const answer = await postForm(gateway, upload, {
      fields: {},
      file: { blob: new Blob([new Uint8Array(picture)], { type: 'image/png' }), name: 'picture.png' },
    });
    assert.equal(answer.status, 201, JSON.stringify(answer.json));
    assert.match(String(at(answer.json, 'media_id')), /^med_/);
    assert.equal(at(answer.json, 'media_type'), 'image');
    assert.equal(at(answer.json, 'mimetype'), 'image/png');
    assert.equal(at(answer.json, 'file_length'), picture.length);
    assert.equal(Buffer.from(String(at(answer.json, 'file_sha256')), 'base64').toString('hex'), sha256Hex(picture));
    assert.equal(Buffer.from(String(at(answer.json, 'media_key')), 'base64').length, 32);

    const media = { media_id: at(answer.json, 'media_id') };
    for (const caption of ['First', 'Second']) {
      const sent = await gateway.must(200, '/sessions/support/messages/image', { to: contact, ...media, caption });
      const message = await session.received(sent);
      assert.equal(at(message, 'caption'), caption);
      assert.equal(at(message, 'media', 'sha256'), sha256Hex(picture));
    }
    await pairedSession(gateway, 'sales', { phone: '15550002222' });
    const sent = await gateway.must(200, '/sessions/sales/messages/image', { to: contact, ...media });
    assert.equal(at(sent, 'status'), 'sent');
  });

  test('as a voice note is sent as one later', async () => {
    const base64 = oggOpus(Array.from({ length: 100 }, () => 80)).toString('base64');
    const uploaded = await session.gateway.must(201, upload, { base64 });
    assert.equal(at(uploaded, 'media_type'), 'audio');
    const sent = await session.gateway.must(200, '/sessions/support/messages/audio', {
      to: contact,
      media_id: at(uploaded, 'media_id'),
      ptt: true,
    });
    assert.equal(at(await session.received(sent), 'media', 'ptt'), true);
  });

  test('of one kind is not sent as another, and an unknown id is not found', async () => {
    const uploaded = await session.gateway.must(201, upload, {
      base64: picture.toString('base64'),
      media_type: 'document',
      filename: 'a.png',
    });
    assert.equal(at(uploaded, 'media_type'), 'document');
    const media = { media_id: at(uploaded, 'media_id') };
    const wrong = await session.gateway.post('/sessions/support/messages/image', { to: contact, ...media });
    assert.equal(wrong.status, 422);
    assert.equal(at(wrong.json, 'error', 'details', 0, 'field'), 'media_id');
    await session.gateway.must(200, '/sessions/support/messages/document', { to: contact, ...media });
    const unknown = await session.gateway.post('/sessions/support/messages/image', {
      to: contact,
      media_id: 'med_unknown',
    });
    assert.equal(unknown.status, 404);
    assert.equal(at(unknown.json, 'error', 'type'), 'media_not_found');
  });

  test('needs exactly one source, a connected session, and a media server that takes it', async () => {
    const { gateway } = session;
    assert.equal((await gateway.post(upload, {})).status, 400);
    await gateway.must(201, '/sessions', { id: 'idle', sandbox: true, auto_connect: false });
    const idle = await gateway.post('/sessions/idle/media/upload', { base64: picture.toString('base64') });
    assert.equal(at(idle.json, 'error', 'type'), 'session_not_connected');
    await gateway.must(200, '/sessions/support/sandbox/faults', { fault: 'media_down', code: 503 });
    const down = await gateway.post(upload, { base64: picture.toString('base64') });
    assert.equal(down.status, 502);
    assert.equal(at(down.json, 'error', 'type'), 'media_upload_failed');
    await gateway.delete('/sessions/support/sandbox/faults');
  });
});
