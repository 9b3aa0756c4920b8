// `npm run image:check`: builds the image by its Dockerfile and runs it, where there is no Docker. buildah executes the
// Dockerfile itself on stand-ins for its base images; the gateway then runs as in the compose file, with a read-only root
// and without capabilities, beside a real Postgres, until its health checks pass and a sandbox session has sent.
// Needs root on Debian; takes some minutes. Build arguments may follow (`-- EXTRA_PACKAGES=ffmpeg`); with
// EMBEDDED_POSTGRES=true the gateway runs on that. docs/deployment.md tells what it covers and what it does not.
import { existsSync, mkdirSync, mkdtempSync, chownSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { makeBaseImages, readDockerfile } from './base-images.mjs';
import { Container } from './container.mjs';
import { run } from './run.mjs';
import { useSandbox } from './use-sandbox.mjs';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const tag = 'localhost/warden:check';
const megabyte = 1_000_000;
/** Above what is measured; beyond it something got in that should not. */
const mostAddedMb = 260;
const readyMs = 120_000;

const given = process.argv.slice(2);
const buildArguments = given.flatMap((each) => ['--build-arg', each]);
const isEmbedded = given.includes('EMBEDDED_POSTGRES=true');
const work = mkdtempSync(join(tmpdir(), 'warden-image-'));
try {
  requireTools();
  const storage = join(work, 'storage.conf');
  const places = `runroot="${join(work, 'run')}"\ngraphroot="${join(work, 'images')}"`;
  writeFileSync(storage, `[storage]\ndriver="vfs"\n${places}\n`);
  const environment = { ...process.env, CONTAINERS_STORAGE_CONF: storage };
  const buildah = (args) => run('buildah', args, { env: environment });

  say('making stand-ins for the base images (debootstrap)');
  const debian = makeBaseImages({ dockerfile: readDockerfile(), work, buildah });
  say('building the Dockerfile (buildah, chroot isolation)');
  const how = ['--isolation=chroot', '--pull-never', '--format=docker', `--tag=${tag}`];
  buildah(['build', ...how, ...buildArguments, root]);
  const { config } = JSON.parse(buildah(['inspect', '--type=image', tag])).Docker;
  const files = buildah(['mount', buildah(['from', '--pull-never', tag]).trim()]).trim();
  reportSize(files, debian);
  await runImage({ config, files });
  say('the image works');
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  rmSync(work, { recursive: true, force: true });
}

async function runImage({ config, files }) {
  const server = isEmbedded ? null : await startServer();
  const volume = join(work, 'volume');
  mkdirSync(volume, { mode: 0o700 });
  chownSync(volume, ...config.User.split(':').map(Number));
  const port = await freePort();
  const environment = { PORT: String(port), ...(server === null ? {} : { DATABASE_URL: server.templateUrl }) };
  const container = new Container({ config, files, work, volume, environment });
  try {
    say('starting it: read-only root, user, no capabilities');
    container.start();
    const compose = parse(readFileSync(join(root, 'docker-compose.yml'), 'utf8')).services.warden;
    for (const [, ...command] of [config.Healthcheck.Test, compose.healthcheck.test]) {
      say(`  ${command.join(' ')} → ${await untilHealthy(container, command)}`);
    }
    const token = readFileSync(join(volume, 'secrets', 'superadmin-token'), 'utf8').trim();
    for (const line of await useSandbox(`http://127.0.0.1:${port}`, token)) say(`  ${line}`);
    const link = container.execute(['node', 'scripts/login-link.mjs']);
    if (link.status !== 0) throw new Error(`login-link: ${link.output}`);
    const graceMs = Number.parseInt(compose.stop_grace_period, 10) * 1_000;
    const stoppedAt = performance.now();
    const code = await container.stop(graceMs);
    if (code !== 0) throw new Error(`a stop ended with ${code ?? 'no end in time'}`);
    say(`  stopped in ${Math.round(performance.now() - stoppedAt)} ms`);
  } catch (error) {
    console.error(container.output.split('\n').slice(-40).join('\n'));
    throw error;
  } finally {
    container.kill();
    await container.ended;
    await server?.stop();
  }
}

async function startServer() {
  const { setLogLevel } = await import('../../dist/src/log.js');
  const { startTestServer } = await import('../../dist/test/support/database.js');
  setLogLevel('warn');
  return startTestServer();
}

async function untilHealthy(container, command) {
  const deadline = performance.now() + readyMs;
  for (;;) {
    const { status, output } = container.execute(command);
    if (status === 0) return output;
    if (performance.now() > deadline || container.process.exitCode !== null) throw new Error(`not healthy: ${output}`);
    await delay(500);
  }
}

function reportSize(files, debian) {
  const sizeMb = (...paths) => {
    const sizes = run('du', ['--bytes', '--summarize', '--one-file-system', ...paths])
      .trim()
      .split('\n');
    return sizes.reduce((sum, line) => sum + Number.parseInt(line, 10), 0) / megabyte;
  };
  const parts = {
    Node: ['usr/local/bin/node'],
    packages: ['app/node_modules'],
    gateway: ['app/dist', 'app/views', 'app/sql'],
  };
  const added = sizeMb(files) - sizeMb(debian);
  let rest = added;
  for (const [name, paths] of Object.entries(parts)) {
    const size = sizeMb(...paths.map((path) => join(files, path)));
    rest -= size;
    say(`  ${name}: ${size.toFixed(0)} MB`);
  }
  say(`  packages of Debian, and what arguments add: ${Math.max(0, rest).toFixed(0)} MB`);
  const packed = run('sh', ['-c', `tar -C '${files}' -c usr/local/bin/node app | gzip -6 | wc -c`]);
  const packedMb = (Number(packed) / megabyte).toFixed(0);
  say(`  in all ${added.toFixed(0)} MB on top of Debian; Node and the gateway compressed ${packedMb} MB`);
  if (buildArguments.length === 0 && added > mostAddedMb) throw new Error(`that is more than ${mostAddedMb} MB`);
}

function requireTools() {
  if (process.getuid?.() !== 0) throw new Error('the image can be checked by root only');
  const missing = Object.entries({ buildah: '/usr/bin/buildah', debootstrap: '/usr/sbin/debootstrap' })
    .filter(([, path]) => !existsSync(path))
    .map(([name]) => name);
  if (missing.length === 0) return;
  say(`installing ${missing.join(' and ')}`);
  run('apt-get', ['update']);
  run('apt-get', ['install', '--yes', '--no-install-recommends', ...missing]);
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function say(text) {
  console.log(text);
}
