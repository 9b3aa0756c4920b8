// Prepares a clone for `npm start` and `npm test`: installs what the lockfile pins, and builds. Runs on any Node from 20
// on and needs no dependency, since it is what brings them. When nothing changed it is done within milliseconds.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const at = (...names) => join(root, ...names);
const installStamp = at('node_modules', '.warden-installed');
const buildStamp = at('dist', '.warden-built');
const leanChild = at('dist', 'lean', 'child.cjs');
const sourceFolders = ['src', 'test', 'bench'];
/** What browsers run: compiled apart, since it knows a document and no Node. */
const clientFolder = join('views', 'client');
/** The oldest Node that runs the gateway where no pinned one is available. */
const oldestUsable = [24, 12];

const steps = {
  start: [checkNode, install, checkPinnedNode, build],
  test: [checkNode, install, checkPinnedNode, build],
};

try {
  const mode = process.argv[2] ?? 'start';
  if (!Object.hasOwn(steps, mode)) throw new Error(`setup knows ${Object.keys(steps).join(' and ')}, not ${mode}`);
  for (const step of steps[mode]) await step();
} catch (error) {
  console.error(`\n${error instanceof Error ? error.message : String(error)}`);
  process.exit(1);
}

function checkNode() {
  if (isAtLeast([20, 0])) return;
  throw new Error(
    `Warden needs Node 20 or newer to set itself up, this is ${process.version}. Install one from https://nodejs.org and repeat.`,
  );
}

async function install() {
  const wanted = hashOf(installInputs());
  if (readText(installStamp) === wanted) return;
  const count = Object.keys(JSON.parse(readText(at('package-lock.json')) ?? '{}').packages ?? {}).length;
  const what = `Installing what package-lock.json pins (up to ${count} packages, some 430 MB, Node and Postgres among them)`;
  console.log(`${what}. The first time takes half a minute to a few minutes.`);
  const seconds = await run('installing', ...npm(['ci', '--include=dev', '--include=optional', '--loglevel=error']));
  mkdirSync(dirname(installStamp), { recursive: true });
  writeFileSync(installStamp, wanted);
  console.log(`Installed in ${seconds} s.`);
}

function installInputs() {
  const tools = readdirSync(at('tools')).map((name) => join('tools', name, 'package.json'));
  const files = ['package-lock.json', ...tools.toSorted()].filter((name) => existsSync(at(name)));
  return [process.platform, process.arch, ...files.map((name) => readFileSync(at(name), 'utf8'))];
}

/** npm runs what follows on the Node that stands first on its PATH: the pinned one, where there is one. */
function checkPinnedNode() {
  if (existsSync(at('node_modules', '.bin', process.platform === 'win32' ? 'node.cmd' : 'node'))) return;
  if (isAtLeast(oldestUsable)) return;
  throw new Error(
    `There is no pinned Node for ${process.platform} ${process.arch}, and this is ${process.version}: ` +
      `install Node ${oldestUsable.join('.')} or newer and repeat.`,
  );
}

/** Null where there is none that can be run without a shell. */
function pinnedNode() {
  const path = at('node_modules', '.bin', 'node');
  return process.platform !== 'win32' && existsSync(path) ? path : null;
}

async function build() {
  const sources = [...sourceFolders, clientFolder].flatMap((folder) => filesBelow(folder));
  const bundling = readdirSync(at('scripts', 'lean')).map((name) => join('scripts', 'lean', name));
  const wanted = hashOf([
    readText(installStamp) ?? '',
    ...[...sources, ...bundling, 'tsconfig.json', join(clientFolder, 'tsconfig.json')].map(fingerprint),
  ]);
  const isBuilt = existsSync(leanChild) && sources.every((source) => existsSync(outputOf(source)));
  if (readText(buildStamp) === wanted && isBuilt) return;
  console.log('Building.');
  removeStaleOutputs(new Set(sources.map(outputOf)));
  // What tsc emitted once it does not emit again, unless it forgets that it did.
  if (sources.some((source) => !existsSync(outputOf(source)))) {
    for (const folder of ['dist', join('dist', 'client')]) rmSync(at(folder, '.tsbuildinfo'), { force: true });
  }
  rmSync(buildStamp, { force: true });
  let seconds = 0;
  for (const project of ['.', clientFolder]) {
    seconds += await run('building', process.execPath, [at('node_modules', 'typescript', 'bin', 'tsc'), '-p', project]);
  }
  // On the Node that runs children: the bundle knows by name what that one's modules offer.
  const further = await run('bundling the child', pinnedNode() ?? process.execPath, [
    at('scripts', 'lean', 'build.mjs'),
  ]);
  writeFileSync(buildStamp, wanted);
  console.log(`Built in ${seconds + further} s.`);
}

