/** A tenant of the gateway that tries everything, while another one uses it. */
import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { at } from '../support/api-client.ts';
import { eventually } from '../support/eventually.ts';
import { GatewayUnderTest, pairedSession } from '../support/gateway.ts';
import { hostileRequests, type HostileRequest } from '../support/hostile-requests.ts';
import { residentBytes } from '../support/process-facts.ts';
import { rawExchange, type RawAnswer } from '../support/raw-exchange.ts';

const contact = '15551234567';
const theirSecret = 'their-secret-0123456789';
/** Of each, so that what leaks a little is seen. */
const rounds = 8;
/** Between two collections of a busy heap; what leaked would never be given back. */
const allowanceBytes = 96 * 1024 * 1024;

let gateway: GatewayUnderTest;
let port: number;
let requests: readonly HostileRequest[];
before(async () => {
  gateway = await GatewayUnderTest.start({
    // On this machine the dashboard would just open.
    env: { FFMPEG_PATH: 'none', PACING_ENABLED: 'false', LOG_LEVEL: 'info', DASHBOARD_AUTH: 'login' },
  });
  port = Number(new URL(gateway.baseUrl).port);
  await pairedSession(gateway, 'mine', { phone: '15550001111' });
  await pairedSession(gateway, 'theirs', { phone: '15550002222' });
  await gateway.must(201, '/sessions/theirs/sandbox/contacts', { phone: contact });
  await gateway.must(200, '/sessions/theirs/messages/text', { to: contact, text: theirSecret });
  const created = await gateway.must(201, '/tokens', { name: 'Mine', role: 'operator', sessions: ['mine'] });
  requests = hostileRequests({ token: String(at(created, 'token')), session: 'mine' });
});
after(() => gateway.dispose());

const spool = (): Promise<readonly string[]> => readdir(join(gateway.storagePath, 'media', 'spool'));

function judge(
  { what, may = /^HTTP\/1\.1 4\d\d /, bytes }: HostileRequest,
  { text, statuses, isClosed }: RawAnswer,
): void {
  const seen = `${what}: ${bytes.toString('latin1').slice(0, 300)} → ${text.slice(0, 600)}`;
  assert.ok(isClosed, `not answered: ${seen}`);
  assert.match(text, may, seen);
  assert.ok(
    statuses.every((status) => status < 500 || status === 503),
    seen,
  );
  assert.doesNotMatch(text, /^(?:set-cookie: hacked|x-a:|isAdmin)/im, seen);
  assert.ok(!text.includes(theirSecret), seen);
  // A second request in the first one's body would be answered 401, or with what a proxy's next client gets.
  assert.ok(statuses.length <= 1, seen);
}

/** A database that is slow for a moment, on a machine with much to do, is asked again. */
async function send({ bytes, isEnded = false }: HostileRequest): Promise<RawAnswer> {
  for (let attempt = 0; ; attempt += 1) {
    const answer = await rawExchange(port, bytes, { isEnded });
    if (attempt === 3 || answer.statuses[0] !== 503) return answer;
  }
}

async function sendAll(): Promise<void> {
  const waiting = [...requests];
  const work = async (): Promise<void> => {
    for (let request = waiting.pop(); request !== undefined; request = waiting.pop()) {
      judge(request, await send(request));
    }
  };
  await Promise.all(Array.from({ length: 16 }, work));
}

describe('a tenant that tries everything', () => {
  test('is refused each time, and gets nothing of anybody else', async () => {
    await sendAll();
  });

  test('costs no memory and no room on the disk', async (context) => {
    const idle = residentBytes(gateway.pid);
    for (let round = 0; round < rounds; round += 1) await sendAll();
    const busy = residentBytes(gateway.pid);
    const settled = await eventually(
      async () => {
        const now = residentBytes(gateway.pid);
        if (now - idle < allowanceBytes) return now;
        // An idle process collects nothing.
        await sendAll();
        return null;
      },
      90_000,
      () => ({ idle, busy, now: residentBytes(gateway.pid) }),
    );
    context.diagnostic(`${rounds * requests.length} requests; resident bytes ${idle} → ${busy} → ${settled}`);
    await eventually(async () => (await spool()).length === 0, 10_000, spool);
  });

  test('disturbs nobody', async () => {
    await gateway.must(200, '/sessions/theirs/messages/text', { to: contact, text: 'Still here' });
    for (const id of ['mine', 'theirs']) {
      assert.equal(at((await gateway.get(`/sessions/${id}`)).json, 'status'), 'connected');
    }
    assert.doesNotMatch(gateway.output, /"level":(?:50|60)/);
  });
});
