import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { after, before, describe, test } from 'node:test';
import { downloadContentFromMessage, type WAMediaUpload } from '@whiskeysockets/baileys';
import { contact, SimulatedAccount } from '../support/simulated-account.ts';
import { receivedBy, testFile, trustMediaOf } from '../support/simulated-media.ts';
import { type SimulatorProcess, startSimulator } from '../support/simulator.ts';

const ann = '15550305001';
const annJid = `${ann}@s.whatsapp.net`;
const mebibyte = 1024 * 1024;
const fileBytes = 100 * mebibyte;
/** Of three more transfers, 300 MB together. */
const allowedGrowthBytes = 40 * mebibyte;

describe('large media on the simulated WhatsApp', { skip: process.platform !== 'linux' }, () => {
  let folder: string;
  let path: string;
  let sha256: string;
  let simulator: SimulatorProcess;
  let alice: SimulatedAccount;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'warden-large-'));
    path = join(folder, 'large.bin');
    const part = testFile(mebibyte).bytes;
    await pipeline(function* parts() {
      for (let written = 0; written < fileBytes; written += part.length) yield part;
    }, createWriteStream(path));
    sha256 = await sha256Of(createReadStream(path));
    simulator = await startSimulator();
    trustMediaOf(simulator);
    alice = new SimulatedAccount(simulator, '15550304001');
    await alice.link();
    await contact(simulator, { phone: ann, name: 'Ann' });
  });

  after(async () => {
    await alice.client.close();
    await simulator.stop();
    await rm(folder, { recursive: true, force: true });
  });

  test('a document of 100 MB goes both ways while the simulator stays small', async () => {
    // The first transfer lets V8 collect as much garbage as it ever does before it cleans up, some 60 MB.
    await sendDocument({ url: path });
    const before = await residentBytes(simulator.pid);
    const id = await sendDocument({ url: path });
    const { media } = await alice.inboxCopy(id, annJid);
    assert.partialDeepStrictEqual(media, { sha256, file_length: fileBytes, failure: null });

    const request = { from: ann, type: 'document', file: { path }, file_name: 'large.bin' };
    const received = await receivedBy(alice, await alice.write(request));
    const document = received.message?.documentMessage;
    assert.ok(document);
    const content = await downloadContentFromMessage(document, 'document');
    assert.equal(await sha256Of(content), sha256);

    const peak = await residentBytes(simulator.pid);
    const growth = `${Math.round((peak - before) / mebibyte)} MB more than ${Math.round(before / mebibyte)} MB`;
    assert.ok(peak - before < allowedGrowthBytes, growth);
    await alice.assertClean();
  });

  async function sendDocument(document: WAMediaUpload): Promise<string> {
    const sent = await alice.client.socket.sendMessage(annJid, { document, mimetype: 'application/zip' });
    const id = sent?.key.id ?? '';
    assert.equal((await alice.ack(id))['error'], undefined);
    assert.partialDeepStrictEqual(await alice.inboxCopy(id, annJid), { type: 'document' });
    return id;
  }
});

async function sha256Of(source: AsyncIterable<unknown>): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of source) if (chunk instanceof Uint8Array) hash.update(chunk);
  return hash.digest('hex');
}

/** The most that it has had so far. */
async function residentBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1] ?? Number.NaN) * 1024;
}
