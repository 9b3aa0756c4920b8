import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { describe, test } from 'node:test';
import { at } from '../support/api-client.ts';
import { eventually } from '../support/eventually.ts';
import { GatewayUnderTest, pairedSession, untilConnected } from '../support/gateway.ts';
import { isRunning } from '../support/process-facts.ts';

const contact = '15551234567';
const shutdownMs = 9_000;

describe('a gateway in which everything that has to end hangs', () => {
  test('is stopped in the time that it has, and says at once that it goes', async () => {
    // A receiver that takes what it gets and never answers.
    const silent = createServer(() => undefined);
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const address = silent.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const gateway = await GatewayUnderTest.start({
      env: {
        SHUTDOWN_TIMEOUT_MS: String(shutdownMs),
        DRAIN_DELAY_MS: '1000',
        CHILD_STOP_TIMEOUT_MS: '60000',
        HEARTBEAT_KILL_MS: '60000',
        SEND_TIMEOUT_MS: '60000',
        WEBHOOK_TIMEOUT_MS: '60000',
      },
    });
    try {
      await pairedSession(gateway, 'a', { phone: '15550060001', webhook: { url: `http://127.0.0.1:${port}/` } });
      await gateway.must(201, '/sessions/a/sandbox/contacts', { phone: contact });
      const child = Number(at((await gateway.get('/sessions/a')).json, 'child', 'pid'));
      const connections = () => new Promise<number>((resolve) => silent.getConnections((_, count) => resolve(count)));
      await eventually(async () => (await connections()) > 0);
      process.kill(child, 'SIGSTOP');
      // Its child will not answer it; whatever it is told in the end, it is told something.
      const waiting = gateway
        .post('/sessions/a/messages/text', { to: contact, text: 'hangs' })
        .then(({ status }) => status);
      await eventually(async () => {
        const rows = await gateway.database?.query(`select id from messages where params ->> 'text' = 'hangs'`);
        return rows?.length === 1;
      });
      const begun = performance.now();
      const stopped = gateway.stop();
      const drained = await eventually(async () => {
        const answer = await gateway.api.call('GET', '/readyz?verbose', { token: null });
        return answer.status === 503 && answer;
      }, 1_000);
      assert.match(drained.text, /\[-\]gateway: The gateway is shutting down/);
      const served = await gateway.get('/sessions/a');
      assert.deepEqual([served.status, served.headers['connection']], [200, 'close']);
      assert.equal(await stopped, 0);
      const tookMs = performance.now() - begun;
      // The delay, the time, and what a busy machine needs beside them.
      assert.ok(tookMs < 1_000 + shutdownMs + 7_000, `took ${tookMs} ms`);
      assert.equal(isRunning(child), false);
      assert.ok([200, 202, 503].includes(await waiting));
      await gateway.boot();
      await untilConnected(gateway, 'a');
    } finally {
      await gateway.dispose();
      silent.closeAllConnections();
      silent.close();
    }
  });
});
