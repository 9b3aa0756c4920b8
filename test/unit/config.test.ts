import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { systemClock } from '../../src/clock.ts';
import { ConfigError, readConfig } from '../../src/config.ts';
import { loadSecrets } from '../../src/secrets.ts';

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'warden-config-'));
});
after(() => rm(folder, { recursive: true, force: true }));

const read = (environment: Readonly<Record<string, string>>) => readConfig(environment, { dotEnvPath: null });

function problemsOf(environment: Readonly<Record<string, string>>): readonly string[] {
  try {
    read(environment);
    return [];
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error.problems;
  }
}

describe('the configuration', () => {
  test('has a default for everything but secrets', () => {
    const config = read({});
    assert.equal(config.port, 3451);
    assert.equal(config.host, '127.0.0.1');
    assert.equal(config.databaseUrl, null);
    assert.equal(config.databaseName, 'wagateway');
    assert.equal(config.jwtSecret, null);
    assert.equal(config.logLevel, 'info');
    assert.equal(config.sandboxEnabled, true);
    assert.deepEqual(config.webhookRetryScheduleMs.slice(0, 4), [0, 5_000, 30_000, 120_000]);
    assert.deepEqual(config.outboundAllowCidr, []);
    assert.ok(config.storagePath.endsWith('/whatsapp_sessions'));
  });

  test('tells all problems at once, and shows no secret', () => {
    const environment = {
      PORT: '70000',
      SESSION_MEMORY_MB: 'much',
      DATABASE_URL: 'mysql://u:hidden-password@h/d',
      JWT_SECRET: 'short-and-hidden',
      WHATSAPP_ROOT_KEY: 'xyz',
      OUTBOUND_ALLOW_CIDR: '10.0.0.0/40',
      HEARTBEAT_KILL_MS: '5000',
      WEBHOOK_RETRY_SCHEDULE: '5 seconds',
    };
    const problems = problemsOf(environment);
    assert.equal(problems.length, Object.keys(environment).length);
    for (const name of Object.keys(environment))
      assert.ok(
        problems.some((problem) => problem.includes(name)),
        name,
      );
    assert.ok(!problems.join().includes('hidden'));
    assert.ok(problems.some((problem) => problem.includes('"70000"')));
  });

  test('takes the environment before .env, .env before the defaults, and nothing for absent', async () => {
    const dotEnvPath = join(folder, '.env');
    await writeFile(dotEnvPath, '# a comment\nPORT=4000\nHOST="0.0.0.0"\r\nLOG_LEVEL=debug\nPOSTGRES_DB=from_file\n');
    const config = readConfig({ PORT: '5000', LOG_LEVEL: '' }, { dotEnvPath });
    assert.equal(config.port, 5000);
    assert.equal(config.host, '0.0.0.0');
    assert.equal(config.logLevel, 'debug');
    assert.equal(config.databaseName, 'from_file');
    assert.equal(readConfig({}, { dotEnvPath: join(folder, 'absent') }).port, 3451);
  });

  test('reads secrets from files, but not from two places', async () => {
    const path = join(folder, 'token');
    await writeFile(path, 'a-token-of-many-letters\n');
    assert.equal(read({ SUPERADMIN_TOKEN_FILE: path }).superadminToken, 'a-token-of-many-letters');
    const both = problemsOf({ SUPERADMIN_TOKEN_FILE: path, SUPERADMIN_TOKEN: 'another-token-of-letters' });
    assert.match(both.join(), /must not both be set/);
    assert.match(problemsOf({ JWT_SECRET_FILE: join(folder, 'absent') }).join(), /cannot be read/);
    assert.equal(read({ PORT_FILE: path }).port, 3451);
  });

  test('builds the database address from its parts, whatever is in the password', () => {
    const { databaseUrl } = read({ POSTGRES_HOST: 'db', POSTGRES_USER: 'me', POSTGRES_PASSWORD: 'p@ss:/?#[] word' });
    const url = new URL(databaseUrl ?? '');
    assert.equal(decodeURIComponent(url.password), 'p@ss:/?#[] word');
    assert.equal(`${url.host}${url.pathname}`, 'db:5432/wagateway');
    const both = read({ DATABASE_URL: 'postgres://u:p@other/x', POSTGRES_HOST: 'db' });
    assert.equal(both.databaseUrl, 'postgres://u:p@other/x');
    const socket = new URL(read({ POSTGRES_HOST: '/var/run/postgresql' }).databaseUrl ?? '');
    assert.equal(decodeURIComponent(socket.hostname), '/var/run/postgresql');
  });

  test('knows the proxies and names that it is told of, and refuses what is neither', () => {
    assert.deepEqual(read({}).trustProxy, { tag: 'none' });
    assert.deepEqual(read({ TRUST_PROXY: '1' }).trustProxy, { tag: 'hops', count: 1 });
    assert.deepEqual(read({ ALLOWED_HOSTS: 'Warden, gateway.local' }).allowedHosts, ['warden', 'gateway.local']);
    assert.match(problemsOf({ TRUST_PROXY: 'yes' }).join(), /TRUST_PROXY must be a number of proxies/);
    assert.match(problemsOf({ ALLOWED_HOSTS: 'https://x' }).join(), /ALLOWED_HOSTS must be host names/);
    assert.match(problemsOf({ ALLOWED_HOSTS: 'x:80' }).join(), /without a port/);
  });

  test('refuses limits that contradict each other', () => {
    assert.match(problemsOf({ STREAM_MAX: '1000' }).join(), /HTTP_MAX_CONNECTIONS must be above STREAM_MAX/);
    const timeouts = problemsOf({ HTTP_REQUEST_TIMEOUT_MS: '5000' }).join();
    assert.match(timeouts, /HTTP_REQUEST_TIMEOUT_MS must not be below HTTP_HEADERS_TIMEOUT_MS/);
    assert.match(problemsOf({ RATE_LIMIT_BURST: '0' }).join(), /RATE_LIMIT_BURST must be a whole number from 1/);
  });

  test('understands RUST_LOG, and LOG_LEVEL before it', () => {
    assert.equal(read({ RUST_LOG: 'debug' }).logLevel, 'debug');
    assert.equal(read({ RUST_LOG: 'info,wagateway=trace,tower_http=warn' }).logLevel, 'trace');
    assert.equal(read({ RUST_LOG: 'tower_http=debug,warn' }).logLevel, 'warn');
    assert.equal(read({ RUST_LOG: 'off' }).logLevel, 'silent');
    assert.equal(read({ RUST_LOG: 'debug', LOG_LEVEL: 'error' }).logLevel, 'error');
  });

  test('refuses secrets that can be guessed, with the reason', () => {
    const secrets = [
      'x'.repeat(40),
      'change-me-change-me-change-me-please',
      'your-super-secret-jwt-key-for-everybody-1',
    ];
    for (const secret of secrets) assert.equal(problemsOf({ JWT_SECRET: secret }).length, 1, secret);
    assert.deepEqual(problemsOf({ JWT_SECRET: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b' }), []);
    assert.match(problemsOf({ SUPERADMIN_TOKEN: 'fifteen-letters' }).join(), /at least 16 characters/);
  });

  test('reads versions and lists', () => {
    assert.deepEqual(read({ WHATSAPP_VERSION: '2.3000.1043857760' }).whatsappVersion, [2, 3000, 1_043_857_760]);
    assert.deepEqual(read({ WEBHOOK_RETRY_SCHEDULE: '1, 250ms,2h' }).webhookRetryScheduleMs, [1_000, 250, 7_200_000]);
    assert.deepEqual(read({ OUTBOUND_ALLOW_CIDR: '10.0.0.0/8, fd00::/8' }).outboundAllowCidr, [
      '10.0.0.0/8',
      'fd00::/8',
    ]);
    assert.equal(read({ SANDBOX_ENABLED: 'off' }).sandboxEnabled, false);
    assert.equal(read({ PUBLIC_URL: 'https://gate.example.org/' }).publicUrl, 'https://gate.example.org');
  });
});

describe('secrets', () => {
  const absent = { jwtSecret: null, superadminToken: null };

  test('are generated once, stay the same, and only their owner can read them', async () => {
    const storagePath = join(folder, 'generated');
    const first = await loadSecrets({ storagePath, ...absent }, systemClock);
    const second = await loadSecrets({ storagePath, ...absent }, systemClock);
    assert.equal(first.isNewToken, true);
    assert.deepEqual(second, { ...first, isNewToken: false });
    const [, payload = ''] = first.superadminToken.split('.');
    const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString());
    assert.ok(typeof claims === 'object' && claims !== null);
    assert.deepEqual(Object.keys(claims), ['sub', 'role', 'iat', 'exp']);
    const names = await readdir(join(storagePath, 'secrets'));
    assert.deepEqual(names.toSorted(), ['jwt-secret', 'superadmin-token']);
    for (const name of names) assert.equal((await stat(join(storagePath, 'secrets', name))).mode & 0o777, 0o600);
  });

  test('that are configured are used as they are', async () => {
    const storagePath = join(folder, 'configured');
    const given = { jwtSecret: 'j'.repeat(32), superadminToken: 'plain string token' };
    assert.deepEqual(await loadSecrets({ storagePath, ...given }, systemClock), { ...given, isNewToken: false });
    await assert.rejects(stat(storagePath));
  });

  test('a token is replaced when the JWT secret changes or when it is about to expire', async () => {
    const storagePath = join(folder, 'replaced');
    const first = await loadSecrets({ storagePath, ...absent }, systemClock);
    const other = await loadSecrets({ storagePath, ...absent, jwtSecret: 'k'.repeat(32) }, systemClock);
    assert.equal(other.isNewToken, true);
    assert.notEqual(other.superadminToken, first.superadminToken);
    const later = { ...systemClock, now: () => Date.now() + 10 * 365 * 86_400_000 };
    assert.equal((await loadSecrets({ storagePath, ...absent, jwtSecret: 'k'.repeat(32) }, later)).isNewToken, true);
  });
});
