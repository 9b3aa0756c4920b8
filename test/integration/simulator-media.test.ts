import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { after, before, describe, test } from 'node:test';
import { rootCertificates } from 'node:tls';
import { promisify } from 'node:util';
import type { AnyMessageContent, WAMessage } from '@whiskeysockets/baileys';
import { contact, type Fields, SimulatedAccount } from '../support/simulated-account.ts';
import { download, receivedBy, sha256Hex, testFile, trustMediaOf } from '../support/simulated-media.ts';
import { type SimulatorProcess, startSimulator } from '../support/simulator.ts';

const ann = '15550301001';
const annJid = `${ann}@s.whatsapp.net`;
const noThumbnail = { jpegThumbnail: '' };

describe('media on the simulated WhatsApp', () => {
  let simulator: SimulatorProcess;
  let alice: SimulatedAccount;
  let bob: SimulatedAccount;

  before(async () => {
    simulator = await startSimulator();
    trustMediaOf(simulator);
    alice = new SimulatedAccount(simulator, '15550300001');
    bob = new SimulatedAccount(simulator, '15550300002');
    await Promise.all([alice.link(), bob.link()]);
    await contact(simulator, { phone: ann, name: 'Ann' });
  });

  after(async () => {
    await alice.client.close();
    await bob.client.close();
    await simulator.stop();
  });

  async function send(content: AnyMessageContent, to = annJid): Promise<WAMessage> {
    const sent = await alice.client.socket.sendMessage(to, content);
    assert.ok(sent?.key.id);
    assert.equal((await alice.ack(sent.key.id))['error'], undefined);
    return sent;
  }

  async function mediaAt(sent: WAMessage, reader: string): Promise<{ copy: Fields; media: Fields }> {
    const copy = await alice.inboxCopy(sent.key.id ?? '', reader);
    assert.ok(typeof copy['media'] === 'object' && copy['media'] !== null, JSON.stringify(copy));
    return { copy, media: Object.fromEntries(Object.entries(copy['media'])) };
  }

  const sends: readonly {
    readonly name: string;
    readonly content: (bytes: Buffer) => AnyMessageContent;
    readonly copy: Fields;
    readonly media: Fields;
  }[] = [
    {
      name: 'an image with a caption',
      content: (image) => ({ image, caption: 'look', mimetype: 'image/png', ...noThumbnail }),
      copy: { type: 'image', caption: 'look', text: null },
      media: { mimetype: 'image/png', ptt: false, view_once: false },
    },
    {
      name: 'a voice note',
      content: (audio) => ({
        audio,
        ptt: true,
        seconds: 3,
        waveform: new Uint8Array(64),
        mimetype: 'audio/ogg; codecs=opus',
      }),
      copy: { type: 'audio' },
      media: { mimetype: 'audio/ogg; codecs=opus', ptt: true, seconds: 3 },
    },
    {
      name: 'a document',
      content: (bytes) => ({ document: bytes, mimetype: 'application/pdf', fileName: 'a.pdf', caption: 'read' }),
      copy: { type: 'document', caption: 'read' },
      media: { mimetype: 'application/pdf', file_name: 'a.pdf' },
    },
    {
      name: 'a video that can be seen once',
      content: (video) => ({ video, seconds: 7, viewOnce: true, ...noThumbnail }),
      copy: { type: 'video', view_once: true },
      media: { mimetype: 'video/mp4', seconds: 7, view_once: true },
    },
    {
      name: 'a sticker',
      content: (sticker) => ({ sticker, mimetype: 'image/webp' }),
      copy: { type: 'sticker' },
      media: { mimetype: 'image/webp' },
    },
  ];
  for (const { name, content, copy: wantedCopy, media: wantedMedia } of sends) {
    test(`${name} from a session is read by the contact and by the own phone`, async () => {
      const file = testFile(70_001);
      const sent = await send(content(file.bytes));
      for (const reader of [annJid, alice.jid]) {
        const { copy, media } = await mediaAt(sent, reader);
        assert.partialDeepStrictEqual(copy, wantedCopy);
        const read = { ...wantedMedia, sha256: file.sha256, file_length: file.bytes.length, failure: null };
        assert.partialDeepStrictEqual(media, read);
      }
    });
  }

  const receipts: readonly {
    readonly name: string;
    readonly message: Fields;
    readonly path: readonly string[];
    readonly fields: Fields;
  }[] = [
    {
      name: 'an image',
      message: { type: 'image', caption: 'from Ann', mimetype: 'image/png' },
      path: ['imageMessage'],
      fields: { caption: 'from Ann', mimetype: 'image/png' },
    },
    {
      name: 'a voice note',
      message: { type: 'audio', ptt: true, seconds: 4 },
      path: ['audioMessage'],
      fields: { ptt: true, seconds: 4, mimetype: 'audio/ogg; codecs=opus' },
    },
    {
      name: 'a document with a caption',
      message: { type: 'document', file_name: 'b.txt', mimetype: 'text/plain', caption: 'please' },
      path: ['documentWithCaptionMessage', 'message', 'documentMessage'],
      fields: { fileName: 'b.txt', mimetype: 'text/plain', caption: 'please' },
    },
    {
      name: 'a video that can be seen once',
      message: { type: 'video', seconds: 9, view_once: true },
      path: ['viewOnceMessageV2', 'message', 'videoMessage'],
      fields: { seconds: 9, viewOnce: true },
    },
    {
      name: 'a sticker',
      message: { type: 'sticker' },
      path: ['stickerMessage'],
      fields: { mimetype: 'image/webp' },
    },
  ];
  for (const { name, message, path, fields } of receipts) {
    test(`${name} from a contact can be downloaded by the session`, async () => {
      const file = testFile(50_003);
      const id = await alice.write({ from: ann, ...message, file: { base64: file.bytes.toString('base64') } });
      const received = await receivedBy(alice, id);
      let content: unknown = received.message;
      for (const field of path) content = Reflect.get(Object(content), field);
      for (const [field, value] of Object.entries(fields)) assert.equal(Reflect.get(Object(content), field), value);
      assert.equal(sha256Hex(await download(alice.client.socket, received)), file.sha256);
    });
  }

  test('media of the own phone arrive as an own message', async () => {
    const file = testFile(10_000);
    const base64 = file.bytes.toString('base64');
    const id = await alice.write({ from: 'phone', to: ann, type: 'image', file: { base64 } });
    const received = await receivedBy(alice, id);
    assert.equal(received.key.fromMe, true);
    assert.equal(sha256Hex(await download(alice.client.socket, received)), file.sha256);
  });

  test('an image goes from session to session', async () => {
    const file = testFile(123_457);
    const sent = await send({ image: file.bytes, ...noThumbnail }, bob.jid);
    const received = await receivedBy(bob, sent.key.id ?? '');
    assert.equal(sha256Hex(await download(bob.client.socket, received)), file.sha256);
    assert.equal((await mediaAt(sent, bob.jid)).media['sha256'], file.sha256);
  });

  test('a part of a file can be downloaded', async () => {
    const file = testFile(100_000);
    const id = await alice.write({ from: ann, type: 'image', file: { base64: file.bytes.toString('base64') } });
    const url = (await receivedBy(alice, id)).message?.imageMessage?.url ?? '';
    const whole = await fetch(url);
    const bytes = Buffer.from(await whole.arrayBuffer());
    const part = await fetch(url, { headers: { range: 'bytes=16-99' } });
    assert.equal(part.status, 206);
    assert.equal(part.headers.get('content-range'), `bytes 16-99/${bytes.length}`);
    assert.deepEqual(Buffer.from(await part.arrayBuffer()), bytes.subarray(16, 100));
    assert.equal((await fetch(url, { headers: { range: `bytes=${bytes.length}-` } })).status, 416);
  });

  test('the host takes only what the token says, and only from companions', async () => {
    const socket = alice.client.socket;
    const { auth } = await socket.refreshMediaConn(true);
    const body = testFile(1000);
    const token = Buffer.from(body.sha256, 'hex').toString('base64url');
    const post = async (path: string, credentials: string, sent: Buffer) => {
      const query = new URLSearchParams({ auth: credentials, token: path });
      const answer = await fetch(`${simulator.mediaUrl}/mms/image/${path}?${query.toString()}`, {
        method: 'POST',
        body: new Uint8Array(sent),
      });
      return { status: answer.status, body: JSON.stringify(await answer.json()) };
    };
    const good = await post(token, auth, body.bytes);
    assert.equal(good.status, 200, good.body);
    assert.match(good.body, /"direct_path":"\/v\//);
    assert.equal((await post(token, auth, testFile(1000).bytes)).status, 400);
    assert.equal((await post(token, `${auth}x`, body.bytes)).status, 401);
    assert.equal((await post(token, '', body.bytes)).status, 401);
    assert.equal((await fetch(`${simulator.mediaUrl}/v/t62.7118-24/${'0'.repeat(32)}_n.enc`)).status, 404);
  });

  test('a process trusts the host by NODE_EXTRA_CA_CERTS alone, with fetch and https alike', async () => {
    const code = `
      const https = await import('node:https');
      const url = ${JSON.stringify(simulator.mediaUrl)};
      const answer = await fetch(url);
      https.get(url, (other) => { console.log(answer.status, other.statusCode); other.destroy(); });`;
    const env = { NODE_EXTRA_CA_CERTS: simulator.mediaCaPath };
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', code], { env });
    assert.equal(stdout.trim(), '404 404');
  });

  test('nobody trusts the host who does not know its authority', async () => {
    const attempt = (options: { readonly ca: string | string[]; readonly servername?: string }) =>
      new Promise<string>((resolve) => {
        const call = request(simulator.mediaUrl, { method: 'GET', agent: false, ...options }, (answer) => {
          answer.resume();
          resolve(String(answer.statusCode));
        });
        call.on('error', (error) => resolve('code' in error ? String(error.code) : error.message));
        call.end();
      });
    const ca = readFileSync(simulator.mediaCaPath, 'utf8');
    assert.equal(await attempt({ ca }), '404');
    assert.equal(await attempt({ ca, servername: 'localhost' }), '404');
    assert.equal(await attempt({ ca: [...rootCertificates] }), 'SELF_SIGNED_CERT_IN_CHAIN');
  });

  test('the simulator has nothing to complain about', async () => {
    for (const account of [alice, bob]) {
      await account.assertClean();
      assert.deepEqual((await account.oracle())['unreadable_media'], []);
    }
  });
});
