import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { openAsBlob } from 'node:fs';
import { mkdtemp, open, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { at } from '../support/api-client.ts';
import { eventually } from '../support/eventually.ts';
import { untilConnected } from '../support/gateway.ts';
import { png } from '../support/media-files.ts';
import { postForm, sha256Hex } from '../support/media-forms.ts';
import { contact, startMediaSession, type MediaSession } from '../support/media-session.ts';

const path = '/sessions/support/messages/document';
const megabyte = 1024 * 1024;

describe('documents', () => {
  let session: MediaSession;
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'warden-documents-'));
    session = await startMediaSession();
  });
  after(async () => {
    await session.dispose();
    await rm(folder, { recursive: true, force: true });
  });

  const spooled = () => readdir(join(session.gateway.storagePath, 'media', 'spool'));
  const childPid = async (): Promise<number> =>
    Number(at((await session.gateway.get('/sessions/support')).json, 'child', 'pid'));

  test('reach the contact with name, caption and type', async () => {
    const text = Buffer.from('Name;Age\nAnna;7\n');
    const sent = await session.gateway.must(200, path, {
      to: contact,
      base64: text.toString('base64'),
      filename: '../list.csv',
      caption: 'The list',
    });
    const message = await session.received(sent);
    assert.equal(at(message, 'type'), 'document');
    assert.equal(at(message, 'caption'), 'The list');
    assert.equal(at(message, 'media', 'file_name'), 'list.csv');
    assert.equal(at(message, 'media', 'mimetype'), 'text/csv');
    assert.equal(at(message, 'media', 'sha256'), sha256Hex(text));
  });

  test('keep the name of an uploaded file, and its type is what they are', async () => {
    const picture = await png(3, 3);
    const answer = await postForm(session.gateway, path, {
      fields: { to: contact },
      file: {
        blob: new Blob([new Uint8Array(picture)], { type: 'application/octet-stream' }),
        name: 'Zeichnung Ä.png',
      },
    });
    assert.equal(answer.status, 200, JSON.stringify(answer.json));
    const message = await session.received(answer.json);
    assert.equal(at(message, 'media', 'file_name'), 'Zeichnung Ä.png');
    assert.equal(at(message, 'media', 'mimetype'), 'image/png');
  });

  test('that are empty are refused', async () => {
    const answer = await postForm(session.gateway, path, {
      fields: { to: contact },
      file: { blob: new Blob([]), name: 'empty.txt' },
    });
    assert.equal(answer.status, 422);
    assert.equal(at(answer.json, 'error', 'type'), 'media_type_not_supported');
  });

  test('of a hundred megabytes pass, and neither the gateway nor the child grows', { timeout: 240_000 }, async () => {
    const { gateway } = session;
    const send = async (megabytes: number): Promise<{ readonly sha256: string; readonly json: unknown }> => {
      const file = join(folder, `${megabytes}.bin`);
      const sha256 = await writeLarge(file, megabytes);
      const blob = await openAsBlob(file);
      const answer = await postForm(gateway, path, { fields: { to: contact }, file: { blob, name: 'large.bin' } });
      assert.equal(answer.status, 200, JSON.stringify(answer.json));
      return { sha256, json: answer.json };
    };
    const pids = [gateway.pid, await childPid()];
    const peaks = () => Promise.all(pids.map(peakBytes));
    // What the first large file needs, any file needs. Whoever held the second one would grow by the 75 MB that it is larger;
    // what streams leave behind until the next collection varies, and stays below that.
    await send(25);
    const before = await peaks();
    const { sha256, json } = await send(100);
    const growth = (await peaks()).map((peak, index) => Math.round((peak - (before[index] ?? 0)) / megabyte));
    assert.ok(
      growth.every((grown) => grown < 70),
      `grew by ${growth.join(' and ')} MB`,
    );
    const message = await session.received(json);
    assert.equal(at(message, 'media', 'sha256'), sha256);
    assert.deepEqual(await spooled(), []);
  });

  test('above the limit are refused while they come in, and leave nothing behind', async () => {
    const file = join(folder, 'too-large.bin');
    await writeLarge(file, 101);
    const answer = await postForm(session.gateway, path, {
      fields: { to: contact },
      file: { blob: await openAsBlob(file), name: 'x' },
    });
    assert.equal(answer.status, 413);
    assert.equal(at(answer.json, 'error', 'type'), 'media_too_large');
    assert.deepEqual(await spooled(), []);
  });

  test('are sent after all when the process dies during the upload', async () => {
    const { gateway } = session;
    await gateway.must(200, '/sessions/support/sandbox/faults', { fault: 'media_slow', delay_ms: 4_000, count: 1 });
    const bytes = randomBytes(50_000);
    const sending = gateway.post(path, {
      to: contact,
      base64: bytes.toString('base64'),
      message_id: '3EB0AAAABBBBCCCC0001',
    });
    await eventually(async () => (await spooled()).length > 0);
    // The process is killed while the media server keeps it waiting.
    process.kill(await childPid(), 'SIGKILL');
    const answer = await sending;
    assert.equal(answer.status, 202, answer.text);
    await untilConnected(gateway, 'support');
    const message = await session.received(answer.json);
    assert.equal(at(message, 'media', 'sha256'), sha256Hex(bytes));
    await eventually(async () => (await spooled()).length === 0, 10_000);
  });
});

async function writeLarge(path: string, megabytes: number): Promise<string> {
  const hash = createHash('sha256');
  const file = await open(path, 'w');
  const piece = randomBytes(megabyte);
  for (let written = 0; written < megabytes; written++) {
    piece.writeUInt32LE(written);
    hash.update(piece);
    await file.write(piece);
  }
  await file.close();
  return hash.digest('hex');
}

/** The most memory that a process has had at once. */
async function peakBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
}
