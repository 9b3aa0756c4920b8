import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { at } from '../support/api-client.ts';
import { mp4 } from '../support/media-files.ts';
import { sha256Hex } from '../support/media-forms.ts';
import { contact, startMediaSession, type MediaSession } from '../support/media-session.ts';

const path = '/sessions/support/messages/video';
const clip = mp4({ seconds: 7, width: 640, height: 360 });
const base64 = clip.toString('base64');

describe('videos', () => {
  let session: MediaSession;
  before(async () => {
    session = await startMediaSession();
  });
  after(() => session.dispose());

  const send = async (fields: Readonly<Record<string, unknown>>): Promise<unknown> =>
    session.received(await session.gateway.must(200, path, { to: contact, base64, ...fields }));

  test('reach the contact with caption, length and size', async () => {
    const message = await send({ caption: 'A clip' });
    assert.equal(at(message, 'type'), 'video');
    assert.equal(at(message, 'caption'), 'A clip');
    assert.equal(at(message, 'media', 'sha256'), sha256Hex(clip));
    assert.equal(at(message, 'media', 'mimetype'), 'video/mp4');
    assert.equal(at(message, 'media', 'seconds'), 7);
    assert.equal(at(message, 'raw', 'videoMessage', 'width'), 640);
  });

  test('play in a loop as a GIF', async () => {
    assert.equal(at(await send({ gif: true }), 'raw', 'videoMessage', 'gifPlayback'), true);
  });

  test('can be round video notes', async () => {
    const message = await send({ ptv: true, caption: 'not shown' });
    assert.equal(at(message, 'raw', 'ptvMessage', 'seconds'), 7);
    assert.equal(at(message, 'media', 'sha256'), sha256Hex(clip));
  });

  test('can be opened once only', async () => {
    assert.equal(at(await send({ view_once: true }), 'view_once'), true);
  });

  test('of a kind that phones do not play are refused with what is possible', async () => {
    const webm = Buffer.concat([Buffer.from('1a45dfa3', 'hex'), Buffer.from('webm'), Buffer.alloc(50)]);
    const answer = await session.gateway.post(path, { to: contact, base64: webm.toString('base64') });
    assert.equal(answer.status, 422);
    assert.equal(at(answer.json, 'error', 'type'), 'media_type_not_supported');
    assert.match(String(at(answer.json, 'error', 'details', 0, 'expected')), /MP4/);
  });

  test('that are declared as something else are refused', async () => {
    const answer = await session.gateway.post(path, { to: contact, base64, mimetype: 'image/png' });
    assert.equal(answer.status, 422);
    assert.equal(at(answer.json, 'error', 'details', 0, 'field'), 'mimetype');
  });
});
