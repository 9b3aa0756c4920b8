import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { z } from 'zod';
import { coerceFields } from '../../src/api/middleware/multipart.ts';
import type { LinkTarget } from '../../src/contract/ipc.ts';
import { base64Source } from '../../src/media/base64-source.ts';
import { mayServe, urlOfFile } from '../../src/media/media-hosts.ts';
import { contradicts, documentType, kindOf, safeFileName, treatmentOf } from '../../src/media/media-kinds.ts';
import { barsOf, opusFacts } from '../../src/media/ogg-opus.ts';
import { sniff } from '../../src/media/sniff.ts';
import { gif, jpeg, mp3, mp4, oggOpus, png, wav } from '../support/media-files.ts';

describe('the type of a file', () => {
  test('is told by its content', async () => {
    const files = [
      [await png(2, 2), 'image/png'],
      [await jpeg(2, 2), 'image/jpeg'],
      [await gif(2), 'image/gif'],
      [oggOpus([100]), 'audio/ogg; codecs=opus'],
      [mp4({ seconds: 1, width: 2, height: 2 }), 'video/mp4'],
      [mp4({ seconds: 1, width: 0, height: 0, brand: 'M4A ' }), 'audio/mp4'],
      [mp4({ seconds: 1, width: 2, height: 2, brand: '3gp5' }), 'video/3gpp'],
      [mp4({ seconds: 1, width: 2, height: 2, brand: 'heic' }), 'image/heic'],
      [mp3(2), 'audio/mpeg'],
      [Buffer.from([0xff, 0xf1, 0x50, 0x80]), 'audio/aac'],
      [wav(1), 'audio/wav'],
      [Buffer.from('#!AMR\n'), 'audio/amr'],
      [Buffer.from('%PDF-1.7'), 'application/pdf'],
      [Buffer.from('PK\u0003\u0004'), 'application/zip'],
      [Buffer.from('<svg onload="alert(1)">'), null],
      [Buffer.from('BM'), null],
      [Buffer.alloc(0), null],
    ] as const;
    for (const [bytes, type] of files) assert.equal(sniff(bytes), type);
  });

  test('must not contradict what is claimed', () => {
    assert.equal(contradicts('image/png', 'image/jpeg'), false);
    assert.equal(contradicts('image/png', 'application/pdf'), true);
    assert.equal(contradicts('text/html', 'image/png'), true);
    assert.equal(
      contradicts('application/vnd.openxmlformats-officedocument.wordprocessingml.document', 'application/zip'),
      false,
    );
    assert.equal(contradicts('image/png', 'application/zip'), true);
    assert.equal(contradicts('application/octet-stream', 'image/png'), false);
    assert.equal(contradicts('application/ogg', 'audio/ogg; codecs=opus'), false);
    assert.equal(contradicts('audio/mp4', 'video/mp4'), false);
    assert.equal(contradicts(null, 'image/png'), false);
  });

  test('decides what can be sent as what', () => {
    assert.equal(treatmentOf('image', 'image/jpeg'), 'as_is');
    assert.equal(treatmentOf('image', 'image/webp'), 'to_jpeg');
    assert.equal(treatmentOf('image', 'video/mp4'), 'unfit');
    assert.equal(treatmentOf('image', null), 'unfit');
    assert.equal(treatmentOf('sticker', 'image/gif'), 'to_sticker');
    assert.equal(treatmentOf('video', 'video/webm'), 'unfit');
    assert.equal(treatmentOf('audio', 'audio/wav'), 'to_opus');
    assert.equal(treatmentOf('document', null), 'as_is');
    assert.equal(kindOf('image/webp'), 'document');
    assert.equal(kindOf('image/png'), 'image');
    assert.equal(kindOf('video/mp4'), 'video');
  });

  test('of a document is the most precise that is true', () => {
    const of = (declared: string | null, fileName: string | null, found: string | null) =>
      documentType({ declared, fileName, found });
    assert.equal(of('text/csv', 'a.txt', null), 'text/csv');
    assert.equal(
      of('application/octet-stream', 'a.docx', 'application/zip'),
      'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
    );
    assert.equal(of(null, 'report.pdf', 'image/png'), 'image/png');
    assert.equal(of(null, 'noname', null), 'application/octet-stream');
  });

  test('a file name leads nowhere and shows nothing false', () => {
    assert.equal(safeFileName('../../etc/passwd'), 'passwd');
    assert.equal(safeFileName('C:\\temp\\a.pdf'), 'a.pdf');
    assert.equal(safeFileName('a\u0000b\u202efdp.exe'), 'abfdp.exe');
    assert.equal(safeFileName('..'), null);
    assert.equal(safeFileName(''), null);
    assert.equal(safeFileName('x'.repeat(300))?.length, 255);
  });
});

