import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { proto, WAMessage } from '@whiskeysockets/baileys';
import { contact, SimulatedAccount, type Fields } from '../support/simulated-account.ts';
import { download, receivedBy, sha256Hex, testFile, type TestFile, trustMediaOf } from '../support/simulated-media.ts';
import { type SimulatorProcess, startSimulator } from '../support/simulator.ts';

const ann = '15550303001';
const annJid = `${ann}@s.whatsapp.net`;

describe('trouble with media on the simulated WhatsApp', () => {
  let stateDirectory: string;
  let simulator: SimulatorProcess;
  let alice: SimulatedAccount;
  let bob: SimulatedAccount;

  before(async () => {
    stateDirectory = await mkdtemp(join(tmpdir(), 'warden-media-'));
    simulator = await startSimulator({ stateDirectory });
    trustMediaOf(simulator);
    alice = new SimulatedAccount(simulator, '15550302001');
    bob = new SimulatedAccount(simulator, '15550302002');
    await Promise.all([alice.link(), bob.link()]);
    await contact(simulator, { phone: ann, name: 'Ann' });
  });

  after(async () => {
    await alice.client.close();
    await bob.client.close();
    await simulator.stop();
    await rm(stateDirectory, { recursive: true, force: true });
  });

  async function fromAnn(account: SimulatedAccount, file: TestFile = testFile(30_000)) {
    const request = { from: ann, type: 'image', file: { base64: file.bytes.toString('base64') } };
    const message = await receivedBy(account, await account.write(request));
    return { file, message, url: message.message?.imageMessage?.url ?? '' };
  }

  function upload(account: SimulatedAccount): Promise<WAMessage | undefined> {
    return account.client.socket.sendMessage(annJid, { image: testFile(30_000).bytes, jpegThumbnail: '' });
  }

  async function withFault(account: SimulatedAccount, fault: Fields, work: () => Promise<void>): Promise<void> {
    assert.equal((await account.post('faults', fault)).status, 200);
    await work();
    await account.clearFaults();
  }

  /** Asks the phone. Baileys takes the media host from the last `media_conn` only, and WhatsApp's own without one. */
  async function renew({ client }: SimulatedAccount, message: WAMessage): Promise<WAMessage> {
    await client.socket.refreshMediaConn();
    return client.socket.updateMediaMessage(message);
  }

  /** How Baileys says that the host answered with this status. */
  const refusedWith = (status: number) => (error: unknown) => {
    assert.equal(Reflect.get(Object(Reflect.get(Object(error), 'output')), 'statusCode'), status);
    return true;
  };

  test('an expired file is gone, until the phone has uploaded it again', async () => {
    const { file, message } = await fromAnn(alice);
    const id = message.key.id ?? '';
    assert.equal((await alice.post('media/expire', { message_id: id })).status, 200);
    await assert.rejects(download(alice.client.socket, message), refusedWith(410));
    const renewed = await renew(alice, message);
    assert.equal(sha256Hex(await download(alice.client.socket, renewed)), file.sha256);
  });

  test('the phone uploads also what another session has sent to it, and what it has sent itself', async () => {
    const file = testFile(20_000);
    const sent = await alice.client.socket.sendMessage(bob.jid, { image: file.bytes, jpegThumbnail: '' });
    assert.ok(sent);
    const atBob = await receivedBy(bob, sent.key.id ?? '');
    assert.equal((await alice.post('media/expire', { message_id: sent.key.id })).status, 200);
    for (const [account, message] of [
      [bob, atBob],
      [alice, sent],
    ] as const) {
      await assert.rejects(download(account.client.socket, message), refusedWith(410));
      const renewed = await renew(account, message);
      assert.equal(sha256Hex(await download(account.client.socket, renewed)), file.sha256);
    }
  });

  test('a phone that has lost the file says so', async () => {
    const { message } = await fromAnn(alice);
    assert.equal((await alice.post('media/expire', { message_id: message.key.id, from_phone: true })).status, 200);
    await assert.rejects(download(alice.client.socket, message), refusedWith(404));
    await assert.rejects(renew(alice, message), refusedWith(404));
    assert.equal((await alice.post('media/expire', { message_id: 'unknown' })).status, 404);
  });

  test('the host can be down for one account, in both directions', async () => {
    const { message, file } = await fromAnn(alice);
    const ofBob = await fromAnn(bob);
    await withFault(alice, { fault: 'media_down', code: 503 }, async () => {
      await assert.rejects(download(alice.client.socket, message), refusedWith(503));
      await assert.rejects(upload(alice), /Media upload failed on all hosts/);
      assert.equal(sha256Hex(await download(bob.client.socket, ofBob.message)), ofBob.file.sha256);
    });
    await withFault(alice, { fault: 'media_down' }, async () => {
      await assert.rejects(download(alice.client.socket, message), /fetch failed/);
      await assert.rejects(upload(alice), /Media upload failed on all hosts/);
    });
    assert.equal(sha256Hex(await download(alice.client.socket, message)), file.sha256);
  });

  test('all files can be gone, and those uploaded again are there', async () => {
    const { message, file } = await fromAnn(alice);
    await withFault(alice, { fault: 'media_gone', code: 404 }, async () => {
      await assert.rejects(download(alice.client.socket, message), refusedWith(404));
      const renewed = await renew(alice, message);
      assert.equal(sha256Hex(await download(alice.client.socket, renewed)), file.sha256);
    });
  });

  test('bodies can end in the middle, once', async () => {
    const { message, file } = await fromAnn(alice);
    await withFault(alice, { fault: 'media_cut', count: 1 }, async () => {
      await assert.rejects(download(alice.client.socket, message));
      assert.equal(sha256Hex(await download(alice.client.socket, message)), file.sha256);
    });
    await withFault(alice, { fault: 'media_cut', count: 1 }, async () => {
      await assert.rejects(upload(alice), /Media upload failed on all hosts/);
      assert.ok(await upload(alice));
    });
  });

  test('a file can come with a wrong byte, which only its hash tells', async () => {
    const { message, file } = await fromAnn(alice);
    await withFault(alice, { fault: 'media_corrupt' }, async () => {
      const bytes = await download(alice.client.socket, message);
      assert.equal(bytes.length, file.bytes.length);
      assert.notEqual(sha256Hex(bytes), file.sha256);
    });
  });

  test('the host can be slow: a client that waits no longer gives up', async () => {
    const { url } = await fromAnn(alice);
    await withFault(alice, { fault: 'media_slow', delay_ms: 600_000 }, async () => {
      await assert.rejects(fetch(url, { signal: AbortSignal.timeout(300) }), { name: 'TimeoutError' });
    });
    const answer = await fetch(url);
    assert.equal(answer.status, 200);
    await answer.arrayBuffer();
  });

  test('a message whose file is not what it says is noted against its sender', async () => {
    const sent = await bob.client.socket.sendMessage(bob.jid, { image: testFile(5000).bytes, jpegThumbnail: '' });
    const image = sent?.message?.imageMessage;
    assert.ok(image);
    const wrong = async (id: string, change: proto.Message.IImageMessage) => {
      await bob.client.socket.relayMessage(annJid, { imageMessage: { ...image, ...change } }, { messageId: id });
      const { media } = await bob.inboxCopy(id, annJid);
      return typeof media === 'object' && media !== null && 'failure' in media ? media.failure : media;
    };
    assert.equal(await wrong('3EB0000000000000000001', { fileSha256: Buffer.alloc(32) }), 'wrong_sha256');
    assert.equal(await wrong('3EB0000000000000000002', { fileEncSha256: Buffer.alloc(32) }), 'wrong_enc_sha256');
    assert.equal(await wrong('3EB0000000000000000003', { mediaKey: Buffer.alloc(32) }), 'wrong_mac');
    assert.equal(await wrong('3EB0000000000000000004', { fileLength: 1 }), 'wrong_length');
    assert.equal(await wrong('3EB0000000000000000005', { directPath: '/v/elsewhere' }), 'not_found');
    assert.equal(await wrong('3EB0000000000000000006', {}), null);
    assert.deepEqual((await bob.oracle())['unreadable_media'], [
      '3EB0000000000000000001 wrong_sha256',
      '3EB0000000000000000002 wrong_enc_sha256',
      '3EB0000000000000000003 wrong_mac',
      '3EB0000000000000000004 wrong_length',
      '3EB0000000000000000005 not_found',
    ]);
  });

  test('files, port and authority outlive the simulator', async () => {
    const { message, file } = await fromAnn(alice);
    const { port, pathname } = new URL(simulator.wsUrl);
    assert.equal(pathname, '/ws/chat');
    const { mediaUrl } = simulator;
    await simulator.kill();
    await alice.client.untilClosed();
    await bob.client.untilClosed();
    simulator = await startSimulator({ stateDirectory, port: Number(port) });
    alice.use(simulator);
    bob.use(simulator);
    assert.equal(simulator.mediaUrl, mediaUrl);
    await alice.client.open();
    assert.equal(sha256Hex(await download(alice.client.socket, message)), file.sha256);
  });
});