function fingerprint(source) {
  const { size, mtimeMs } = statSync(at(source));
  return `${source} ${size} ${mtimeMs}`;
}

/** TypeScript sources below a folder, relative to the root. */
function filesBelow(folder) {
  if (!existsSync(at(folder))) return [];
  return readdirSync(at(folder), { recursive: true })
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.d.ts'))
    .map((name) => join(folder, name))
    .toSorted();
}

function outputOf(source) {
  if (source.startsWith(`${clientFolder}${sep}`)) {
    return at('dist', 'client', source.slice(clientFolder.length + 1).replace(/\.ts$/, '.js'));
  }
  return at('dist', source.replace(/\.ts$/, '.js'));
}

/** A test or a module whose source is gone must not go on running. */
function removeStaleOutputs(outputs) {
  for (const folder of [...sourceFolders, 'client']) {
    const built = at('dist', folder);
    if (!existsSync(built)) continue;
    for (const name of readdirSync(built, { recursive: true })) {
      const path = join(built, name);
      const output = path.replace(/\.map$/, '');
      if (output.endsWith('.js') && !outputs.has(output)) rmSync(path, { force: true });
    }
  }
}

/** npm as it runs this script, on its own Node: `npm ci` deletes the pinned one while it works. */
function npm(args) {
  const { npm_execpath: script, npm_node_execpath: node } = process.env;
  if (script !== undefined && script.endsWith('.js')) return [node ?? process.execPath, [script, ...args]];
  return [process.platform === 'win32' ? 'npm.cmd' : 'npm', args];
}

/** Runs a command with a sign of life; shows what it printed when it fails. Answers the seconds that it took. */
async function run(verb, command, args) {
  const startedAt = Date.now();
  const seconds = () => Math.round((Date.now() - startedAt) / 1000);
  const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  const printed = [];
  child.stdout.on('data', (chunk) => printed.push(chunk));
  child.stderr.on('data', (chunk) => printed.push(chunk));
  const stopShowing = showLife(() => `${verb}, ${seconds()} s`);
  const ended = await new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code, signal) => resolve(code === 0 ? null : `it ended with ${code ?? signal}`));
  });
  stopShowing();
  if (ended === null) return seconds();
  process.stderr.write(Buffer.concat(printed));
  const shown = [command.split(sep).at(-1), ...args.map((arg) => arg.split(sep).at(-1))].join(' ');
  throw new Error(`${verb} failed (${shown}): ${ended}`);
}

/** A spinner on a terminal, a line every few seconds elsewhere. */
function showLife(text) {
  if (!process.stdout.isTTY) {
    const timer = setInterval(() => console.log(`  … ${text()}`), 5_000);
    return () => clearInterval(timer);
  }
  const frames = ['|', '/', '-', '\\'];
  let frame = 0;
  const timer = setInterval(() => process.stdout.write(`\r${frames[(frame += 1) % frames.length]} ${text()} `), 200);
  return () => {
    clearInterval(timer);
    process.stdout.write(`\r${' '.repeat(text().length + 4)}\r`);
  };
}

function isAtLeast([major, minor]) {
  const [ownMajor, ownMinor] = process.versions.node.split('.').map(Number);
  return ownMajor > major || (ownMajor === major && ownMinor >= minor);
}

function readText(path) {
  return existsSync(path) ? readFileSync(path, 'utf8') : null;
}

function hashOf(parts) {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(`${part.length}:${part}`);
  return hash.digest('hex');
}
