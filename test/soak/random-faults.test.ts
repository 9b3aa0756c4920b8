/**
 * Two hundred sandbox sessions that send while their processes are killed, stopped and asked to restart at random, their
 * database goes away and WhatsApp ends their connections: what is accepted arrives once, and the memory of the supervisor
 * stays flat. Then the gateway itself is suspended, stopped and killed. SOAK_MINUTES and SOAK_SESSIONS shorten it.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { at, type ApiAnswer } from '../support/api-client.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { startDatabaseProxy, type DatabaseProxy } from '../support/database-proxy.ts';
import { eventually } from '../support/eventually.ts';
import { GatewayUnderTest, inbox, pairedSession, requireCleanOracle } from '../support/gateway.ts';
import { isRunning } from '../support/process-facts.ts';

const { env } = process;
const minutes = Number(env['SOAK_MINUTES'] ?? 10);
const count = Number(env['SOAK_SESSIONS'] ?? 200);
const contact = '15551234567';
const pairAtOnce = 4;
const megabyte = 1_048_576;
const restoreMs = 180_000;
const nothing = async (): Promise<null> => null;
const isConnected = ({ json }: ApiAnswer): boolean => at(json, 'status') === 'connected';

describe(`${count} sessions under random faults for ${minutes} minutes`, () => {
  let gateway: GatewayUnderTest;
  let database: TestDatabase;
  let proxy: DatabaseProxy;
  const ids = Array.from({ length: count }, (_, index) => `s${index}`);

  before(async () => {
    database = await createTestDatabase();
    proxy = await startDatabaseProxy(database.url);
    gateway = await GatewayUnderTest.start({
      database,
      env: {
        DATABASE_URL: proxy.url,
        LOG_LEVEL: 'info',
        SESSIONS_PER_CHILD: '5',
        MASS_FAILURE_PAUSE_MS: '2000',
        RESTART_RESET_MS: '5000',
        DRAIN_DELAY_MS: '1000',
      },
    });
    const waiting = [...ids.entries()];
    await Promise.all(
      Array.from({ length: pairAtOnce }, async () => {
        for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
          const [index, id] = next;
          await pairedSession(gateway, id, { phone: `1555${String(1_000_000 + index)}` });
          await gateway.must(201, `/sessions/${id}/sandbox/contacts`, { phone: contact });
        }
      }),
    );
  });

  after(async () => {
    proxy.mode = 'open';
    await gateway.dispose();
    await proxy.close();
    await database.dispose();
  });

  const pids = async (): Promise<readonly number[]> => {
    const children: unknown = at((await gateway.get('/stats')).json, 'children');
    return Array.isArray(children) ? children.map((child) => Number(at(child, 'pid'))).filter((pid) => pid > 0) : [];
  };
  const supervisorBytes = async (): Promise<number> =>
    Number(at((await gateway.get('/stats')).json, 'processes', 'supervisor', 'private_bytes'));
  const pick = <Item>(items: readonly Item[]): Item | undefined => items[Math.floor(Math.random() * items.length)];

  const accepted: { readonly id: string; readonly text: string }[] = [];
  const send = async (id: string, text: string): Promise<number> => {
    const { status } = await gateway.post(`/sessions/${id}/messages/text`, { to: contact, text });
    if (status === 200 || status === 202) accepted.push({ id, text });
    return status;
  };
  const missing = async (): Promise<readonly unknown[]> => {
    const wrong: unknown[] = [];
    for (const [id, group] of Map.groupBy(accepted, ({ id: session }) => session)) {
      const texts = (await inbox(gateway, id, contact)).map((each) => at(each, 'text'));
      for (const { text } of group) {
        const times = texts.filter((each) => each === text).length;
        if (times !== 1) wrong.push({ id, text, times });
      }
    }
    return wrong;
  };
  const allConnected = async (): Promise<void> => {
    for (const id of ids) await eventually(async () => isConnected(await gateway.get(`/sessions/${id}`)), restoreMs);
  };
  /** Everything that was accepted has arrived, once, and nothing of the protocol was violated. */
  const nothingLost = async (): Promise<void> => {
    await eventually(async () => (await missing()).length === 0, restoreMs, missing);
    for (const id of ids) await requireCleanOracle(gateway, id);
  };

  /** One fault of each kind in turn; answers what ends it. */
  const inject = async (round: number): Promise<() => Promise<unknown>> => {
    const victim = pick(await pids());
    const session = pick(ids) ?? 's0';
    switch (round % 5) {
      case 0:
        if (victim !== undefined) signal(victim, 'SIGKILL');
        return nothing;
      case 1:
        await gateway.post(`/sessions/${session}/restart`);
        return nothing;
      case 2:
        if (victim !== undefined) signal(victim, 'SIGSTOP');
        return async () => (victim === undefined ? null : signal(victim, 'SIGCONT'));
      case 3:
        proxy.mode = 'cut';
        return async () => {
          proxy.mode = 'open';
          await eventually(async () => (await gateway.get('/sessions')).status === 200, restoreMs);
        };
      default:
        await gateway.post(`/sessions/${session}/sandbox/faults`, { fault: 'stream_error', code: 503 });
        return nothing;
    }
  };

  test('nothing is lost or doubled and the memory stays flat', { timeout: (minutes + 15) * 60_000 }, async () => {
    const samples: number[] = [];
    const end = performance.now() + minutes * 60_000;
    for (let round = 0; performance.now() < end; round++) {
      const heal = await inject(round);
      await Promise.all(Array.from({ length: 10 }, (_, n) => send(pick(ids) ?? 's0', `soak ${round}.${n}`)));
      await heal();
      samples.push(await supervisorBytes());
    }
    await allConnected();
    await nothingLost();
    const third = Math.max(1, Math.floor(samples.length / 3));
    const [early, late] = [mean(samples.slice(third, 2 * third)), mean(samples.slice(-third))];
    const grownMb = Math.round((late - early) / megabyte);
    console.log(`${accepted.length} messages in ${samples.length} rounds; supervisor grew by ${grownMb} MB`);
    assert.ok(grownMb < 32, `the supervisor grew by ${grownMb} MB`);
  });

  test('a gateway that was suspended for a minute blames no child', { timeout: 10 * 60_000 }, async () => {
    const hosts = new Set(await pids());
    signal(gateway.pid, 'SIGSTOP');
    // The suspension itself: twice as long as a child may be silent.
    await new Promise((resolve) => setTimeout(resolve, 65_000));
    signal(gateway.pid, 'SIGCONT');
    await allConnected();
    assert.deepEqual(new Set(await pids()), hosts);
  });

  test('a stop with a hundred requests in flight answers all, ends every child in order, and nothing is lost', async () => {
    for (const id of ids)
      await gateway.must(200, `/sessions/${id}/sandbox/faults`, { fault: 'slow_acks', delay_ms: 3000 });
    const children = await pids();
    const logged = gateway.output.length;
    const sends = Array.from({ length: 100 }, (_, n) => send(ids[n % ids.length] ?? 's0', `at the stop ${n}`));
    await eventually(async () => {
      const [row] = await database.query(`select count(*) as taken from messages where body like 'at the stop %'`);
      return Number(row?.['taken']) === 100;
    }, restoreMs);
    const begun = performance.now();
    const stopped = gateway.stop();
    assert.ok((await Promise.all(sends)).every((status) => status === 200 || status === 202 || status === 503));
    assert.equal(await stopped, 0);
    console.log(`${count} sessions stopped in ${((performance.now() - begun) / 1000).toFixed(1)} s`);
    assert.ok(children.every((pid) => !isRunning(pid)));
    assert.doesNotMatch(gateway.output.slice(logged), /child ended unexpectedly/);
    await gateway.boot();
    await allConnected();
    await nothingLost();
  });

  test('a kill -9 with messages on their way takes all children along, and the next gateway restores all', async () => {
    const children = await pids();
    const sends = Array.from({ length: 100 }, (_, n) =>
      send(ids[n % ids.length] ?? 's0', `at the kill ${n}`).catch(() => 0),
    );
    await Promise.race(sends);
    await gateway.kill();
    await eventually(() => children.every((pid) => !isRunning(pid)), 5000);
    await Promise.all(sends);
    const begun = performance.now();
    await gateway.boot();
    await allConnected();
    console.log(`${count} sessions restored in ${((performance.now() - begun) / 1000).toFixed(1)} s`);
    await nothingLost();
    for (const id of ids) {
      const reason = String(at((await gateway.get(`/sessions/${id}`)).json, 'status_reason'));
      assert.doesNotMatch(reason, /same credentials/);
    }
  });
});

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has ended meanwhile.
  }
}
