import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { operations } from '../../src/contract/index.ts';
import { fromPublishedForm } from '../../src/contract/published-forms.ts';

const to = '628123456789';

describe('the request forms that WA-RS published', () => {
  const forms = [
    ['sendText', { to, text: 'Hello!' }],
    ['sendImage', { to, media: { url: 'https://example.com/image.jpg' }, caption: 'Check this out!' }],
    ['sendImage', { to, media: { base64: '/9j/4AAQSkZJRg==', mimetype: 'image/jpeg' } }],
    ['sendVideo', { to, media: { url: 'https://example.com/video.mp4' } }],
    ['sendAudio', { to, media: { url: 'https://example.com/audio.mp3' }, ptt: true }],
    ['sendDocument', { to, media: { url: 'https://example.com/document.pdf' }, filename: 'report.pdf' }],
    ['sendSticker', { to, media: { url: 'https://example.com/sticker.webp' } }],
    ['sendContact', { to, contact: { name: 'Somebody', phones: [{ phone: '+628123456789', type: 'CELL' }] } }],
    ['editMessage', { message_id: '3EB0ABC123', chat: to, text: 'Edited' }],
    ['reactToMessage', { message_id: '3EB0ABC123', chat: to, emoji: '👍' }],
    ['deleteMessage', { to, message_id: '3EB0ABC123', original_sender: '628987654321@s.whatsapp.net' }],
    ['readMessages', { chat_jid: `${to}@s.whatsapp.net`, sender: to, message_ids: ['3EB0ABC123'] }],
    ['createGroup', { name: 'My New Group', participants: [`${to}@s.whatsapp.net`] }],
  ] as const;
  for (const [name, body] of forms) {
    test(`are accepted by ${name}: ${Object.keys(body).join(', ')}`, () => {
      const parsed = operations[name].params.safeParse(fromPublishedForm(name, body));
      assert.ok(parsed.success, parsed.success ? '' : JSON.stringify(parsed.error.issues));
    });
  }

  test('do not hide what is unknown, and our own form wins', () => {
    assert.deepEqual(fromPublishedForm('editMessage', { chat: 'a', to: 'b', other: 1 }), {
      chat: 'a',
      to: 'b',
      other: 1,
    });
    assert.deepEqual(fromPublishedForm('sendImage', { media: { url: 'a' }, url: 'b' }), { url: 'b' });
    assert.equal(fromPublishedForm('sendText', null), null);
    assert.deepEqual(fromPublishedForm('sendText', [1]), [1]);
  });
});
