import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { describe, test } from 'node:test';
import { at } from '../support/api-client.ts';
import { eventually } from '../support/eventually.ts';
import { GatewayUnderTest, inbox, pairedSession, untilConnected } from '../support/gateway.ts';

const contact = '15551234567';
const spare = 6;

describe('a gateway that has no descriptor left', () => {
  test('lives, says so once, and recovers with everything in place', async () => {
    const gateway = await GatewayUnderTest.start({ env: { RESTART_MAX_MS: '1000' } });
    const idle: Socket[] = [];
    try {
      for (const [id, phone] of [
        ['a', '15550072001'],
        ['b', '15550072002'],
      ] as const) {
        await pairedSession(gateway, id, { phone });
        await gateway.must(201, `/sessions/${id}/sandbox/contacts`, { phone: contact });
      }
      const childOf = async (id: string): Promise<unknown> => at((await gateway.get(`/sessions/${id}`)).json, 'child');
      const [victim, neighbour] = [at(await childOf('a'), 'pid'), at(await childOf('b'), 'pid')];
      const limit = readdirSync(`/proc/${gateway.pid}/fd`).length + spare;
      execFileSync('prlimit', [`--nofile=${limit}:${limit}`, '--pid', String(gateway.pid)]);

      const port = Number(new URL(gateway.baseUrl).port);
      let cut = 0;
      for (let n = 0; n < 8 * spare; n++) {
        const socket = connect(port, '127.0.0.1');
        socket.on('error', () => undefined);
        socket.on('close', () => (cut += 1));
        idle.push(socket);
      }
      await eventually(
        () => cut >= spare,
        10_000,
        () => cut,
      );
      process.kill(Number(victim), 'SIGKILL');
      await eventually(() => /child ended unexpectedly|could not be started/.test(gateway.output));

      for (const socket of idle) socket.destroy();
      await eventually(async () => (await gateway.api.call('GET', '/readyz', { token: null })).status === 200);
      await untilConnected(gateway, 'a');
      assert.equal(at(await childOf('b'), 'pid'), neighbour);
      for (const id of ['a', 'b']) {
        await gateway.must(200, `/sessions/${id}/messages/text`, { to: contact, text: 'after all that' });
        assert.equal((await inbox(gateway, id, contact)).length, 1);
      }
      const reports = gateway.output.split('\n').filter((line) => line.includes('connections cannot be accepted'));
      assert.ok(reports.length <= 1, reports.join('\n'));
      assert.equal(await gateway.stop(), 0);
    } finally {
      for (const socket of idle) socket.destroy();
      await gateway.dispose();
    }
  });
});
