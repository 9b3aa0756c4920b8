import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { at } from '../support/api-client.ts';
import { eventually } from '../support/eventually.ts';
import { GatewayUnderTest, pairedSession } from '../support/gateway.ts';
import { isRunning } from '../support/process-facts.ts';

describe('signals to the gateway', () => {
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
