import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { diagnose, diagnoseConfiguration, isWell, renderJson, renderText } from '../../src/doctor/diagnose.ts';
import type { Facts } from '../../src/doctor/facts.ts';
import type { Finding } from '../../src/doctor/finding.ts';
import type { InspectedDatabase } from '../../src/store/inspect-database.ts';

const gigabyte = 1024 ** 3;

const inspected: InspectedDatabase = {
  version: 180_001,
  roundTripMs: 1,
  clockAheadMs: 3,
  settings: { fsync: true, fullPageWrites: true, synchronousCommit: 'on', maxConnections: 100, encoding: 'UTF8' },
  connections: 3,
  isReadOnly: false,
  mayCreate: true,
  sizeBytes: 20 * 1024 ** 2,
  migrations: { missing: [], changed: [], foreign: [] },
  content: { sessions: 10, deadLetters: 0, oldestPendingSeconds: null, failingWebhooks: [] },
};

const healthy: Facts = {
  machine: {
    nodeVersion: 'v26.10.0',
    platform: 'linux',
    storage: { path: '/var/lib/gateway', exists: true, problem: null, freeBytes: 50 * gigabyte, freeFiles: 1_000_000 },
    spoolQuotaBytes: gigabyte,
    memory: { limitBytes: 8 * gigabyte, freeBytes: 4 * gigabyte, source: 'machine' },
    descriptorLimit: 65_536,
    wrappers: { setpriv: '/usr/bin/setpriv', prlimit: '/usr/bin/prlimit' },
    secrets: [{ path: '/var/lib/gateway/secrets', mode: 0o700 }],
  },
  gateway: { address: '127.0.0.1:3451', readiness: null, portProblem: null },
  metricsPort: { address: '127.0.0.1:9464', problem: null },
  database: {
    name: 'Postgres at db:5432/gateway',
    isEmbedded: false,
    appliesMigrations: true,
    inspected: { value: inspected },
  },
  capacity: { sessions: 10, sessionsPerChild: 1, capBytes: 192 * 1024 ** 2, overcommit: 4, reserveMb: 256 },
  network: {
    targets: [
      { name: 'web.whatsapp.com', what: 'link', outcome: { value: { tookMs: 80 } } },
      { name: 'mmg.whatsapp.net', what: 'media', outcome: { value: { tookMs: 60 } } },
    ],
    clockAheadMs: 300,
  },
};

const database = (change: Partial<InspectedDatabase>): Facts => ({
  ...healthy,
  database: { ...healthy.database, inspected: { value: { ...inspected, ...change } } },
});
const machine = (change: Partial<Facts['machine']>): Facts => ({
  ...healthy,
  machine: { ...healthy.machine, ...change },
});
const setting = (change: Partial<InspectedDatabase['settings']>): Facts =>
  database({ settings: { ...inspected.settings, ...change } });
const sick = (facts: Facts): readonly Finding[] => diagnose(facts).filter(({ level }) => level !== 'ok');

test('of a machine that is well nothing else is said, and every check says something', () => {
  const findings = diagnose(healthy);
  assert.deepEqual(sick(healthy), []);
  assert.deepEqual([...new Set(findings.map(({ check }) => check))].toSorted(), [
    'clock',
    'configuration',
    'database',
    'descriptors',
    'disk',
    'gateway',
    'isolation',
    'memory',
    'metrics',
    'migrations',
    'node',
    'secrets',
    'webhooks',
    'whatsapp',
  ]);
  assert.match(renderText(findings), /All is well\.\n$/);
});

