/** Files and file names that mean harm, as every kind of media: sent, or refused in words; nothing is left of them. */
import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { request } from 'undici';
import { at } from '../support/api-client.ts';
import { eventually } from '../support/eventually.ts';
import { token } from '../support/gateway.ts';
import { hostileFiles, type HostileFile } from '../support/hostile-media.ts';
import { commands, hostileTexts } from '../support/hostile-text.ts';
import { png } from '../support/media-files.ts';
import { getFile, sha256Hex } from '../support/media-forms.ts';
import { contact, startMediaSession, type MediaSession } from '../support/media-session.ts';
import { residentBytes } from '../support/process-facts.ts';
import { seeded } from '../support/seeded.ts';

const random = seeded();
const kinds = ['image', 'video', 'audio', 'document', 'sticker'] as const;
const allowanceBytes = 160 * 1024 * 1024;

let session: MediaSession;
let files: readonly HostileFile[];
before(async () => {
  session = await startMediaSession({ PACING_ENABLED: 'false', LOG_LEVEL: 'info' });
  files = await hostileFiles(random.next);
});
after(() => session.dispose());

const spool = (): Promise<readonly string[]> => readdir(join(session.gateway.storagePath, 'media', 'spool'));

async function inParallel<Item>(items: readonly Item[], work: (item: Item) => Promise<void>): Promise<void> {
  const waiting = [...items];
  const worker = async (): Promise<void> => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: 6 }, worker));
}

describe(`a file that means harm (CRASH_SEED=${random.seed})`, () => {
  test('is sent or refused, as whatever it is said to be', async (context) => {
    const { gateway } = session;
    const before = residentBytes(gateway.pid);
    const outcomes = new Map<string, number>();
    const tries = files.flatMap((file) => kinds.map((kind) => ({ ...file, kind })));
    await inParallel(tries, async ({ what, bytes, kind }) => {
      const options = kind === 'audio' ? { ptt: bytes.length % 2 === 0 } : {};
      const body = { to: contact, base64: bytes.toString('base64'), ...options };
      const answer = await gateway.post(`/sessions/support/messages/${kind}`, body);
      const outcome = answer.status < 300 ? 'sent' : String(at(answer.json, 'error', 'type'));
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
      const isRefused = ['invalid_request', 'media_type_not_supported', 'media_too_large', 'converter_missing'];
      const seen = `${what} as ${kind}: ${answer.status} ${answer.text.slice(0, 500)}`;
      assert.ok(outcome === 'sent' || isRefused.includes(outcome), seen);
      if (outcome === 'media_type_not_supported')
        assert.notEqual(at(answer.json, 'error', 'details', 0, 'field'), undefined, seen);
    });
    context.diagnostic(`${tries.length} sends: ${JSON.stringify(Object.fromEntries(outcomes))}`);
    await eventually(async () => (await spool()).length === 0, 20_000, spool);
    await eventually(
      () => residentBytes(gateway.pid) - before < allowanceBytes,
      60_000,
      () => ({ before, now: residentBytes(gateway.pid) }),
    );
  });

  test('has a name that stays a name, on the way out and on the way in', async () => {
    const { gateway } = session;
    const names = hostileTexts.filter((name) => name.length <= 255);
    await inParallel(names, async (filename) => {
      const body = { to: contact, base64: Buffer.from('hello').toString('base64'), filename };
      const answer = await gateway.post('/sessions/support/messages/document', body);
      assert.ok(answer.status === 200 || answer.status === 400, `${JSON.stringify(filename)}: ${answer.text}`);
      if (answer.status !== 200) return;
      const received = await session.received(answer.json);
      const name = String(at(received, 'media', 'file_name'));
      assert.doesNotMatch(name, commands);
      assert.doesNotMatch(name, /[/\\\n]/);
    });
  });
});

