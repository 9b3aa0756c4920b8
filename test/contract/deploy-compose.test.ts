import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { parse } from 'yaml';
import { z } from 'zod';
import { secretWeakness } from '../../src/secret-strength.ts';
import { longestStopMs } from '../../src/stop-budget.ts';
import {
  configurationOf,
  defaults,
  descriptorsPerChild,
  environmentOf,
  readText,
  sessionsThatFit,
  stages,
  threadsPerChild,
  unknownVariables,
} from '../support/deployment.ts';
import { root } from '../support/source-files.ts';

const service = z.object({
  user: z.string().optional(),
  read_only: z.boolean(),
  cap_drop: z.array(z.string()),
  security_opt: z.array(z.string()),
  mem_limit: z.string(),
  memswap_limit: z.string().optional(),
  pids_limit: z.number(),
  ulimits: z.object({ nofile: z.object({ soft: z.number(), hard: z.number() }) }).optional(),
  stop_grace_period: z.string().optional(),
  ports: z.array(z.string()).default([]),
  networks: z.array(z.string()).default([]),
  environment: z.record(z.string(), z.string()).default({}),
  command: z.array(z.string()).default([]),
  volumes: z.array(z.string()),
  logging: z.object({ driver: z.string(), options: z.record(z.string(), z.string()) }),
  depends_on: z.record(z.string(), z.object({ condition: z.string() })).default({}),
  healthcheck: z.object({ test: z.array(z.string()) }).optional(),
});
const text = readText('docker-compose.yml');
const { services } = z
  .object({ services: z.object({ 'database-password': service, postgres: service, warden: service }) })
  .parse(parse(text, { merge: true }));
const { postgres, warden } = services;
const password = services['database-password'];

/** The image that is built has a name, and what belongs together stands together: those rules are not ours. */
const otherTaste = ['no-build-and-image', 'service-keys-order', 'no-quotes-in-volumes', 'require-quotes-in-ports'];

function lint(path: string): { readonly status: number | null; readonly said: string } {
  const program = createRequire(import.meta.url)
    .resolve('dclint/package.json')
    .replace('package.json', 'bin/dclint.cjs');
  const args = [path, '--max-warnings=0', '--disable-rule', ...otherTaste];
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args], { encoding: 'utf8' });
  return { status, said: `${stdout}${stderr}`.trim() };
}

describe('docker-compose.yml', () => {
  test('follows the schema of compose files, and a linter has nothing to say about it', () => {
    assert.deepEqual(lint(join(root, 'docker-compose.yml')), { status: 0, said: '' });
    const folder = mkdtempSync(join(tmpdir(), 'warden-compose-'));
    try {
      const misspelt = join(folder, 'docker-compose.yml');
      writeFileSync(misspelt, text.replace('mem_limit', 'mem_limt'));
      assert.match(lint(misspelt).said, /must NOT have additional properties|mem_limt/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test('publishes one port, on this machine only', () => {
    assert.deepEqual(warden.ports, [`127.0.0.1:${defaults.port}:${defaults.port}`]);
    assert.deepEqual([...postgres.ports, ...password.ports], []);
  });

  test('gives every service a read-only root, no capability, no new privileges, and bounds for memory, processes and logs', () => {
    for (const [name, each] of Object.entries(services)) {
      assert.equal(each.read_only, true, name);
      assert.deepEqual(each.cap_drop, ['ALL'], name);
      assert.deepEqual(each.security_opt, ['no-new-privileges:true'], name);
      assert.ok(each.mem_limit !== '' && each.pids_limit > 0, name);
      assert.deepEqual(Object.keys(each.logging.options), ['max-size', 'max-file'], name);
    }
  });

  test('sets variables that the gateway reads, and that agree with the database', () => {
    assert.deepEqual(unknownVariables(Object.keys(warden.environment)), []);
    const config = configurationOf({ ...environmentOfImage(), ...warden.environment });
    const { POSTGRES_USER: user, POSTGRES_DB: database } = postgres.environment;
    assert.equal(config.databaseUrl, `postgres://${user}@postgres:5432/${database}`);
    assert.equal(warden.environment['POSTGRES_PASSWORD_FILE'], postgres.environment['POSTGRES_PASSWORD_FILE']);
    assert.ok(warden.volumes.includes(`warden-data:${config.storagePath}`));
  });

  test('has no password in it', () => {
    assert.doesNotMatch(text, /PASSWORD: |TOKEN|SECRET/);
  });

  test('tells how many sessions its memory admits, and has processes and descriptors for twice as many', () => {
    const [, told, capMb, gigabytes] = /(\d+) sessions of (\d+) MB with (\d+)g/.exec(text) ?? [];
    assert.equal(warden.mem_limit, `\${WARDEN_MEMORY:-${gigabytes}g}`);
    assert.equal(warden.memswap_limit, warden.mem_limit);
    const sessions = sessionsThatFit(Number(gigabytes) * 1024, defaults);
    assert.deepEqual([Number(told), Number(capMb)], [sessions, defaults.sessionMemoryMb]);
    assert.ok(warden.pids_limit >= 2 * sessions * threadsPerChild);
    assert.ok((warden.ulimits?.nofile.soft ?? 0) >= 2 * sessions * descriptorsPerChild + 2_000);
  });

  test('is documented with the sessions that each amount of memory admits', () => {
    const rows = [...readText('docs/deployment.md').matchAll(/^\| (\d+) GB \| (\d+) sessions \| (\d+) sessions \|$/gm)];
    assert.ok(rows.length > 2);
    for (const [, gigabytes, byDefault, strictly] of rows) {
      const fits = (overcommit: string): number =>
        sessionsThatFit(Number(gigabytes) * 1024, configurationOf({ OVERCOMMIT: overcommit }));
      assert.deepEqual([Number(byDefault), Number(strictly)], [fits(String(defaults.overcommit)), fits('1')]);
    }
  });

  test('lets the gateway end by itself', () => {
    assert.ok(Number.parseInt(warden.stop_grace_period ?? '', 10) * 1_000 > longestStopMs(defaults));
  });

  test('starts the database after its password, and the gateway after the database', () => {
    assert.equal(postgres.depends_on['database-password']?.condition, 'service_completed_successfully');
    assert.equal(warden.depends_on['postgres']?.condition, 'service_healthy');
    assert.ok(postgres.healthcheck !== undefined);
    assert.deepEqual(warden.healthcheck?.test.slice(1), ['node', 'scripts/healthcheck.mjs', '/readyz']);
  });
});

test("the database's password is made once, strong, and kept by later starts", () => {
  const folder = mkdtempSync(join(tmpdir(), 'warden-compose-'));
  try {
    const [script = ''] = password.command;
    const place = '/run/database-password';
    assert.ok(script.includes(place));
    const start = (): string => {
      execFileSync('/bin/sh', ['-euc', script.replace(place, folder)]);
      return readFileSync(join(folder, 'password'), 'utf8');
    };
    const made = start();
    assert.match(made, /^[A-Za-z0-9_-]{43}$/);
    assert.equal(secretWeakness(made, 32), null);
    assert.equal(statSync(join(folder, 'password')).mode & 0o777, 0o644);
    assert.equal(start(), made);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

function environmentOfImage(): Readonly<Record<string, string>> {
  const image = stages().at(-1);
  return image === undefined ? {} : environmentOf(image);
}
