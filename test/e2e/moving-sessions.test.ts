import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cp, mkdtemp, readdir, readFile, rm, stat, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { deserialize } from 'node:v8';
import { useMultiFileAuthState } from '@whiskeysockets/baileys';
import { at } from '../support/api-client.ts';
import { BaileysClient } from '../support/baileys-client.ts';
import { eventually } from '../support/eventually.ts';
import { GatewayUnderTest, token, untilConnected, untilStatus } from '../support/gateway.ts';
import { errorOf } from '../support/paired-gateway.ts';
import { startSimulator, type SimulatorProcess } from '../support/simulator.ts';
import { sessionId } from '../support/store-fixtures.ts';
import { dumpOf } from '../support/table-dump.ts';
import { keyText, testKey } from '../support/test-keys.ts';

const contact = '15551112222';
const passphrase = 'a passphrase of a test';
const deadlineMs = 30_000;

let server: SimulatorProcess;
let first: GatewayUnderTest;
let second: GatewayUnderTest;

before(async () => {
  server = await startSimulator();
  const env = { WHATSAPP_URL: server.wsUrl, WHATSAPP_ROOT_KEY: server.rootKeyHex };
  first = await GatewayUnderTest.start({ env });
  second = await GatewayUnderTest.start({ env: { ...env, ENCRYPTION_KEY: keyText(testKey('second')) } });
  assert.equal((await server.api('POST', '/contacts', { phone: contact })).status, 201);
});

after(async () => {
  await first.dispose();
  await second.dispose();
  await server.stop();
});

describe('a session that moves to another gateway', () => {
  const phone = '15550040001';
  let file: Buffer;

  test('is stopped by its export, and not started again by accident', async () => {
    await pair(first, 'support', phone);
    await talk(first, { id: 'support', phone }, 'before');
    file = await exported(first, 'support');
    const session = await untilStatus(first, 'support', 'disconnected');
    assert.match(String(at(session, 'status_reason')), /exported.*take_back/s);
    for (const way of ['connect', 'restart']) {
      const answer = await first.post(`/sessions/support/${way}`);
      assert.deepEqual([answer.status, errorOf(answer)], [409, 'session_exported']);
    }
    await first.stop();
    await first.boot();
    assert.equal(at((await first.get('/sessions/support')).json, 'status'), 'disconnected');
    assert.equal(errorOf(await first.post('/sessions/support/connect')), 'session_exported');
  });

  test('is not created from a file that is damaged, cut off or foreign, nor with a wrong passphrase', async () => {
    const faultOf = async (bytes: Buffer, phrase: string) => {
      const answer = await second.post('/sessions/import', { file: bytes.toString('base64'), passphrase: phrase });
      return [answer.status, errorOf(answer), at(answer.json, 'error', 'details', 0, 'field')];
    };
    const flipped = Buffer.from(file);
    flipped[file.length - 100] = (flipped[file.length - 100] ?? 0) ^ 1;
    assert.deepEqual(await faultOf(file, 'another passphrase'), [400, 'invalid_request', 'passphrase']);
    assert.deepEqual(await faultOf(flipped, passphrase), [400, 'invalid_request', 'file']);
    assert.deepEqual(await faultOf(file.subarray(0, -1), passphrase), [400, 'invalid_request', 'file']);
    assert.deepEqual(await faultOf(file.subarray(0, 40), passphrase), [400, 'invalid_request', 'file']);
    assert.deepEqual(await faultOf(Buffer.from('PK\u0003\u0004'), passphrase), [400, 'invalid_request', 'file']);
    assert.equal(at((await second.get('/sessions')).json, 'total'), 0);
  });

  test('goes on there where it was, and is there only once', async () => {
    const body = { file: file.toString('base64'), passphrase };
    const session = await second.must(201, '/sessions/import', body);
    assert.deepEqual([at(session, 'id'), at(session, 'is_logged_in')], ['support', true]);
    await untilConnected(second, 'support');
    // What was sent before the move can still be asked for by a recipient that could not decrypt it.
    assert.match((await second.get('/sessions/support/messages')).text, /sent before/);
    await talk(second, { id: 'support', phone }, 'after');
    const again = await second.post('/sessions/import', body);
    assert.deepEqual([again.status, errorOf(again)], [409, 'session_exists']);
    const { body: oracle } = await server.api('GET', `/accounts/${phone}/oracle`);
    assert.deepEqual([oracle['repeated_ratchet_positions'], oracle['unknown_stanzas']], [0, []]);
  });

  test('leaves an entry in the audit log of both', async () => {
    for (const [gateway, operation] of [
      [first, 'exportSession'],
      [second, 'importSession'],
    ] as const) {
      const entry = await eventually(async () => {
        const { json } = await gateway.get(`/audit?operation=${operation}&session=support`);
        return at(json, 'entries', 0, 'status') !== undefined && at(json, 'entries', 0);
      }, deadlineMs);
      assert.equal(at(entry, 'session') ?? at(entry, 'session_id'), 'support');
    }
  });

  test('can be taken back when it runs nowhere else', async () => {
    await pair(first, 'spare', '15550040002');
    await exported(first, 'spare');
    assert.equal(errorOf(await first.post('/sessions/spare/connect')), 'session_exported');
    await first.must(200, '/sessions/spare/connect', { take_back: true });
    await untilConnected(first, 'spare');
    await first.must(200, '/sessions/spare/restart');
  });

  test('leaves no private key in any table of either database', async () => {
    const store = await first.database?.openStore();
    const id = sessionId('support');
    assert.ok(store !== undefined && first.database !== null && second.database !== null);
    const { creds } = await store.credentials.load(id);
    const ids = Array.from({ length: 30 }, (_, n) => String(n + 1));
    const preKeys = Object.values(await store.credentials.getKeys(id, 'pre-key', ids));
    const secrets = [creds, ...preKeys].flatMap((value) => privateKeysOf(deserialize(value ?? Buffer.alloc(0))));
    assert.ok(secrets.length >= 10, `only ${secrets.length} keys were found`);
    for (const dump of [await dumpOf(first.database), await dumpOf(second.database)]) {
      assert.ok(dump.tables.includes('signal_keys') && dump.tables.includes('credentials'));
      assert.deepEqual(
        secrets.filter((secret) => dump.holds(secret)),
        [],
      );
    }
  });
});

