// Runs the tests of the layers named, or of all: one run of node's own test runner over what was built.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const layers = ['unit', 'contract', 'integration', 'faults', 'e2e', 'browser'];
/** Take long, and run only when they are named. */
const layersOnDemand = ['soak'];
/** These use the database server that this run starts for all of them. */
const layersWithDatabase = new Set(['integration', 'faults', 'e2e', 'browser', 'soak']);
/** These start processes by the dozen and measure time: more than two at once and they disturb each other. */
const heavyLayers = new Set(['faults', 'e2e', 'browser', 'soak']);
const testTimeoutMs = 240_000;
const soakTimeoutMs = 26 * 3_600_000;

const pinnedNode = join(root, 'node_modules', '.bin', 'node');
if (Number.parseInt(process.versions.node, 10) < 24 && existsSync(pinnedNode)) {
  const { status } = spawnSync(pinnedNode, process.argv.slice(1), { stdio: 'inherit' });
  process.exit(status ?? 1);
}

const chosen = process.argv.slice(2);
const known = [...layers, ...layersOnDemand];
const unknown = chosen.filter((layer) => !known.includes(layer));
if (unknown.length > 0) {
  console.error(`There is no layer ${unknown.join(', ')}; the layers are ${known.join(', ')}.`);
  process.exit(1);
}
const running = chosen.length === 0 ? layers : known.filter((layer) => chosen.includes(layer));
const files = running.flatMap(testsOf);
if (files.length === 0) {
  console.error(`There are no tests in ${running.join(', ')}.`);
  process.exit(1);
}

const server = running.some((layer) => layersWithDatabase.has(layer)) ? await startServer() : null;
try {
  process.exitCode = await runTests(server);
} finally {
  await server?.stop();
}

/** Built tests, by the sources that exist. */
function testsOf(layer) {
  const folder = join('test', layer);
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder), { recursive: true })
    .filter((name) => name.endsWith('.test.ts'))
    .toSorted((a, b) => a.localeCompare(b))
    .map((name) => join(root, 'dist', folder, name.replace(/\.ts$/, '.js')));
}

async function startServer() {
  const { setLogLevel } = await import('../dist/src/log.js');
  const { startTestServer } = await import('../dist/test/support/database.js');
  setLogLevel('warn');
  return startTestServer();
}

function runTests(database) {
  const concurrency = running.some((layer) => heavyLayers.has(layer)) ? 2 : Math.max(2, availableParallelism());
  const args = [
    '--enable-source-maps',
    `--import=${new URL('test-guard.mjs', import.meta.url).href}`,
    '--test',
    '--test-reporter=spec',
    `--test-concurrency=${concurrency}`,
    `--test-timeout=${running.includes('soak') ? soakTimeoutMs : testTimeoutMs}`,
    ...files,
  ];
  const environment = database === null ? {} : { TEST_POSTGRES_URL: database.templateUrl };
  const child = spawn(process.execPath, args, { cwd: root, stdio: 'inherit', env: { ...process.env, ...environment } });
  // Ctrl-C reaches the runner by itself; either way it ends before the database does.
  process.on('SIGINT', () => undefined);
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  return new Promise((resolve) => {
    child.once('error', (error) => {
      console.error(error.message);
      resolve(1);
    });
    child.once('close', (code) => resolve(code ?? 1));
  });
}
