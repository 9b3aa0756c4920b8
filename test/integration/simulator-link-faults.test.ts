import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { BaileysClient, type ClientSettings } from '../support/baileys-client.ts';
import { eventually } from '../support/eventually.ts';
import { type SimulatorProcess, startSimulator } from '../support/simulator.ts';

let simulator: SimulatorProcess;
const clients: BaileysClient[] = [];
let lastNumber = 15_550_002_000;
function newClient(settings: Partial<ClientSettings> = {}): BaileysClient {
  const { wsUrl, rootKeyHex } = simulator;
  const client = new BaileysClient({ wsUrl, rootKeyHex, ...settings });
  clients.push(client);
  return client;
}

/** A linked and open client with a number of its own. */
async function pair(config: ClientSettings['config'] = {}): Promise<{ client: BaileysClient; phone: string }> {
  lastNumber += 1;
  const phone = String(lastNumber);
  const client = newClient({ config });
  client.connect();
  const answer = await simulator.api('POST', '/phones/scan', { qr: await client.qr(), phone });
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  await client.untilOpen();
  return { client, phone };
}

async function fault(phone: string, body: Record<string, unknown>): Promise<void> {
  const answer = await simulator.api('POST', `/accounts/${phone}/faults`, body);
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
}

async function globalFault(body: Record<string, unknown>): Promise<void> {
  const answer = await simulator.api('POST', '/faults', body);
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
}

before(async () => {
  simulator = await startSimulator({ preKeys: 'skip' });
});

afterEach(async () => {
  await simulator.api('DELETE', '/faults');
  await Promise.all(clients.splice(0).map((client) => client.close()));
});

after(async () => {
  await simulator.stop();
});

describe('an open connection is ended', () => {
  const endings = [
    { fault: { fault: 'stream_error', code: 500 }, code: 500 },
    { fault: { fault: 'stream_error', code: 503 }, code: 503 },
    { fault: { fault: 'replaced' }, code: 440 },
    { fault: { fault: 'disconnect' }, code: 428 },
    { fault: { fault: 'stream_end' }, code: 428 },
    { fault: { fault: 'downgrade' }, code: 411 },
  ];
  for (const ending of endings) {
    test(`${JSON.stringify(ending.fault)} closes with ${ending.code}, and the client may come back`, async () => {
      const { client, phone } = await pair();
      await fault(phone, ending.fault);
      assert.equal(await client.untilClosed(), ending.code);
      await client.open();
    });
  }

  test('a restart is asked for with 515, and the client comes back by itself', async () => {
    const { client, phone } = await pair();
    await fault(phone, { fault: 'stream_error', code: 515 });
    await eventually(async () => {
      const { body } = await simulator.api('GET', `/accounts/${phone}/oracle`);
      return body['logins'] === 2;
    });
    await client.untilOpen();
    assert.deepEqual(client.closeCodes, []);
  });

  test('a logout on the phone closes with 401, and the next login is refused', async () => {
    const { client, phone } = await pair();
    await fault(phone, { fault: 'logout' });
    assert.equal(await client.untilClosed(), 401);
    client.connect();
    assert.equal(await client.untilClosed(2), 401);
  });

  test('a logout while the client is away is told at its next login', async () => {
    const { client, phone } = await pair();
    await client.close();
    await fault(phone, { fault: 'logout' });
    client.connect();
    assert.equal(await client.untilClosed(client.closeCodes.length + 1), 401);
  });

  test("a client's own logout unlinks it", async () => {
    const { client, phone } = await pair();
    await client.socket.logout();
    assert.equal(await client.untilClosed(), 401);
    await eventually(async () => {
      const { body } = await simulator.api('GET', `/accounts/${phone}`);
      return Array.isArray(body['devices']) && body['devices'].length === 0;
    });
  });

  test('a second login with the same keys replaces the first', async () => {
    const { client } = await pair();
    const second = newClient({ auth: client.auth });
    await second.open();
    assert.equal(await client.untilClosed(), 440);
    assert.equal(second.isOpen, true);
  });

  test('a server that is deaf, silent or garbled is given up after the keep-alive', async () => {
    // Baileys leaves the rejection of every frame that it cannot decrypt unhandled, which the runner counts as failure.
    const listeners = process.listeners('unhandledRejection');
    process.removeAllListeners('unhandledRejection');
    let unhandled = 0;
    process.on('unhandledRejection', () => {
      unhandled += 1;
    });
    try {
      const closes = ['deaf', 'silent', 'corrupt_frame'].map(async (name) => {
        const { client, phone } = await pair({ keepAliveIntervalMs: 500 });
        await fault(phone, { fault: name });
        return client.untilClosed();
      });
      assert.deepEqual(await Promise.all(closes), [408, 408, 408]);
      assert.ok(unhandled > 0);
    } finally {
      process.removeAllListeners('unhandledRejection');
      for (const listener of listeners) process.on('unhandledRejection', listener);
    }
  });
});

