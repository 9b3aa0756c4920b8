import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { at } from '../support/api-client.ts';
import { eventually } from '../support/eventually.ts';
import { GatewayUnderTest, inbox, pairedSession, requireCleanOracle, untilConnected } from '../support/gateway.ts';
import { startHttpReceiver, type HttpReceiver } from '../support/http-receiver.ts';

const contact = '15551234567';
const program = fileURLToPath(new URL('../support/set-clock-gateway.js', import.meta.url));
const hourMs = 3_600_000;

describe('a machine whose clock is set', () => {
  let gateway: GatewayUnderTest;
  let receiver: HttpReceiver;
  let offsetMs = 0;
  const folder = mkdtempSync(join(tmpdir(), 'warden-clock-'));
  const file = join(folder, 'offset');

  before(async () => {
    writeFileSync(file, '0');
    receiver = await startHttpReceiver();
    gateway = await GatewayUnderTest.start({
      program,
      env: { TEST_CLOCK_FILE: file, RESTART_BASE_MS: '2000' },
    });
    for (const [id, phone] of [
      ['a', '15550090001'],
      ['b', '15550090002'],
    ] as const) {
      await pairedSession(gateway, id, { phone, webhook: { url: receiver.url } });
      await gateway.must(201, `/sessions/${id}/sandbox/contacts`, { phone: contact });
    }
  });

  after(async () => {
    await gateway.dispose();
    await receiver.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** The time that the gateway and its children read from now on, beside the machine's. */
  const setClock = async (ms: number): Promise<void> => {
    offsetMs = ms;
    writeFileSync(file, String(ms));
    await eventually(async () => {
      await gateway.get('/sessions');
      const lines = gateway.output.trimEnd().split('\n');
      const time = Date.parse(String(at(JSON.parse(lines.at(-1) ?? ''), 'time')));
      return Math.abs(time - (Date.now() + ms)) < 60_000;
    });
  };
  const childOf = async (id: string): Promise<unknown> => at((await gateway.get(`/sessions/${id}`)).json, 'child');
  const tells = async (text: string): Promise<void> => {
    await gateway.must(201, '/sessions/a/sandbox/messages', { from: contact, text });
    const { headers } = await eventually(
      () => receiver.requests.find(({ json }) => at(json, 'data', 'body') === text),
      20_000,
    );
    const seconds = Number(headers['webhook-timestamp']);
    assert.ok(Math.abs(seconds * 1000 - (Date.now() + offsetMs)) < 60_000, 'the webhook has the time of the clock');
  };

  for (const [name, ms] of [
    ['forward by an hour', hourMs],
    ['back by an hour', -hourMs],
  ] as const) {
    test(`${name}: sessions stay as they are, messages go both ways, and times are told by the new clock`, async () => {
      const before = [await childOf('a'), await childOf('b')].map((child) => at(child, 'pid'));
      await setClock(ms);
      for (const id of ['a', 'b']) {
        await gateway.must(200, `/sessions/${id}/messages/text`, { to: contact, text: `${name} from ${id}` });
        const texts = (await inbox(gateway, id, contact)).map((each) => at(each, 'text'));
        assert.equal(texts.filter((text) => text === `${name} from ${id}`).length, 1);
        await requireCleanOracle(gateway, id);
      }
      await tells(name);
      const children = [await childOf('a'), await childOf('b')];
      assert.deepEqual(
        children.map((child) => at(child, 'pid')),
        before,
      );
      assert.ok(children.every((child) => at(child, 'restarts') === 0));
      assert.equal((await gateway.get('/readyz')).status === 503, false);
    });
  }

  test('back by an hour while a link and a process wait to come back: they wait no longer for that', async () => {
    await setClock(0);
    await gateway.must(200, '/sessions/a/sandbox/faults', { fault: 'refuse_login', code: 503 });
    await gateway.must(200, '/sessions/a/sandbox/faults', { fault: 'disconnect' });
    await eventually(async () => at((await gateway.get('/sessions/a')).json, 'status') === 'connecting');
    process.kill(Number(at(await childOf('b'), 'pid')), 'SIGKILL');
    await eventually(async () => at(await childOf('b'), 'state') === 'backoff');
    await setClock(-hourMs);
    await gateway.delete('/sessions/a/sandbox/faults');
    await untilConnected(gateway, 'a');
    await untilConnected(gateway, 'b');
    await tells('after they came back');
  });

  test('forward by an hour while a link waits to come back: it comes back once and stays', async () => {
    await setClock(0);
    await gateway.must(200, '/sessions/a/sandbox/faults', { fault: 'disconnect' });
    await setClock(hourMs);
    await untilConnected(gateway, 'a');
    await tells('after it came back');
    assert.equal(at(await childOf('a'), 'restarts'), 0);
  });
});