describe('an account that another program kept in a Baileys folder', () => {
  const phone = '15550040003';
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'warden-baileys-'));
    const { state, saveCreds } = await useMultiFileAuthState(folder);
    const client = new BaileysClient({ wsUrl: server.wsUrl, rootKeyHex: server.rootKeyHex, auth: state });
    client.connect();
    assert.equal((await server.api('POST', '/phones/scan', { qr: await client.qr(), phone })).status, 200);
    await client.untilOpen(deadlineMs);
    await server.api('POST', `/accounts/${phone}/messages`, { from: contact, text: 'to the folder' });
    await eventually(() => client.messages.some(({ message }) => textOf(message) === 'to the folder'), deadlineMs);
    await client.socket.sendMessage(`${contact}@s.whatsapp.net`, { text: 'from the folder' });
    await eventually(() => isReceived(phone, 'from the folder'), deadlineMs);
    await client.close();
    await saveCreds();
  });
  after(() => rm(folder, { recursive: true, force: true }));

  test('is refused with the names of the files that are wrong, and nothing is created', async () => {
    const broken = await mkdtemp(join(tmpdir(), 'warden-baileys-'));
    try {
      await cp(folder, broken, { recursive: true });
      const name = (await readdir(broken)).find((each) => each.startsWith('pre-key-')) ?? '';
      const preKey = await readFile(join(broken, name), 'utf8');
      await writeFile(join(broken, name), preKey.slice(0, 20));
      await writeFile(join(broken, 'notes.txt'), 'hello');
      const failed = await run('import-session', '--folder', broken, '--id', 'broken').catch((error: unknown) => error);
      assert.ok(
        String(at(failed, 'stderr')).includes(`files.${name}: must be whole JSON`),
        String(at(failed, 'stderr')),
      );
      assert.match(String(at(failed, 'stderr')), /files\.notes\.txt: must be a name/);
      await unlink(join(broken, 'notes.txt'));
      await writeFile(join(broken, name), preKey);
      await writeFile(join(broken, 'creds.json'), '{"registrationId": 1}');
      const unpaired = await run('import-session', '--folder', broken, '--id', 'broken').catch(
        (error: unknown) => error,
      );
      assert.match(String(at(unpaired, 'stderr')), /files\.creds\.json: must be credentials/);
      assert.equal((await second.get('/sessions/broken')).status, 404);
    } finally {
      await rm(broken, { recursive: true, force: true });
    }
  });

  test('goes on as a session, with the conversations that it had', async () => {
    const { stdout } = await run('import-session', '--folder', folder, '--id', 'from-folder', '--name', 'Old bot');
    assert.match(stdout, /The session from-folder is there/);
    await second.must(200, '/sessions/from-folder/connect');
    await untilConnected(second, 'from-folder');
    await talk(second, { id: 'from-folder', phone }, 'as a session');
    const session = (await second.get('/sessions/from-folder')).json;
    assert.deepEqual([at(session, 'phone_number'), at(session, 'name')], [phone, 'Old bot']);
    const { body: oracle } = await server.api('GET', `/accounts/${phone}/oracle`);
    assert.deepEqual([oracle['repeated_ratchet_positions'], oracle['unknown_stanzas']], [0, []]);
  });
});

describe('the commands', () => {
  test('move a session, into a file that only its owner can read and that replaces no other', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'warden-export-'));
    const path = join(folder, 'moved.warden-session');
    try {
      await writeFile(path, 'something else');
      await assert.rejects(run('export-session', '--id', 'from-folder', '--file', path));
      assert.equal(at((await second.get('/sessions/from-folder')).json, 'status'), 'connected');
      await unlink(path);
      await assert.rejects(run('export-session', '--id', 'nobody', '--file', path));
      assert.deepEqual(await readdir(folder), []);
      const { stdout } = await run('export-session', '--id', 'from-folder', '--file', path);
      assert.match(stdout, /stopped here and stays so/);
      assert.equal((await stat(path)).mode & 0o777, 0o600);
      await run('import-session', '--file', path, '--id', 'moved');
      await untilConnected(second, 'moved');
      await talk(second, { id: 'moved', phone: '15550040003' }, 'by commands');
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});

