/** Names that lead elsewhere than they say, and servers that send a fetch on: 127.0.0.2 plays the public network here. */
import assert from 'node:assert/strict';
import { lookup } from 'node:dns';
import { createServer, type Server } from 'node:http';
import { after, before, describe, test } from 'node:test';
import { request, type Agent } from 'undici';
import { WardenError } from '../../src/contract/errors.ts';
import { fetchMedia } from '../../src/media/fetch-media.ts';
import { createGuardedAgent } from '../../src/media/guarded-fetch.ts';
import { createAddressPolicy } from '../../src/media/private-address.ts';

const publicAddress = '127.0.0.2';
const policy = createAddressPolicy([publicAddress]);

/** Listens on all of 127/8, and keeps which address each request came in by. */
let server: Server;
let port: number;
let location: string | null;
let reached: (string | undefined)[] = [];
let asked: string[] = [];
const agents: Agent[] = [];

before(async () => {
  server = createServer((incoming, answer) => {
    reached.push(incoming.socket.localAddress);
    const isFirst = location !== null && incoming.url === '/start';
    answer.writeHead(isFirst ? 302 : 200, { connection: 'close', ...(isFirst ? { location: location ?? '' } : {}) });
    answer.end('secret');
  });
  await new Promise<void>((resolve) => server.listen(0, '0.0.0.0', resolve));
  const address = server.address();
  port = typeof address === 'object' && address !== null ? address.port : 0;
});
after(async () => {
  await Promise.all(agents.map((agent) => agent.destroy()));
  await new Promise((resolve) => server.close(resolve));
});

/** A resolver that gives these answers one after the other, and the last for ever. */
function resolverOf(answers: readonly (readonly string[])[]): typeof lookup {
  const waiting = [...answers];
  const answer = (...args: readonly unknown[]): void => {
    const [name, options, done] = args;
    asked.push(String(name));
    const addresses = (waiting.length > 1 ? waiting.shift() : waiting[0]) ?? [];
    assert.ok(typeof done === 'function' && typeof options === 'object');
    const found = addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
    Reflect.apply(done, undefined, [null, found]);
  };
  return Object.assign(answer, { __promisify__: lookup.__promisify__ });
}

function agent(answers: readonly (readonly string[])[]): Agent {
  reached = [];
  asked = [];
  location = null;
  const guarded = createGuardedAgent({
    policy,
    connectTimeoutMs: 2000,
    headersTimeoutMs: 2000,
    bodyTimeoutMs: 2000,
    resolve: resolverOf(answers),
  });
  agents.push(guarded);
  return guarded;
}

const isRefusal = (error: unknown): boolean => error instanceof WardenError && error.code === 'unprocessable';
const ask = async (dispatcher: Agent): Promise<void> => {
  const { body } = await request(`http://rebound.example:${port}/`, { dispatcher, method: 'POST', body: '{}' });
  await body.dump();
};

describe('a name whose address changes', () => {
  test('is looked up again for each connection, and refused once it leads inside', async () => {
    const dispatcher = agent([[publicAddress], ['127.0.0.1'], [publicAddress]]);
    await ask(dispatcher);
    await assert.rejects(ask(dispatcher), isRefusal);
    await ask(dispatcher);
    assert.deepEqual(reached, [publicAddress, publicAddress]);
    assert.equal(asked.length, 3);
  });

  for (const inside of [
    '127.0.0.1',
    '169.254.169.254',
    '10.0.0.1',
    '::1',
    '::ffff:127.0.0.1',
    '::ffff:0:127.0.0.1',
    '64:ff9b::7f00:1',
    '2002:7f00:1::',
    'fe80::1%lo',
    'fd00:ec2::254',
    'not an address',
  ]) {
    test(`is refused when any of its addresses is ${inside}`, async () => {
      await assert.rejects(ask(agent([[publicAddress, inside]])), isRefusal);
      await assert.rejects(ask(agent([[inside, publicAddress]])), isRefusal);
      await assert.rejects(ask(agent([[inside]])), isRefusal);
      assert.deepEqual(reached, []);
    });
  }

  test('is refused when it has none', async () => {
    await assert.rejects(ask(agent([[]])), isRefusal);
  });
});

describe('media that is fetched', () => {
  const fetch = (dispatcher: Agent, url: string) =>
    fetchMedia(
      { agent: dispatcher, policy, userAgent: 'Warden/test' },
      { url, capBytes: 1000, signal: AbortSignal.timeout(5000) },
    );

  const elsewhere = (): readonly string[] => [
    `http://127.0.0.1:${port}/`,
    `http://2130706433:${port}/`,
    `http://0177.0.0.1:${port}/`,
    `http://[::1]:${port}/`,
    `http://[::ffff:127.0.0.1]:${port}/`,
    `http://localhost:${port}/`,
    `//127.0.0.1:${port}/`,
    `http://user:pw@${publicAddress}:${port}/`,
    `http://${publicAddress}:22/`,
    'http://169.254.169.254/latest/meta-data/',
    'file:///etc/passwd',
    'data:text/plain,hello',
    'gopher://127.0.0.1:6379/_INFO',
    'ftp://127.0.0.1/',
    'javascript:alert(1)',
    'http://',
  ];
  test('is not fetched from where a redirect leads inside', async () => {
    for (const target of elsewhere()) {
      const dispatcher = agent([[publicAddress]]);
      location = target;
      const outcome = fetch(dispatcher, `http://cdn.example:${port}/start`);
      await assert.rejects(
        outcome,
        (error: unknown) => error instanceof WardenError && error.code === 'media_unreachable',
        target,
      );
      assert.deepEqual(reached, [publicAddress], target);
    }
  });

  test('is not fetched when the name of a redirect leads inside by then', async () => {
    const dispatcher = agent([[publicAddress], ['127.0.0.1']]);
    location = `http://other.example:${port}/`;
    await assert.rejects(fetch(dispatcher, `http://cdn.example:${port}/start`), /private address/);
    assert.deepEqual(reached, [publicAddress]);
    assert.deepEqual(asked, ['cdn.example', 'other.example']);
  });

  test('is fetched over a redirect that stays outside', async () => {
    const dispatcher = agent([[publicAddress]]);
    location = `http://other.example:${port}/`;
    const fetched = await fetch(dispatcher, `http://cdn.example:${port}/start`);
    const chunks: Uint8Array[] = [];
    for await (const chunk of fetched.body) chunks.push(chunk);
    assert.equal(Buffer.concat(chunks).toString(), 'secret');
  });
});
