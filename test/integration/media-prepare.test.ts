import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import sharp from 'sharp';
import { WardenError, type ErrorCode } from '../../src/contract/errors.ts';
import type { PreparedMedia } from '../../src/contract/ipc.ts';
import type { Media } from '../../src/media/media.ts';
import type { MediaRequest } from '../../src/media/prepare-media.ts';
import { Spool } from '../../src/media/spool.ts';
import { logger, setLogLevel } from '../../src/log.ts';
import type { MediaStore } from '../../src/store/store.ts';
import { gif, jpeg, mp3, mp4, oggOpus, png, pngBomb, wav } from '../support/media-files.ts';
import { openTestMedia } from '../support/test-media.ts';

const anyTime = new AbortController().signal;
const unused = (): never => {
  throw new Error('not used here');
};
const store: MediaStore = {
  location: unused,
  moved: unused,
  listSpooled: async () => [],
  keepUploaded: unused,
  getUploaded: async () => null,
  deleteExpired: unused,
};

let folder: string;
let media: Media;
let server: Server;
let serverUrl: string;
let respond: RequestListener = (_request, response) => void response.end();

before(async () => {
  setLogLevel('silent');
  folder = await mkdtemp(join(tmpdir(), 'warden-media-'));
  media = await openTestMedia(folder, { media: store });
  server = createServer((request, response) => respond(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  serverUrl = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
});

after(async () => {
  await media.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await rm(folder, { recursive: true, force: true });
});

const request: MediaRequest = { kind: null, upload: null, isVoiceNote: false, isSandbox: true, takesMediaId: true };

function prepare(fields: Partial<MediaRequest>): Promise<PreparedMedia> {
  return media.preparer.prepare({ ...request, ...fields }, anyTime);
}

const fromBytes = (kind: MediaRequest['kind'], bytes: Uint8Array, fields: Partial<MediaRequest> = {}) =>
  prepare({ kind, base64: Buffer.from(bytes).toString('base64'), ...fields });

/** The file, deleted from the spool after this look at it. */
async function contentOf(prepared: PreparedMedia): Promise<Buffer> {
  if (prepared.source.tag !== 'file') throw new Error('not a file');
  const bytes = await readFile(prepared.source.path);
  await media.spool.release(prepared.source.path);
  return bytes;
}

async function refused(work: Promise<PreparedMedia>, code: ErrorCode): Promise<WardenError> {
  const error: unknown = await work.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof WardenError)) throw new Error(`not refused: ${String(error)}`);
  assert.equal(error.code, code, error.message);
  assert.deepEqual(await readdir(join(folder, 'spool')), [], 'nothing may stay behind');
  assert.equal(media.spool.usedBytes, 0);
  return error;
}