describe('the key that encrypts', () => {
  test('is changed while sessions run, and the old one can be forgotten afterwards', async () => {
    const [old, next] = [keyText(testKey('second')), keyText(testKey('next'))];
    await second.stop();
    await second.boot({ ENCRYPTION_KEY: `${next},${old}` });
    await untilConnected(second, 'support');
    assert.match((await run('rotate-key')).stdout, /wrapped with the key "next"/);
    await second.stop();
    await second.boot({ ENCRYPTION_KEY: next });
    await untilConnected(second, 'support');
    await talk(second, { id: 'support', phone: '15550040001' }, 'after the rotation');
  });

  test('ends the start when it is the wrong one, with what to do about it', async () => {
    await second.stop();
    await assert.rejects(second.boot({ ENCRYPTION_KEY: keyText(testKey('wrong')) }), /encryption key does not open/);
    assert.match(second.output, /encrypted with the key "next".*Set ENCRYPTION_KEY/s);
    assert.equal(await second.stop(), 22);
    await second.boot({ ENCRYPTION_KEY: keyText(testKey('next')) });
    await untilConnected(second, 'support');
  });

  test('is made at the first start where none is given, for its owner alone', async () => {
    const gateway = await GatewayUnderTest.start({ env: { ENCRYPTION_KEY: '' } });
    try {
      const path = join(gateway.storagePath, 'secrets', 'encryption-key');
      assert.equal((await stat(path)).mode & 0o777, 0o600);
      assert.match(gateway.output, /an encryption key was generated: keep a copy in a secret store/);
      assert.doesNotMatch(gateway.output, new RegExp((await readFile(path, 'utf8')).trim().replaceAll('+', '\\+')));
      await gateway.stop();
      await gateway.boot();
      await gateway.stop();
      await unlink(path);
      await assert.rejects(gateway.boot(), /there is no encryption key/);
      assert.equal(await gateway.stop(), 22);
    } finally {
      await gateway.dispose();
    }
  });
});

async function pair(gateway: GatewayUnderTest, id: string, phone: string): Promise<void> {
  await gateway.must(201, '/sessions', { id });
  const code = await gateway.get(`/sessions/${id}/qr?wait=20`);
  assert.equal((await server.api('POST', '/phones/scan', { qr: at(code.json, 'qr'), phone })).status, 200);
  await untilConnected(gateway, id);
}

/** A message in each direction. */
async function talk(
  gateway: GatewayUnderTest,
  { id, phone }: { readonly id: string; readonly phone: string },
  words: string,
): Promise<void> {
  await gateway.must(200, `/sessions/${id}/messages/text`, { to: contact, text: `sent ${words}` });
  await eventually(() => isReceived(phone, `sent ${words}`), deadlineMs);
  const written = { from: contact, text: `received ${words}` };
  assert.equal((await server.api('POST', `/accounts/${phone}/messages`, written)).status, 201);
  await eventually(async () => {
    const { text } = await gateway.get(`/sessions/${id}/messages`);
    return text.includes(`received ${words}`);
  }, deadlineMs);
}

async function isReceived(phone: string, text: string): Promise<boolean> {
  const { body } = await server.api('GET', `/accounts/${phone}/inbox?contact=${contact}`);
  return JSON.stringify(body).includes(text);
}

async function exported(gateway: GatewayUnderTest, id: string): Promise<Buffer> {
  const answer = await fetch(`${gateway.baseUrl}/api/v1/sessions/${id}/export`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ passphrase }),
  });
  assert.equal(answer.status, 200);
  assert.match(answer.headers.get('content-disposition') ?? '', new RegExp(`${id}\\.warden-session`));
  return Buffer.from(await answer.arrayBuffer());
}

/** Runs a command of package.json against the second gateway. */
function run(command: string, ...args: readonly string[]): Promise<{ readonly stdout: string }> {
  const script = fileURLToPath(new URL(`../../../scripts/${command}.mjs`, import.meta.url));
  const env = { PORT: new URL(second.baseUrl).port, SUPERADMIN_TOKEN: token, SESSION_PASSPHRASE: passphrase };
  return promisify(execFile)(process.execPath, [script, ...args], { env });
}

function textOf(message: unknown): unknown {
  return at(message, 'conversation') ?? at(message, 'extendedTextMessage', 'text');
}

/** All values named `private` at any depth. */
function privateKeysOf(value: unknown): readonly Uint8Array[] {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return [];
  return Object.entries(value).flatMap(([name, each]: [string, unknown]) =>
    name === 'private' && each instanceof Uint8Array ? [each] : privateKeysOf(each),
  );
}
