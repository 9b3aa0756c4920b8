import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import sharp from 'sharp';
import { at } from '../support/api-client.ts';
import { getFile } from '../support/media-forms.ts';
import { gif, mp4, png } from '../support/media-files.ts';
import { contact, startMediaSession, type MediaSession } from '../support/media-session.ts';

const path = '/sessions/support/messages/sticker';

describe('stickers', () => {
  let session: MediaSession;
  before(async () => {
    session = await startMediaSession();
  });
  after(() => session.dispose());

  test('are made of any picture', async () => {
    const { gateway } = session;
    const sent = await gateway.must(200, path, { to: contact, base64: (await png(300, 100)).toString('base64') });
    const message = await session.received(sent);
    assert.equal(at(message, 'type'), 'sticker');
    assert.equal(at(message, 'media', 'mimetype'), 'image/webp');
    assert.equal(at(message, 'media', 'failure'), null);
    const file = await getFile(gateway, `/api/v1/sessions/support/messages/${String(at(sent, 'message_id'))}/media`);
    const facts = await sharp(file.bytes).metadata();
    assert.deepEqual([facts.format, facts.width, facts.height], ['webp', 512, 512]);
  });

  test('that move are marked as such', async () => {
    const sent = await session.gateway.must(200, path, { to: contact, base64: (await gif(3)).toString('base64') });
    assert.equal(at(await session.received(sent), 'raw', 'stickerMessage', 'isAnimated'), true);
  });

  test('are not made of films', async () => {
    const base64 = mp4({ seconds: 1, width: 10, height: 10 }).toString('base64');
    const answer = await session.gateway.post(path, { to: contact, base64 });
    assert.equal(answer.status, 422);
    assert.equal(at(answer.json, 'error', 'type'), 'media_type_not_supported');
  });
});