describe('a received file whose name or type means harm', () => {
  test('is saved under a name that is one, as a type that is one, and never shown in our origin', async () => {
    const { gateway } = session;
    const texts = hostileTexts.filter((text) => text.length <= 255);
    await inParallel(texts, async (text) => {
      const file = { base64: Buffer.from('hello').toString('base64') };
      const body = {
        from: contact,
        type: 'document',
        file,
        file_name: text,
        mimetype: text.slice(0, 90).toWellFormed(),
      };
      const sent = await gateway.must(201, '/sessions/support/sandbox/messages', body);
      const path = `/api/v1/sessions/support/messages/${String(at(sent, 'message_id'))}/media`;
      const answer = await eventually(async () => {
        const fetched = await getFile(gateway, path);
        return fetched.status === 404 ? null : fetched;
      }, 30_000);
      const seen = `${JSON.stringify(text)}: ${answer.status} ${JSON.stringify(answer.headers)}`;
      assert.equal(answer.status, 200, seen);
      assert.equal(answer.bytes.toString(), 'hello');
      const disposition = String(answer.headers['content-disposition']);
      assert.match(
        disposition,
        /^attachment(?:; filename=(?:"(?:[^"\\]|\\.)*"|[\w!#$%&'*+.^`|~-]+))?(?:; filename\*=UTF-8''[\w%.!~*'()-]*)?$/,
        seen,
      );
      assert.doesNotMatch(disposition, commands, seen);
      assert.doesNotMatch(disposition, /[/\n]/, seen);
      assert.match(String(answer.headers['content-type']), /^[\w.+-]+\/[\w.+-]+/, seen);
      assert.equal(answer.headers['content-security-policy'], 'sandbox');
      assert.equal(answer.headers['x-content-type-options'], 'nosniff');
      assert.equal(answer.headers['set-cookie'], undefined);
    });
  });
});

describe('a form that means harm', () => {
  const upload = async (
    headers: string,
    content: string,
  ): Promise<{ readonly status: number; readonly text: string }> => {
    const part = (text: string): string => `--limit\r\n${text}\r\n`;
    const field = `Content-Disposition: form-data; name="to"\r\n\r\n${contact}`;
    const body = Buffer.from(`${part(field)}${part(`${headers}\r\n\r\n${content}`)}--limit--\r\n`, 'latin1');
    const { statusCode, body: answer } = await request(
      `${session.gateway.baseUrl}/api/v1/sessions/support/messages/document`,
      {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'multipart/form-data; boundary=limit' },
        body,
      },
    );
    return { status: statusCode, text: await answer.text() };
  };
  const named = (name: string): string => `Content-Disposition: form-data; name="file"; filename="${name}"`;
  const typed = (name: string): string => `${named(name)}\r\nContent-Type: text/plain`;
  const utf8 = (text: string): string => Buffer.from(text).toString('latin1');
  const heads = [
    ...['../../etc/passwd', '..\\..\\x', '/etc/passwd', 'C:\\x', '.', '..', '', ' ', 'a\u0000b', 'a\tb'].map(typed),
    ...[`${'😀'.repeat(200)}.txt`, `x${'😀'.repeat(200)}`, 'a\u202egpj.exe', '<b>x</b>', '%0d%0aX: y'].map((name) =>
      typed(utf8(name)),
    ),
    typed('\u00ff\u00fe\u00c0\u00af'),
    ...['text/html', 'x', '', '__proto__/x', 'text/plain; charset=\u0000', 'a/b\u0000c', `a/${'b'.repeat(5000)}`].map(
      (type) => `${named('a.bin')}\r\nContent-Type: ${type}`,
    ),
    `${named('a.bin')}\r\nContent-Type: text/html\r\nContent-Type: image/png`,
    'Content-Disposition: form-data; name="file"; filename*=UTF-8\'\'%00%0d%0a%2f..%2fx',
    'Content-Disposition: form-data; name="file"',
    'Content-Disposition: attachment; filename="x"',
    'Content-Disposition: form-data; name="__proto__"; filename="x"',
    'Content-Disposition: form-data; name="caption"; filename="x"',
  ];

  for (const head of heads) {
    test(`with the head ${JSON.stringify(head.slice(0, 90))} is sent or refused`, async () => {
      const { status, text } = await upload(head, 'hello');
      assert.ok(status === 200 || (status >= 400 && status < 500), `${status} ${text}`);
    });
  }

  test('leaves nothing in the spool, and the next picture is sent', async () => {
    await eventually(async () => (await spool()).length === 0, 20_000, spool);
    const picture = await png(40, 30);
    const body = { to: contact, base64: picture.toString('base64') };
    const sent = await session.gateway.must(200, '/sessions/support/messages/image', body);
    assert.equal(at(await session.received(sent), 'media', 'sha256'), sha256Hex(picture));
    assert.doesNotMatch(session.gateway.output, /"level":(?:50|60)/);
  });
});
