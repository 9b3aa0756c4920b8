import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { at } from '../support/api-client.ts';
import { mp3, oggOpus, wav } from '../support/media-files.ts';
import { sha256Hex } from '../support/media-forms.ts';
import { contact, startMediaSession, type MediaSession } from '../support/media-session.ts';

const path = '/sessions/support/messages/audio';
const note = oggOpus(Array.from({ length: 150 }, (_, index) => 40 + index));

describe('audio', () => {
  let session: MediaSession;
  before(async () => {
    session = await startMediaSession();
  });
  after(() => session.dispose());

  const send = async (bytes: Buffer, fields: Readonly<Record<string, unknown>> = {}): Promise<unknown> =>
    session.received(
      await session.gateway.must(200, path, { to: contact, base64: bytes.toString('base64'), ...fields }),
    );

  test('as a voice note reaches the contact with its length and waveform', async () => {
    const message = await send(note, { ptt: true });
    assert.equal(at(message, 'type'), 'audio');
    assert.equal(at(message, 'media', 'ptt'), true);
    assert.equal(at(message, 'media', 'seconds'), 3);
    assert.equal(at(message, 'media', 'mimetype'), 'audio/ogg; codecs=opus');
    assert.equal(at(message, 'media', 'sha256'), sha256Hex(note));
    assert.equal(Buffer.from(String(at(message, 'raw', 'audioMessage', 'waveform')), 'base64').length, 64);
  });

  test('as a file has its length', async () => {
    const message = await send(mp3(400));
    assert.equal(at(message, 'media', 'ptt'), false);
    assert.equal(at(message, 'media', 'mimetype'), 'audio/mpeg');
    assert.equal(at(message, 'media', 'seconds'), 10);
  });

  test('can be heard once only', async () => {
    assert.equal(at(await send(note, { ptt: true, view_once: true }), 'view_once'), true);
  });

  test('of another format needs a converter, and the error says which', async () => {
    for (const [bytes, ptt] of [
      [mp3(400), true],
      [wav(1), false],
    ] as const) {
      const answer = await session.gateway.post(path, { to: contact, base64: bytes.toString('base64'), ptt });
      assert.equal(answer.status, 422);
      assert.equal(at(answer.json, 'error', 'type'), 'converter_missing');
      assert.match(String(at(answer.json, 'error', 'message')), /ffmpeg/);
    }
  });

  test('that is none is refused', async () => {
    const answer = await session.gateway.post(path, {
      to: contact,
      base64: Buffer.from('no sound').toString('base64'),
    });
    assert.equal(answer.status, 422);
    assert.equal(at(answer.json, 'error', 'type'), 'media_type_not_supported');
  });
});
