/**
 * Two hundred sandbox sessions that write to each other while their processes are killed, stopped and asked to restart at
 * random: what is accepted arrives once, and the memory of the supervisor stays flat. SOAK_MINUTES and SOAK_SESSIONS
 * shorten it.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { at } from '../support/api-client.ts';
import { eventually } from '../support/eventually.ts';
import { GatewayUnderTest, inbox, pairedSession, requireCleanOracle, untilConnected } from '../support/gateway.ts';

const { env } = process;
const minutes = Number(env['SOAK_MINUTES'] ?? 10);
const count = Number(env['SOAK_SESSIONS'] ?? 200);
const contact = '15551234567';
const pairAtOnce = 4;
const megabyte = 1_048_576;

describe(`${count} sessions under random faults for ${minutes} minutes`, () => {
  let gateway: GatewayUnderTest;
  const ids = Array.from({ length: count }, (_, index) => `s${index}`);

  before(async () => {
    gateway = await GatewayUnderTest.start({
      env: { LOG_LEVEL: 'warn', SESSIONS_PER_CHILD: '5', MASS_FAILURE_PAUSE_MS: '2000', RESTART_RESET_MS: '5000' },
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

  after(() => gateway.dispose());

  const pids = async (): Promise<readonly number[]> => {
    const children: unknown = at((await gateway.get('/stats')).json, 'children');
    return Array.isArray(children) ? children.map((child) => Number(at(child, 'pid'))).filter((pid) => pid > 0) : [];
  };
  const supervisorBytes = async (): Promise<number> =>
    Number(at((await gateway.get('/stats')).json, 'processes', 'supervisor', 'private_bytes'));
  const pick = <Item>(items: readonly Item[]): Item | undefined => items[Math.floor(Math.random() * items.length)];

  test('nothing is lost or doubled and the memory stays flat', { timeout: (minutes + 15) * 60_000 }, async () => {
    const accepted: { readonly id: string; readonly text: string }[] = [];
    const samples: number[] = [];
    const end = performance.now() + minutes * 60_000;
    for (let round = 0; performance.now() < end; round++) {
      const victim = pick(await pids());
      const kind = round % 3;
      if (victim !== undefined && kind === 0) signal(victim, 'SIGKILL');
      if (kind === 1) await gateway.post(`/sessions/${pick(ids) ?? 's0'}/restart`);
      if (victim !== undefined && kind === 2) signal(victim, 'SIGSTOP');
      await Promise.all(
        Array.from({ length: 10 }, async (_, n) => {
          const id = pick(ids) ?? 's0';
          const text = `soak ${round}.${n}`;
          const { status } = await gateway.post(`/sessions/${id}/messages/text`, { to: contact, text });
          if (status === 200 || status === 202) accepted.push({ id, text });
        }),
      );
      if (victim !== undefined && kind === 2) signal(victim, 'SIGCONT');
      samples.push(await supervisorBytes());
    }
    for (const id of ids) await untilConnected(gateway, id);
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
    await eventually(async () => (await missing()).length === 0, 180_000, missing);
    for (const id of ids) await requireCleanOracle(gateway, id);
    const third = Math.max(1, Math.floor(samples.length / 3));
    const [early, late] = [mean(samples.slice(third, 2 * third)), mean(samples.slice(-third))];
    const grownMb = Math.round((late - early) / megabyte);
    console.log(`${accepted.length} messages in ${samples.length} rounds; supervisor grew by ${grownMb} MB`);
    assert.ok(grownMb < 32, `the supervisor grew by ${grownMb} MB`);
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
