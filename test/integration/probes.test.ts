import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { closeHttpServer, createHttpServer } from '../../src/api/http-server.ts';
import { withProbes, type ReadinessCheck } from '../../src/api/probes.ts';

describe('the probes', () => {
  let checks: readonly ReadinessCheck[] | Error = [];
  let baseUrl: string;
  const server = createHttpServer(
    withProbes(
      async () => {
        if (checks instanceof Error) throw checks;
        return checks;
      },
      (_request, response) => response.writeHead(204).end(),
    ),
  );
  const ask = async (path: string, method = 'GET') => {
    const answer = await fetch(`${baseUrl}${path}`, { method });
    return { status: answer.status, lines: (await answer.text()).trimEnd().split('\n') };
  };

  before(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('the server is not listening');
    baseUrl = `http://127.0.0.1:${address.port}`;
  });
  after(() => closeHttpServer(server, 0));

  const well = { name: 'gateway', problem: null };
  const away = { name: 'database', problem: 'The database does not answer.' };

  test('a process that turns is alive, whatever else is wrong', async () => {
    checks = new Error('nobody knows');
    assert.deepEqual(await ask('/livez'), { status: 200, lines: ['ok'] });
    assert.deepEqual(await ask('/readyz'), { status: 503, lines: ['not ready'] });
    assert.equal((await ask('/livez', 'HEAD')).status, 200);
  });

  test('one thing that is wrong makes it not ready, and is named', async () => {
    checks = [well, away];
    assert.deepEqual(await ask('/readyz'), {
      status: 503,
      lines: ['[-]database: The database does not answer.', 'not ready'],
    });
    checks = [well];
    assert.deepEqual(await ask('/readyz'), { status: 200, lines: ['ok'] });
  });

  test('all checks are listed on request', async () => {
    checks = [well, away];
    const { lines } = await ask('/readyz?verbose');
    assert.deepEqual(lines, ['[+]gateway: ok', '[-]database: The database does not answer.', 'not ready']);
  });

  test('what is excluded does not count, and a name that is no check is told', async () => {
    checks = [well, away];
    assert.deepEqual(await ask('/readyz?exclude=database'), { status: 200, lines: ['ok'] });
    assert.equal((await ask('/readyz?exclude=gateway')).status, 503);
    assert.deepEqual(await ask('/readyz?verbose&exclude=database&exclude=databse'), {
      status: 200,
      lines: ['[+]gateway: ok', '[+]database: excluded', 'warn: there is no check of a name that is excluded', 'ok'],
    });
  });

  test('everything else is left to the gateway', async () => {
    assert.equal((await ask('/livez', 'POST')).status, 204);
    assert.equal((await ask('/readyz/more')).status, 204);
  });
});