describe('a voice note', () => {
  test('tells its length and where it is loud without being decoded', () => {
    const quiet = Array.from({ length: 50 }, () => 40);
    const loud = Array.from({ length: 50 }, () => 400);
    const facts = opusFacts(oggOpus([...quiet, ...loud]));
    assert.equal(facts?.seconds, 2);
    assert.equal(facts?.waveform.length, 64);
    assert.equal(facts?.waveform[0], 0);
    assert.equal(facts?.waveform[63], 100);
  });

  test('that is cut off, or none, is read as far as it goes', () => {
    const whole = oggOpus(Array.from({ length: 120 }, () => 100));
    assert.ok((opusFacts(whole.subarray(0, whole.length - 10))?.seconds ?? 0) > 0);
    assert.equal(opusFacts(Buffer.from('OggSnonsense')), null);
    assert.equal(opusFacts(Buffer.alloc(100)), null);
    assert.equal(opusFacts(whole.subarray(0, 60)), null);
  });

  test('of silence has a flat line', () => {
    assert.deepEqual(
      [...barsOf([0, 0, 0])],
      Array.from({ length: 64 }, () => 0),
    );
    assert.deepEqual(
      [...barsOf([])],
      Array.from({ length: 64 }, () => 0),
    );
  });
});

describe('base64', () => {
  const decode = (text: string): string => Buffer.concat([...base64Source(text).bytes]).toString('latin1');

  test('is taken with a prefix, line breaks, without padding, and of either alphabet', () => {
    const bytes = Buffer.from(Array.from({ length: 1000 }, (_, index) => index % 256));
    const text = bytes.toString('base64');
    assert.equal(decode(text), bytes.toString('latin1'));
    assert.equal(decode(text.replaceAll(/.{76}/g, '$&\r\n')), bytes.toString('latin1'));
    assert.equal(decode(bytes.toString('base64url')), bytes.toString('latin1'));
    assert.equal(decode(`data:image/png;name=a;base64,${text}`), bytes.toString('latin1'));
    assert.equal(base64Source('data:image/PNG;name=a;base64,AAAA').declaredType, 'image/png');
    assert.equal(base64Source('AAAA').declaredType, null);
  });

  test('of more than one piece comes out whole', () => {
    const bytes = Buffer.alloc(1_000_001, 7);
    assert.equal(decode(bytes.toString('base64')), bytes.toString('latin1'));
  });

  test('that is something else is refused', () => {
    for (const text of ['hello!', 'AAAA=AAA', 'AAAAA', 'data:image/png,AAAA', 'AA==AAAA'])
      assert.throws(() => decode(text), /request/);
  });
});

describe('files of messages', () => {
  const whatsapp: LinkTarget = { url: null, rootKeyHex: null, caPem: null };
  const relay: LinkTarget = { url: 'ws://127.0.0.1:3460/ws', rootKeyHex: null, caPem: null };
  const allowed = (url: string, target: LinkTarget): boolean => mayServe(new URL(url), target);

  test("are fetched from WhatsApp's hosts only", () => {
    assert.equal(allowed('https://mmg.whatsapp.net/v/t62', whatsapp), true);
    assert.equal(allowed('https://media-fra3-1.cdn.whatsapp.net/v/t62', whatsapp), true);
    assert.equal(allowed('https://scontent.fbcdn.net/x', whatsapp), true);
    for (const url of [
      'http://mmg.whatsapp.net/v',
      'https://mmg.whatsapp.net:8443/v',
      'https://mmg.whatsapp.net.evil.example/v',
      'https://evilwhatsapp.net/v',
      'https://user@mmg.whatsapp.net/v',
      'https://127.0.0.1/v',
      'https://169.254.169.254/latest',
    ]) {
      assert.equal(allowed(url, whatsapp), false, url);
    }
  });

  test('of a session that is linked to another server come from that server too', () => {
    assert.equal(allowed('https://127.0.0.1:9443/v', relay), true);
    assert.equal(allowed('https://127.0.0.2:9443/v', relay), false);
    assert.equal(allowed('https://mmg.whatsapp.net/v', relay), true);
  });

  test('are found by their direct path, on the host that the message names', () => {
    const urlOf = (url: string | null, directPath: string | null) => urlOfFile({ url, directPath })?.href ?? null;
    assert.equal(urlOf(null, '/v/t62?oe=1'), 'https://mmg.whatsapp.net/v/t62?oe=1');
    assert.equal(urlOf('https://127.0.0.1:9443/old', '/new'), 'https://127.0.0.1:9443/new');
    assert.equal(urlOf('https://mmg.whatsapp.net/only', null), 'https://mmg.whatsapp.net/only');
    assert.equal(urlOf(null, '//evil.example/x'), null);
    assert.equal(urlOf(null, '@evil.example/x'), null);
  });
});

test('text fields of a form become what the schema wants', () => {
  const schema = z.strictObject({
    to: z.string(),
    view_once: z.boolean(),
    typing_ms: z.int(),
    mentions: z.union([z.literal('all'), z.array(z.string())]),
  });
  const coerce = (fields: Record<string, unknown>): unknown => coerceFields(schema, fields);
  assert.deepEqual(coerce({ to: '123', view_once: 'true', typing_ms: '5', mentions: '["1"]' }), {
    to: '123',
    view_once: true,
    typing_ms: 5,
    mentions: ['1'],
  });
  assert.deepEqual(coerce({ mentions: ['1', '2'] }), { mentions: ['1', '2'] });
  assert.deepEqual(coerce({ mentions: 'abc' }), { mentions: ['abc'] });
  assert.deepEqual(coerce({ view_once: 'perhaps', other: '1' }), { view_once: 'perhaps', other: '1' });
});
