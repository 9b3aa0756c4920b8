import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { GatewayUnderTest, token } from '../support/gateway.ts';
import { startSilentSocket } from '../support/silent-socket.ts';

const program = fileURLToPath(new URL('../../src/doctor/main.js', import.meta.url));

describe('npm run doctor beside a gateway', () => {
  test('finds it ready with its embedded database, and disturbs neither; stopped or killed, both are told to be free', async () => {
    const whatsapp = await startSilentSocket();
    const gateway = await GatewayUnderTest.start({ database: null, env: { WHATSAPP_URL: whatsapp.url } });
    const run = () =>
      new Promise<{ readonly code: number; readonly text: string }>((resolve) => {
        const child = execFile(
          process.execPath,
          [program],
          {
            env: {
              WHATSAPP_STORAGE_PATH: gateway.storagePath,
              PORT: new URL(gateway.baseUrl).port,
              SUPERADMIN_TOKEN: token,
              WHATSAPP_URL: whatsapp.url,
            },
          },
          (_error, stdout, stderr) => resolve({ code: child.exitCode ?? -1, text: stdout + stderr }),
        );
      });
    try {
      const beside = await run();
      assert.equal(beside.code, 0, beside.text);
      assert.match(beside.text, /^ok {4}gateway {8}It runs at 127\.0\.0\.1:\d+ and is ready\.$/m);
      assert.match(beside.text, /^ok {4}database {7}The embedded Postgres in .* answers: Postgres 18/m);
      assert.match(beside.text, /^ok {4}secrets {8}\d+ files, for their owner only\.$/m);
      assert.doesNotMatch(beside.text, new RegExp(token));
      assert.equal((await gateway.get('/sessions')).status, 200);
      assert.equal(await gateway.stop(), 0);
      const alone = await run();
      assert.equal(alone.code, 0, alone.text);
      assert.match(alone.text, /^ok {4}gateway {8}127\.0\.0\.1:\d+ is free\.$/m);
      assert.match(alone.text, /^ok {4}database {7}The embedded Postgres in .* is not running now/m);
      await gateway.boot();
      await gateway.kill();
      const afterKill = await run();
      assert.match(afterKill.text, /^ok {4}database {7}The embedded Postgres in /m);
    } finally {
      await gateway.dispose();
      await whatsapp.close();
    }
  });
});
