import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { at } from '../support/api-client.ts';
import { eventually } from '../support/eventually.ts';
import { GatewayUnderTest, inbox, pairedSession, requireCleanOracle, untilConnected } from '../support/gateway.ts';
import { isRunning } from '../support/process-facts.ts';

const contact = '15551234567';

describe('signals to the gateway', () => {
  test('SIGTERM with requests in flight: not ready at once, every request is answered, every child ends in order', async () => {
    const ids = ['a', 'b', 'c', 'd'];
    const gateway = await GatewayUnderTest.start({ env: { SESSIONS_PER_CHILD: '2', DRAIN_DELAY_MS: '1500' } });
    try {
      for (const [index, id] of ids.entries()) {
        await pairedSession(gateway, id, { phone: `1555005010${index}` });
        await gateway.must(201, `/sessions/${id}/sandbox/contacts`, { phone: contact });
        // Some are acknowledged while the gateway waits for that, others would keep it waiting too long.
        const delay_ms = index % 2 === 0 ? 2000 : 15_000;
        await gateway.must(200, `/sessions/${id}/sandbox/faults`, { fault: 'slow_acks', delay_ms });
      }
      const children = await Promise.all(
        ids.map(async (id) => Number(at((await gateway.get(`/sessions/${id}`)).json, 'child', 'pid'))),
      );
      const accepted: { readonly id: string; readonly text: string }[] = [];
      const sends = Array.from({ length: 40 }, async (_, n) => {
        const [id = 'a', text] = [ids[n % ids.length], `in flight ${n}`];
        const { status } = await gateway.post(`/sessions/${id}/messages/text`, { to: contact, text });
        if (status === 200 || status === 202) accepted.push({ id, text });
        return status;
      });
      await eventually(async () => {
        const rows = await gateway.database?.query(
          `select id from messages where params ->> 'text' like 'in flight %'`,
        );
        return rows?.length === sends.length;
      });
      const stopped = gateway.stop();
      await eventually(async () => {
        const { status, text } = await gateway.api.call('GET', '/readyz', { token: null });
        return status === 503 && /shutting down/.test(text);
      }, 1500);
      const answers = await Promise.all(sends);
      assert.ok(
        answers.every((status) => status === 200 || status === 202 || status === 503),
        answers.join(' '),
      );
      assert.equal(await stopped, 0);
      assert.ok(children.every((pid) => !isRunning(pid)));
      assert.doesNotMatch(gateway.output, /child ended unexpectedly/);
      assert.equal(gateway.output.split('"msg":"child ended"').length - 1, new Set(children).size);

      await gateway.boot();
      for (const id of ids) await untilConnected(gateway, id);
      await eventually(async () => {
        for (const { id, text } of accepted) {
          const texts = (await inbox(gateway, id, contact)).map((each) => at(each, 'text'));
          if (texts.filter((each) => each === text).length !== 1) return false;
        }
        return true;
      }, 20_000);
      for (const id of ids) await requireCleanOracle(gateway, id);
    } finally {
      await gateway.dispose();
    }
  });

  test('a second one after five seconds ends a stop that takes too long, and no child is left', async () => {
    const gateway = await GatewayUnderTest.start({
      env: { CHILD_STOP_TIMEOUT_MS: '60000', SHUTDOWN_TIMEOUT_MS: '60000', HEARTBEAT_KILL_MS: '60000' },
    });
    try {
      await pairedSession(gateway, 'a', { phone: '15550050001' });
      const child = Number(at((await gateway.get('/sessions/a')).json, 'child', 'pid'));
      process.kill(child, 'SIGSTOP');
      const { pid } = gateway;
      const stopped = gateway.stop();
      const since = performance.now();
      // Sooner, a second signal counts as an accident.
      await eventually(() => performance.now() - since > 5200);
      process.kill(pid, 'SIGTERM');
      assert.equal(await stopped, 2);
      await eventually(() => !isRunning(child), 5000);
    } finally {
      await gateway.dispose();
    }
  });
});