const troubles: readonly (readonly [string, Facts, Finding['level'], string, RegExp])[] = [
  ['an old Node', machine({ nodeVersion: 'v22.1.0' }), 'fail', 'node', /too old/],
  [
    'a folder that takes no writes',
    machine({ storage: { ...healthy.machine.storage, problem: 'this user may not' } }),
    'fail',
    'disk',
    /Nothing can be written/,
  ],
  [
    'a full disk',
    machine({ storage: { ...healthy.machine.storage, freeBytes: 100 * 1024 ** 2 } }),
    'fail',
    'disk',
    /100 MB are free/,
  ],
  [
    'a disk that media can fill',
    machine({ storage: { ...healthy.machine.storage, freeBytes: 1.5 * gigabyte } }),
    'warn',
    'disk',
    /1\.5 GB are free/,
  ],
  [
    'a disk without inodes',
    machine({ storage: { ...healthy.machine.storage, freeFiles: 12 } }),
    'warn',
    'disk',
    /12 more files/,
  ],
  ['few descriptors', machine({ descriptorLimit: 1_024 }), 'warn', 'descriptors', /1024 files/],
  ['too few descriptors', machine({ descriptorLimit: 128 }), 'fail', 'descriptors', /240 are needed/],
  [
    'no util-linux',
    machine({ wrappers: { setpriv: null, prlimit: null } }),
    'warn',
    'isolation',
    /setpriv and prlimit/,
  ],
  [
    'a secret that others can read',
    machine({ secrets: [{ path: '/s/jwt-secret', mode: 0o644 }] }),
    'fail',
    'secrets',
    /jwt-secret can be used by others \(mode 644\)/,
  ],
  [
    'more sessions than are let in',
    { ...healthy, capacity: { ...healthy.capacity, sessions: 200 } },
    'fail',
    'memory',
    /some will not start/,
  ],
  [
    'more sessions than there is memory for',
    { ...healthy, capacity: { ...healthy.capacity, sessions: 400, sessionsPerChild: 25 } },
    'warn',
    'memory',
    /400 sessions in up to 16 processes need some 10\.0 GB/,
  ],
  [
    'hardly any memory',
    machine({ memory: { limitBytes: 4 * gigabyte, freeBytes: 1024 ** 2, source: 'container' } }),
    'warn',
    'memory',
    /of the container/,
  ],
  [
    'a database that is away',
    { ...healthy, database: { ...healthy.database, inspected: { problem: 'the connection was refused' } } },
    'fail',
    'database',
    /cannot be reached: the connection was refused/,
  ],
  ['a standby', database({ isReadOnly: true }), 'fail', 'database', /no writes/],
  ['another encoding', setting({ encoding: 'LATIN1' }), 'fail', 'database', /LATIN1/],
  ['no fsync', setting({ fsync: false }), 'fail', 'database', /power cut/],
  ['no full pages', setting({ fullPageWrites: false }), 'warn', 'database', /full_page_writes/],
  ['lazy commits', setting({ synchronousCommit: 'off' }), 'warn', 'database', /synchronous_commit/],
  ['few connections', setting({ maxConnections: 10 }), 'warn', 'database', /7 of 10/],
  ['an old Postgres', database({ version: 130_004 }), 'warn', 'database', /13\.4 is old/],
  ['a slow database', database({ roundTripMs: 120 }), 'warn', 'database', /120 ms/],
  [
    'a newer schema',
    database({ migrations: { missing: [], changed: [], foreign: ['0999_x.sql'] } }),
    'fail',
    'migrations',
    /newer version/,
  ],
  [
    'a changed migration',
    database({ migrations: { missing: [], changed: ['0001_x.sql'], foreign: [] } }),
    'fail',
    'migrations',
    /0001_x/,
  ],
  [
    'a missing migration that nobody may apply',
    database({ mayCreate: false, migrations: { missing: ['0002_x.sql'], changed: [], foreign: [] } }),
    'fail',
    'migrations',
    /may not create/,
  ],
  ['a database in another time', database({ clockAheadMs: -9_000 }), 'warn', 'clock', /9\.0 s behind/],
  ['a database in another day', database({ clockAheadMs: 86_400_000 }), 'fail', 'clock', /ahead/],
  [
    'a receiver that fails',
    database({
      content: {
        sessions: 1,
        deadLetters: 0,
        oldestPendingSeconds: 9_000,
        failingWebhooks: [{ id: 'wh_1', session: 's', isDisabled: false, failures: 7, error: 'no answer in time' }],
      },
    }),
    'warn',
    'webhooks',
    /wh_1 of s has failed 7 times in a row: no answer in time/,
  ],
  [
    'dead letters',
    database({ content: { sessions: 1, deadLetters: 4, oldestPendingSeconds: null, failingWebhooks: [] } }),
    'warn',
    'webhooks',
    /4 deliveries were given up/,
  ],
  [
    'deliveries that nobody sends',
    database({ content: { sessions: 1, deadLetters: 0, oldestPendingSeconds: 7_200, failingWebhooks: [] } }),
    'warn',
    'webhooks',
    /120 minutes/,
  ],
  [
    'a port that is taken',
    { ...healthy, gateway: { ...healthy.gateway, portProblem: 'another program has the port' } },
    'fail',
    'gateway',
    /another program has the port/,
  ],
  [
    "a metrics' port that is taken",
    { ...healthy, metricsPort: { address: '127.0.0.1:9464', problem: 'another program has the port' } },
    'fail',
    'metrics',
    /9464/,
  ],
  [
    'a gateway that is not ready',
    {
      ...healthy,
      gateway: {
        ...healthy.gateway,
        readiness: { isReady: false, text: '[+]gateway: ok\n[-]database: away\nnot ready' },
      },
    },
    'warn',
    'gateway',
    /not ready: database: away/,
  ],
  [
    'no way to WhatsApp',
    {
      ...healthy,
      network: { ...healthy.network, targets: [{ name: 'web.whatsapp.com', what: 'link', outcome: { problem: 'x' } }] },
    },
    'fail',
    'whatsapp',
    /web\.whatsapp\.com cannot be reached/,
  ],
  [
    'no way to media',
    {
      ...healthy,
      network: {
        ...healthy.network,
        targets: [{ name: 'mmg.whatsapp.net', what: 'media', outcome: { problem: 'x' } }],
      },
    },
    'warn',
    'whatsapp',
    /mmg\.whatsapp\.net/,
  ],
  [
    'a wrong clock',
    { ...healthy, network: { ...healthy.network, clockAheadMs: -120_000 } },
    'fail',
    'clock',
    /120 s behind/,
  ],
];

