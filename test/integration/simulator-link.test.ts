import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import { BaileysClient, type ClientSettings } from '../support/baileys-client.ts';
import { eventually } from '../support/eventually.ts';
import { type SimulatorProcess, startSimulator } from '../support/simulator.ts';

let simulator: SimulatorProcess;
const clients: BaileysClient[] = [];

function newClient(settings: Partial<ClientSettings> = {}): BaileysClient {
  const { wsUrl, rootKeyHex } = simulator;
  const client = new BaileysClient({ wsUrl, rootKeyHex, ...settings });
  clients.push(client);
  return client;
}

async function pair(phone: string, settings: Partial<ClientSettings> = {}): Promise<BaileysClient> {
  const client = newClient(settings);
  client.connect();
  const answer = await simulator.api('POST', '/phones/scan', { qr: await client.qr(), phone });
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  await client.untilOpen();
  return client;
}

before(async () => {
  simulator = await startSimulator();
});

afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()));
});

after(async () => {
  await simulator.stop();
});

describe('pairing by QR code', () => {
  test('a scanned client is linked, told to restart, and opens', async () => {
    const client = newClient();
    client.connect();
    const qr = await client.qr();
    const answer = await simulator.api('POST', '/phones/scan', { qr, phone: '+1 555 000 1001' });
    assert.equal(answer.status, 200);
    assert.equal(answer.body['phone_number'], '15550001001');
    assert.equal(answer.body['jid'], '15550001001@s.whatsapp.net');
    await client.untilOpen();
    const { me, account, routingInfo } = client.auth.creds;
    assert.equal(client.jid, '15550001001@s.whatsapp.net');
    assert.equal(me?.lid, String(answer.body['lid']).replace('@', ':1@'));
    assert.equal(me?.name, undefined, 'a consumer account has no name of its own');
    assert.ok(account?.deviceSignature);
    assert.ok(routingInfo);
    const devices = await simulator.api('GET', '/accounts/15550001001');
    assert.deepEqual(devices.body['devices'], [
      {
        jid: me?.id,
        lid: me?.lid,
        key_index: 1,
        is_connected: true, // The phone took one to share the app state key.
        pre_keys: 811,
      },
    ]);
  });

  test('a number is made up when none is given', async () => {
    const client = newClient();
    client.connect();
    const answer = await simulator.api('POST', '/phones/scan', { qr: await client.qr() });
    assert.equal(answer.status, 200);
    assert.match(String(answer.body['phone_number']), /^1555\d{7}$/);
  });

  test('the client shows six codes one after the other and then gives up', async () => {
    const client = newClient({ config: { qrTimeout: 50 } });
    client.connect();
    assert.equal(await client.untilClosed(), 408);
    const codes = new Set(client.updates.flatMap((update) => update.qr ?? []));
    assert.equal(codes.size, 6);
  });

  test('the code of a client that has gone is refused', async () => {
    const client = newClient();
    client.connect();
    const qr = await client.qr();
    await client.close();
    const answer = await eventually(async () => {
      const scanned = await simulator.api('POST', '/phones/scan', { qr, phone: '15550001003' });
      return scanned.status === 422 ? scanned : undefined;
    });
    assert.deepEqual(Object.keys(answer.body), ['error']);
    assert.equal((await simulator.api('POST', '/phones/scan', { qr: 'nonsense' })).status, 422);
    assert.equal((await simulator.api('GET', '/accounts/15550001003')).status, 409);
  });

  test('two clients of one account are two companions, and the first hears of the second', async () => {
    const first = await pair('15550001004');
    // Asks for its own account's devices, as a first send does.
    const list = () => first.socket.getUSyncDevices([first.jid], false, false);
    assert.deepEqual(
      (await list()).map(({ device }) => device),
      [0],
    );
    const second = await pair('15550001004');
    assert.match(second.auth.creds.me?.id ?? '', /:2@/);
    await eventually(async () => {
      const devices = await list();
      return devices.length === 2 ? devices : undefined;
    });
    await second.socket.logout();
    await eventually(async () => ((await list()).length === 1 ? true : undefined));
  });
});

describe('pairing by link code', () => {
  async function withCode(phone: string, customCode?: string) {
    const client = newClient();
    client.connect();
    await client.qr();
    const code = await client.socket.requestPairingCode(phone, customCode);
    return { client, code };
  }

  test('a typed code links the client', async () => {
    const { client, code } = await withCode('15550001010');
    const typed = `${code.slice(0, 4)}-${code.slice(4)}`;
    const answer = await eventually(async () => {
      const entered = await simulator.api('POST', '/phones/enter-code', { phone: '+15550001010', code: typed });
      return entered.status === 200 ? entered : undefined;
    });
    assert.equal(answer.body['phone_number'], '15550001010');
    await client.untilOpen();
    assert.equal(client.auth.creds.registered, true);
  });

  test('a code of the caller works too, and a wrong one is refused without harm', async () => {
    const { client, code } = await withCode('15550001011', 'WARDEN12');
    assert.equal(code, 'WARDEN12');
    const wrong = await simulator.api('POST', '/phones/enter-code', { phone: '15550001011', code: 'ABCDEFGH' });
    assert.equal(wrong.status, 422);
    assert.equal(typeof wrong.body['error'], 'object');
    const other = await simulator.api('POST', '/phones/enter-code', { phone: '15550001012', code });
    assert.equal(other.status, 422);
    const right = await simulator.api('POST', '/phones/enter-code', { phone: '15550001011', code: 'warden12' });
    assert.equal(right.status, 200, JSON.stringify(right.body));
    await client.untilOpen();
  });

  test('a client that reconnects before the code was typed is taken for a stranger: 401', async () => {
    const { client } = await withCode('15550001013');
    await client.close();
    client.connect();
    assert.equal(await client.untilClosed(client.closeCodes.length + 1), 401);
  });
});