describe('an image', () => {
  test('is described with its size and a small preview', async () => {
    const bytes = await png(400, 200);
    const prepared = await fromBytes('image', bytes);
    assert.equal(prepared.mimetype, 'image/png');
    assert.deepEqual([prepared.width, prepared.height, prepared.bytes], [400, 200, bytes.length]);
    const preview = await sharp(prepared.thumbnail ?? Buffer.alloc(0)).metadata();
    assert.deepEqual([preview.format, preview.width, preview.height], ['jpeg', 100, 50]);
    assert.deepEqual(await contentOf(prepared), bytes);
  });

  test('that a camera holds upright by a mark is described as it is shown', async () => {
    const prepared = await fromBytes('image', await jpeg(400, 200, 6));
    assert.deepEqual([prepared.width, prepared.height], [200, 400]);
    const preview = await sharp(prepared.thumbnail ?? Buffer.alloc(0)).metadata();
    assert.deepEqual([preview.width, preview.height], [50, 100]);
    await contentOf(prepared);
  });

  test('that phones do not show is turned into a JPEG', async () => {
    const prepared = await fromBytes('image', await gif(2));
    assert.equal(prepared.mimetype, 'image/jpeg');
    assert.equal((await sharp(await contentOf(prepared)).metadata()).format, 'jpeg');
  });

  test('with more pixels than memory is refused, not decoded', async () => {
    await refused(fromBytes('image', pngBomb(30_000)), 'media_type_not_supported');
  });

  test('that is damaged, none, empty or something else is refused with the field', async () => {
    const whole = await png(400, 400);
    await refused(fromBytes('image', whole.subarray(0, 60)), 'media_type_not_supported');
    await refused(
      fromBytes('image', Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>')),
      'media_type_not_supported',
    );
    const error = await refused(fromBytes('image', oggOpus([100])), 'media_type_not_supported');
    assert.equal(error.details?.[0]?.field, 'file');
    await refused(fromBytes('image', whole, { mimetype: 'application/pdf' }), 'media_type_not_supported');
    await refused(fromBytes('image', Buffer.alloc(0)), 'media_type_not_supported');
  });

  test('above the limit of its kind is refused', async () => {
    await refused(fromBytes('image', Buffer.concat([await png(2, 2), Buffer.alloc(1_100_000)])), 'media_too_large');
  });
});

describe('a sticker', () => {
  test('is made of any picture, 512 pixels wide and high', async () => {
    const prepared = await fromBytes('sticker', await jpeg(900, 300));
    assert.deepEqual([prepared.mimetype, prepared.isAnimated], ['image/webp', false]);
    const facts = await sharp(await contentOf(prepared)).metadata();
    assert.deepEqual([facts.format, facts.width, facts.height, facts.hasAlpha], ['webp', 512, 512, true]);
  });

  test('that moves goes on moving', async () => {
    const prepared = await fromBytes('sticker', await gif(3));
    assert.equal(prepared.isAnimated, true);
    const facts = await sharp(await contentOf(prepared), { animated: true }).metadata();
    assert.deepEqual([facts.pages, facts.width, facts.pageHeight], [3, 512, 512]);
  });

  test('that is one already is not touched', async () => {
    const webp = await sharp(await png(512, 512))
      .webp()
      .toBuffer();
    assert.deepEqual(await contentOf(await fromBytes('sticker', webp)), webp);
  });

  test('stays small enough to be shown', async () => {
    const noise = await sharp({
      create: {
        width: 512,
        height: 512,
        channels: 3,
        background: '#808080',
        noise: { type: 'gaussian', mean: 128, sigma: 60 },
      },
    })
      .jpeg({ quality: 60 })
      .toBuffer();
    assert.ok((await contentOf(await fromBytes('sticker', noise))).length <= 100 * 1024);
  });
});

describe('sound', () => {
  test('as a voice note has its length and a waveform', async () => {
    const prepared = await fromBytes('audio', oggOpus(Array.from({ length: 150 }, (_, index) => 40 + index)), {
      isVoiceNote: true,
    });
    assert.equal(prepared.mimetype, 'audio/ogg; codecs=opus');
    assert.equal(prepared.seconds, 3);
    assert.equal(prepared.waveform?.length, 64);
    await contentOf(prepared);
  });

  test('of another format has its length', async () => {
    const prepared = await fromBytes('audio', mp3(200));
    assert.deepEqual([prepared.mimetype, prepared.seconds, prepared.waveform], ['audio/mpeg', 5, null]);
    await contentOf(prepared);
  });

  test('as a voice note of another format needs a converter, and the error says so', async () => {
    await refused(fromBytes('audio', mp3(200), { isVoiceNote: true }), 'converter_missing');
    await refused(fromBytes('audio', wav(1)), 'converter_missing');
  });

  test('is no video', async () => {
    await refused(fromBytes('audio', mp4({ seconds: 2, width: 64, height: 48 })), 'media_type_not_supported');
  });
});

describe('a converter', () => {
  test('that is installed makes voice notes of other formats', async (context) => {
    const tools = await mkdtemp(join(tmpdir(), 'warden-tools-'));
    const tool = join(tools, 'ffmpeg');
    const note = join(tools, 'note.ogg');
    await writeFile(note, oggOpus(Array.from({ length: 100 }, () => 100)));
    // Stands for ffmpeg, which test machines need not have: writes a note to the last path that it is given.
    await writeFile(
      tool,
      `#!/bin/sh\nfor last; do :; done\n[ "$last" = pipe:1 ] && exit 0\ncat '${note}' > "$last"\n`,
      { mode: 0o700 },
    );
    const own = await openTestMedia(join(tools, 'media'), { media: store }, { ffmpegPath: tool });
    context.after(async () => {
      await own.close();
      await rm(tools, { recursive: true, force: true });
    });
    const base64 = mp3(100).toString('base64');
    const prepared = await own.preparer.prepare({ ...request, kind: 'audio', base64, isVoiceNote: true }, anyTime);
    assert.equal(prepared.mimetype, 'audio/ogg; codecs=opus');
    assert.equal(prepared.seconds, 2);
    assert.deepEqual((await readdir(own.spool.folder)).length, 1);
    await writeFile(tool, '#!/bin/sh\nexit 1\n', { mode: 0o700 });
    await assert.rejects(
      own.preparer.prepare({ ...request, kind: 'audio', base64, isVoiceNote: true }, anyTime),
      (error) => error instanceof WardenError && error.code === 'media_type_not_supported',
    );
    assert.deepEqual((await readdir(own.spool.folder)).length, 1);
  });
});

describe('a video', () => {
  test('is described by its index', async () => {
    const prepared = await fromBytes('video', mp4({ seconds: 7, width: 640, height: 360 }));
    assert.deepEqual(
      [prepared.mimetype, prepared.seconds, prepared.width, prepared.height, prepared.thumbnail],
      ['video/mp4', 7, 640, 360, null],
    );
    await contentOf(prepared);
  });

  test('without an index or without pictures is refused', async () => {
    const whole = mp4({ seconds: 7, width: 640, height: 360 });
    await refused(fromBytes('video', whole.subarray(0, 3000)), 'media_type_not_supported');
    await refused(fromBytes('video', mp4({ seconds: 7, width: 0, height: 0 })), 'media_type_not_supported');
  });
});

describe('the source of media', () => {
  test('is exactly one, and the error names the fields', async () => {
    const none = await refused(prepare({ kind: 'image' }), 'invalid_request');
    assert.match(none.message, /exactly one of url, base64, media_id or a multipart file/);
    const two = await refused(
      prepare({ kind: 'image', base64: 'AAAA', url: 'https://example.com/a.png' }),
      'invalid_request',
    );
    assert.deepEqual(
      two.details?.map(({ field }) => field),
      ['url', 'base64'],
    );
  });

  test('takes its kind from the content when nobody says it', async () => {
    const picture = await fromBytes(null, await png(5, 5));
    const text = await fromBytes(null, Buffer.from('Hello'), { fileName: 'a.txt' });
    assert.deepEqual(
      [picture.kind, text.kind, text.mimetype, text.fileName],
      ['image', 'document', 'text/plain', 'a.txt'],
    );
    await contentOf(picture);
    await contentOf(text);
  });

  test('is fetched from a URL, over redirects', async () => {
    const bytes = await png(9, 9);
    respond = (incoming, response) => {
      if (incoming.url === '/start') response.writeHead(302, { location: '/files/a%20picture.png' }).end();
      else response.writeHead(200, { 'content-type': 'image/png' }).end(bytes);
    };
    const prepared = await prepare({ kind: 'image', url: `${serverUrl}/start` });
    assert.equal(prepared.fileName, 'a picture.png');
    assert.deepEqual(await contentOf(prepared), bytes);
  });

  test('that redirects without end or to where nobody may go is refused', async () => {
    respond = (_incoming, response) => void response.writeHead(302, { location: '/again' }).end();
    await refused(prepare({ kind: 'image', url: `${serverUrl}/start` }), 'media_unreachable');
    respond = (_incoming, response) => void response.writeHead(302, { location: 'http://127.0.0.2/secret' }).end();
    await refused(prepare({ kind: 'image', url: `${serverUrl}/start` }), 'media_unreachable');
    respond = (_incoming, response) => void response.writeHead(302, { location: 'file:///etc/passwd' }).end();
    await refused(prepare({ kind: 'image', url: `${serverUrl}/start` }), 'media_unreachable');
    await refused(prepare({ kind: 'image', url: 'http://169.254.169.254/latest' }), 'invalid_request');
  });

  test('that announces or sends too much is given up', async () => {
    respond = (_incoming, response) => void response.writeHead(200, { 'content-length': '5000000' }).end();
    await refused(prepare({ kind: 'image', url: serverUrl }), 'media_too_large');
    let sent = 0;
    respond = (_incoming, response) => {
      response.writeHead(200);
      const more = (): void => {
        while (!response.destroyed && sent < 50_000_000 && response.write(Buffer.alloc(65_536))) sent += 65_536;
      };
      response.on('drain', more);
      more();
    };
    await refused(prepare({ kind: 'image', url: serverUrl }), 'media_too_large');
    assert.ok(sent < 20_000_000);
  });

  test('that lies about its length, breaks off, fails, is encoded or hangs is unreachable', async () => {
    const answers: readonly RequestListener[] = [
      (_incoming, response) => {
        response.writeHead(200, { 'content-length': '1000' });
        response.write('short', () => response.destroy());
      },
      (_incoming, response) => void response.writeHead(404).end(),
      (incoming) => incoming.socket.destroy(),
      (_incoming, response) => void response.writeHead(200, { 'content-encoding': 'gzip' }).end('x'),
      (_incoming, response) => void response.writeHead(200).write('x'),
    ];
    for (const answer of answers) {
      respond = answer;
      await refused(prepare({ kind: 'document', url: serverUrl }), 'media_unreachable');
    }
  });

  test('that was uploaded before must still be there', async () => {
    const error = await refused(prepare({ kind: 'image', mediaId: 'med_unknown' }), 'media_not_found');
    assert.equal(error.details?.[0]?.field, 'media_id');
  });
});

describe('the spool', () => {
  test('has a quota, and room again when files are gone', async (context) => {
    const own = await mkdtemp(join(tmpdir(), 'warden-spool-'));
    const spool = await Spool.open({ folder: own, quotaBytes: 1000, listNeeded: async () => [], log: logger('test') });
    context.after(async () => {
      spool.close();
      await rm(own, { recursive: true, force: true });
    });
    const write = (bytes: number) => spool.write([Buffer.alloc(bytes)], { capBytes: 5000, signal: anyTime });
    const first = await write(900);
    await assert.rejects(
      write(200),
      (error) =>
        error instanceof WardenError &&
        error.code === 'storage_full' &&
        /scheduled.*SPOOL_QUOTA_MB/.test(error.message),
    );
    await spool.release(first.path);
    assert.equal(spool.usedBytes, 0);
    await write(200);
    assert.equal((await readdir(own)).length, 1);
  });

  test('keeps after a restart what messages need, and deletes the rest', async (context) => {
    const own = await mkdtemp(join(tmpdir(), 'warden-spool-'));
    context.after(() => rm(own, { recursive: true, force: true }));
    await writeFile(join(own, 'needed'), 'a');
    await writeFile(join(own, 'left-behind'), 'b');
    const needed = [join(own, 'needed')];
    const spool = await Spool.open({
      folder: own,
      quotaBytes: 1000,
      listNeeded: async () => needed,
      log: logger('test'),
    });
    assert.deepEqual(await readdir(own), ['needed']);
    const held = await spool.write([Buffer.from('c')], { capBytes: 10, signal: anyTime });
    needed.length = 0;
    await spool.sweep();
    assert.deepEqual(await readdir(own), [held.path.slice(own.length + 1)]);
    spool.handOver(held.path);
    await spool.sweep();
    assert.deepEqual(await readdir(own), []);
    spool.close();
  });
});
