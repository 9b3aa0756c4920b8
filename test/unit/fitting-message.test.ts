import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { proto, unpadRandomMax16, type WAMessage } from '@whiskeysockets/baileys';
import { fittingMessage, keptPlaintext } from '../../src/child/engine/fitting-message.ts';

const key = { remoteJid: '15551234567@s.whatsapp.net', id: 'ABCD' };
const messageOf = (message: proto.IMessage, pushName = 'Ann'): WAMessage => ({ key, message, pushName });
const padded = (message: proto.IMessage): Uint8Array =>
  Buffer.concat([proto.Message.encode(proto.Message.fromObject(message)).finish(), Buffer.of(2, 2)]);

describe('a message of a stranger', () => {
  test('of any length that an application lets people write is left as it is', () => {
    const message = messageOf({ conversation: '😀'.repeat(32_768) });
    assert.equal(fittingMessage(message), message);
  });

  test('that is larger is cut, in a copy, and keeps what it is about', () => {
    const message = messageOf(
      {
        imageMessage: {
          caption: 'x'.repeat(500_000),
          mediaKey: new Uint8Array(32).fill(7),
          jpegThumbnail: new Uint8Array(500_000),
          contextInfo: { mentionedJid: Array.from({ length: 50_000 }, (_, index) => `${index}@s.whatsapp.net`) },
        },
      },
      'n'.repeat(5000),
    );
    const fitting = fittingMessage(message);
    const image = fitting.message?.imageMessage;
    assert.equal(image?.caption?.length, 65_536);
    assert.deepEqual(Buffer.from(image?.mediaKey ?? []), Buffer.alloc(32, 7));
    assert.equal(image?.jpegThumbnail?.length, 0);
    assert.ok((image?.contextInfo?.mentionedJid?.length ?? 0) <= 4096);
    assert.equal(fitting.pushName?.length, 1024);
    assert.equal(fitting.key.id, 'ABCD');
    assert.equal(message.message?.imageMessage?.caption?.length, 500_000);
  });

  test('is not cut through the middle of a character', () => {
    const fitting = fittingMessage(messageOf({ conversation: `x${'😀'.repeat(100_000)}` }));
    assert.ok(fitting.message?.conversation?.isWellFormed());
  });

  test('is kept as it was decrypted, or cut when it is too large for that', () => {
    const usual = padded({ conversation: 'hello' });
    assert.equal(keptPlaintext(usual), usual);
    const kept = keptPlaintext(padded({ conversation: 'y'.repeat(2_000_000) }));
    assert.ok(kept.byteLength < 100_000);
    assert.equal(proto.Message.decode(unpadRandomMax16(kept)).conversation?.length, 65_536);
    assert.ok(keptPlaintext(Buffer.alloc(1_000_000, 0xff)).byteLength < 10);
  });
});