describe('a login is refused', () => {
  for (const code of [401, 403, 405, 409, 411, 419, 500, 503]) {
    test(`with ${code}, once`, async () => {
      const { client, phone } = await pair();
      await fault(phone, { fault: 'refuse_login', code, count: 1 });
      await client.close();
      client.connect();
      assert.equal(await client.untilClosed(client.closeCodes.length + 1), code);
      await client.open();
    });
  }

  test('a ban cuts the connection and tells how long it lasts', async () => {
    const { client, phone } = await pair();
    await fault(phone, { fault: 'ban', seconds: 1000 });
    assert.equal(await client.untilClosed(), 428);
    client.connect();
    assert.equal(await client.untilClosed(2), 402);
    const error = client.closeErrors[1];
    const told = /"code":"101","expire":"(\d+)"/.exec(JSON.stringify(error));
    const expireS = Number(told?.[1]);
    assert.ok(expireS > 990 && expireS <= 1000, JSON.stringify(error));
    await simulator.api('DELETE', `/accounts/${phone}/faults`);
    await client.open();
  });

  test('a ban ends by itself', async () => {
    const { client, phone } = await pair();
    await fault(phone, { fault: 'ban', seconds: 1 });
    await client.untilClosed();
    await eventually(async () => {
      await client.close();
      client.connect();
      const attempts = client.closeCodes.length;
      await eventually(() => client.isOpen || client.closeCodes.length > attempts);
      return client.isOpen;
    });
  });

  test('an outdated client is cut and refused with 405, also when it wants to pair', async () => {
    const { client, phone } = await pair();
    await fault(phone, { fault: 'outdated' });
    await client.untilClosed();
    client.connect();
    assert.equal(await client.untilClosed(2), 405);
    await globalFault({ fault: 'outdated' });
    const stranger = newClient();
    stranger.connect();
    assert.equal(await stranger.untilClosed(), 405);
  });
});

describe('a connection is not established', () => {
  for (const code of [403, 429, 502]) {
    test(`the upgrade is answered with HTTP ${code}`, async () => {
      await globalFault({ fault: 'refuse_upgrade', code });
      const client = newClient();
      client.connect();
      await client.untilClosed();
      assert.deepEqual(client.httpStatuses, [code]);
    });
  }

  test('the upgrade is not answered', async () => {
    await globalFault({ fault: 'no_upgrade' });
    const client = newClient({ config: { connectTimeoutMs: 300 } });
    client.connect();
    assert.equal(await client.untilClosed(), 408);
  });

  test("the client's hello is not answered", async () => {
    await globalFault({ fault: 'no_server_hello' });
    const client = newClient({ config: { connectTimeoutMs: 300 } });
    client.connect();
    assert.equal(await client.untilClosed(), 408);
  });
});

describe('queries', () => {
  test('with all but pings unanswered the client opens late', async () => {
    const { client, phone } = await pair({ defaultQueryTimeoutMs: 200, keepAliveIntervalMs: 300 });
    await fault(phone, { fault: 'mute_queries' });
    await client.close();
    const begin = performance.now();
    await client.open();
    assert.ok(performance.now() - begin > 500);
    assert.equal(await client.socket.profilePictureUrl(client.jid), undefined);
    assert.equal(client.isOpen, true);
  });

  test('a slow usync delays nothing but itself', async () => {
    const { client, phone } = await pair();
    await fault(phone, { fault: 'slow_usync', delay_ms: 600 });
    const begin = performance.now();
    const lookup = client.socket.onWhatsApp(phone);
    await client.socket.fetchBlocklist();
    assert.ok(performance.now() - begin < 500);
    assert.equal((await lookup)?.length, 1);
    assert.ok(performance.now() - begin >= 590);
  });

  test('settings are answered and kept', async () => {
    const { client } = await pair();
    assert.deepEqual(await client.socket.fetchBlocklist(), []);
    await client.socket.updateProfileStatus('At sea');
    const [status] = (await client.socket.fetchStatus(client.jid)) ?? [];
    assert.match(JSON.stringify(status), /"status":"At sea"/);
    await client.socket.updateReadReceiptsPrivacy('none');
    assert.equal((await client.socket.fetchPrivacySettings(true))['readreceipts'], 'none');
    await assert.rejects(client.socket.profilePictureUrl(client.jid), /item-not-found/);
  });

  test('the signed pre-key can be rotated', async () => {
    const { client } = await pair();
    await client.socket.rotateSignedPreKey();
    await client.socket.digestKeyBundle();
  });

  test('few one-time keys left make the server ask for more', async () => {
    const other = await startSimulator();
    try {
      const { wsUrl, rootKeyHex } = other;
      const client = newClient({ wsUrl, rootKeyHex });
      client.connect();
      await other.api('POST', '/phones/scan', { qr: await client.qr(), phone: '15550003001' });
      await client.untilOpen();
      const left = async () => {
        const { body } = await other.api('GET', '/accounts/15550003001');
        return Number(/"pre_keys":(\d+)/.exec(JSON.stringify(body))?.[1]);
      };
      // The phone takes one of the 812 to share the app state key.
      await eventually(async () => (await left()) === 811, 10_000, left);
      const bundleQuery = () =>
        client.socket.query({
          tag: 'iq',
          attrs: { to: '@s.whatsapp.net', type: 'get', xmlns: 'encrypt' },
          content: [
            { tag: 'key', attrs: {}, content: [{ tag: 'user', attrs: { jid: client.auth.creds.me?.id ?? '' } }] },
          ],
        });
      for (let taken = 0; taken < 807; taken += 1) await bundleQuery();
      await eventually(async () => (await left()) === 9, 10_000, left);
      assert.deepEqual((await other.api('GET', '/oracle')).body['unknown_stanzas'], []);
    } finally {
      await Promise.all(clients.splice(0).map((client) => client.close()));
      await other.stop();
    }
  });
});

test('an iq that the server does not know is refused with 501 and noted', async () => {
  const { client, phone } = await pair();
  const before = await simulator.api('GET', '/oracle');
  assert.deepEqual(before.body['unknown_stanzas'], []);
  const query = client.socket.query({
    tag: 'iq',
    attrs: { to: '@s.whatsapp.net', type: 'get', xmlns: 'w:unheard-of' },
  });
  await assert.rejects(query, /feature-not-implemented/);
  const { body } = await simulator.api('GET', `/accounts/${phone}/oracle`);
  assert.deepEqual(body['unknown_stanzas'], ['iq type=get xmlns=w:unheard-of']);
});