describe('usync', () => {
  test('knows accounts and created contacts only, under any way to write their number', async () => {
    const client = await pair('15550001020');
    await simulator.api('POST', '/contacts', { phone: '551187654321' });
    await simulator.api('POST', '/contacts', { phone: '5215512345678' });
    await simulator.api('POST', '/contacts', { phone: '15550009999', registered: false });
    const results = await client.socket.onWhatsApp(
      '15550001020',
      '5511987654321',
      '525512345678',
      '15550009999',
      '15550009998',
    );
    assert.deepEqual(
      results?.map(({ jid }) => jid),
      ['15550001020@s.whatsapp.net', '551187654321@s.whatsapp.net', '5215512345678@s.whatsapp.net'],
    );
  });
});

describe('a state directory', () => {
  test('lets a linked client reconnect after the simulator was killed', async () => {
    const stateDirectory = await mkdtemp(join(tmpdir(), 'simulator-state-'));
    const outer = simulator;
    let second: SimulatorProcess | null = null;
    try {
      simulator = await startSimulator({ stateDirectory });
      const first = simulator;
      const client = await pair('15550001030');
      await first.kill();
      assert.equal(await client.untilClosed(), 428);
      second = await startSimulator({
        stateDirectory,
        port: Number(new URL(first.wsUrl).port),
        controlPort: Number(new URL(first.controlUrl).port),
        token: first.token,
      });
      assert.equal(second.rootKeyHex, first.rootKeyHex);
      await client.open();
      const devices = await second.api('GET', '/accounts/15550001030');
      assert.deepEqual(devices.body['devices'], [
        {
          jid: client.auth.creds.me?.id,
          lid: client.auth.creds.me?.lid,
          key_index: 1,
          is_connected: true,
          pre_keys: 811,
        },
      ]);
      await client.socket.logout();
      await eventually(async () => (await second?.api('GET', '/oracle'))?.body['logins'] === 1);
    } finally {
      simulator = outer;
      await second?.stop();
      await rm(stateDirectory, { recursive: true, force: true });
    }
  });

  test('without one a linked client is told to come again, not that it was logged out', async () => {
    const outer = simulator;
    let second: SimulatorProcess | null = null;
    try {
      simulator = await startSimulator();
      const first = simulator;
      const client = await pair('15550001031');
      await first.kill();
      await client.untilClosed();
      second = await startSimulator({ port: Number(new URL(first.wsUrl).port) });
      client.connect();
      assert.equal(await client.untilClosed(2), 503);
    } finally {
      simulator = outer;
      await second?.stop();
    }
  });
});

describe('the control API', () => {
  test('wants its token and names what is wrong', async () => {
    const url = simulator.controlUrl;
    assert.equal((await fetch(`${url}/health`)).status, 200);
    assert.equal((await fetch(`${url}/oracle`)).status, 401);
    assert.equal((await fetch(`${url}/oracle`, { headers: { authorization: 'Bearer wrong' } })).status, 401);
    assert.equal((await simulator.api('GET', '/nowhere')).status, 404);
    assert.equal((await simulator.api('DELETE', '/oracle')).status, 405);
    assert.equal((await simulator.api('POST', '/phones/scan', { phone: 'abc', qr: 'x' })).status, 400);
    assert.equal((await simulator.api('POST', '/faults', { fault: 'nonsense' })).status, 400);
    const broken = await fetch(`${url}/faults`, {
      method: 'POST',
      headers: { authorization: `Bearer ${simulator.token}` },
      body: '{',
    });
    assert.equal(broken.status, 400);
  });

  test('a simulator refuses to listen where strangers are', async () => {
    const { spawn } = await import('node:child_process');
    const entry = new URL('../../src/simulator/main.js', import.meta.url).pathname;
    const child = spawn(process.execPath, [entry, '--host', '0.0.0.0'], { stdio: 'ignore' });
    assert.deepEqual(await once(child, 'exit'), [1, null]);
  });
});

test('nothing that clients sent here was unknown', async () => {
  const { body } = await simulator.api('GET', '/oracle');
  assert.deepEqual(body['unknown_stanzas'], []);
  assert.equal(body['repeated_ratchet_positions'], 0);
  assert.equal(simulator.output(), '');
});
