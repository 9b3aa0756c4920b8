import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { openSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { at } from '../support/api-client.ts';
import { createTestDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { GatewayUnderTest, pairedSession, token } from '../support/gateway.ts';
import { isRunning } from '../support/process-facts.ts';

const entry = fileURLToPath(new URL('../../src/main.js', import.meta.url));

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

describe('a gateway whose log goes nowhere', () => {
  const serve = async (stdout: 'pipe' | number, run: (url: string, child: ChildProcess) => Promise<void>) => {
    const database = await createTestDatabase();
    const storagePath = await mkdtemp(join(tmpdir(), 'warden-log-'));
    const port = await freePort();
    const child = spawn(process.execPath, [entry], {
      cwd: storagePath,
      env: {
        PATH: '/usr/bin:/bin',
        PORT: String(port),
        DATABASE_URL: database.url,
        WHATSAPP_STORAGE_PATH: storagePath,
        SUPERADMIN_TOKEN: token,
        LOG_LEVEL: 'debug',
      },
      stdio: ['ignore', stdout, 'ignore'],
    });
    try {
      const url = `http://127.0.0.1:${port}`;
      await eventually(async () => (await fetch(`${url}/readyz`)).ok, 30_000);
      await run(url, child);
      const exited = once(child, 'exit');
      child.kill('SIGTERM');
      await exited;
    } finally {
      child.kill('SIGKILL');
      await database.dispose();
      await rm(storagePath, { recursive: true, force: true });
    }
  };
  const askOften = async (url: string): Promise<void> => {
    for (let n = 0; n < 1500; n++) {
      const answer = await fetch(`${url}/api/v1/sessions`, { headers: { authorization: `Bearer ${token}` } });
      assert.equal(answer.status, 200);
      await answer.text();
    }
  };

  test('because the disk is full goes on serving', () =>
    serve(openSync('/dev/full', 'w'), async (url, child) => {
      await askOften(url);
      assert.equal(child.exitCode, null);
    }));
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no free port');
  return address.port;
}