describe('each trouble is named, and nothing beside it', () => {
  for (const [name, facts, level, check, what] of troubles) {
    test(name, () => {
      const findings = sick(facts);
      assert.deepEqual(
        findings.map((finding) => [finding.check, finding.level]),
        [[check, level]],
      );
      assert.match(findings[0]?.what ?? '', what);
      assert.ok((findings[0]?.advice ?? '') !== '', 'it says what to do');
      assert.equal(isWell(diagnose(facts)), level !== 'fail');
    });
  }

  test('missing migrations are no trouble while the start applies them, and are otherwise', () => {
    const missing = database({ migrations: { missing: ['0002_x.sql'], changed: [], foreign: [] }, content: null });
    assert.deepEqual(sick(missing), []);
    const findings = sick({ ...missing, database: { ...missing.database, appliesMigrations: false } });
    assert.deepEqual(
      findings.map(({ level, check }) => [level, check]),
      [['fail', 'migrations']],
    );
  });

  test('an embedded database that does not run is no trouble', () => {
    assert.deepEqual(sick({ ...healthy, database: { ...healthy.database, isEmbedded: true, inspected: null } }), []);
  });

  test('a configuration that cannot be read is told line by line, for programs too', () => {
    const findings = diagnoseConfiguration(['PORT must be a whole number', 'JWT_SECRET is too short']);
    assert.equal(isWell(findings), false);
    assert.match(renderText(findings), /fail {2}configuration {2}PORT must be a whole number\.\n {21}→ /);
    assert.deepEqual(JSON.parse(renderJson(findings)), { ok: false, findings });
  });
});
