import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { validate } from 'dockerfile-utils';
import { z } from 'zod';
import {
  configurationOf,
  copiedFromContext,
  defaults,
  environmentOf,
  named,
  readText,
  stages,
  unknownVariables,
  wordsOf,
} from '../support/deployment.ts';
import { root } from '../support/source-files.ts';

const manifest = z.object({ version: z.string(), scripts: z.record(z.string(), z.string()).default({}) });
const readManifest = (name: string) => manifest.parse(JSON.parse(readText(name)));
const [build, image] = stages();
assert.ok(build !== undefined && image !== undefined && stages().length === 2);

describe('the Dockerfile', () => {
  test('is one in the eyes of an independent validator', () => {
    assert.deepEqual(validate(readText('Dockerfile')), []);
  });

  test('builds with the Node that the project pins, on the Debian that it runs on', () => {
    const [, major, debian] = /^node:(\d+)-([a-z]+)-slim$/.exec(build.from) ?? [];
    assert.equal(major, readManifest('tools/node-runtime/package.json').version.split('.')[0]);
    assert.equal(image.from, `debian:${debian}-slim`);
  });

  test('starts the gateway as npm start does', () => {
    assert.equal(wordsOf(image, 'CMD').join(' '), readManifest('package.json').scripts['start']);
  });

  test('has an init that passes signals on and reaps', () => {
    assert.deepEqual(wordsOf(image, 'ENTRYPOINT'), ['/usr/bin/tini', '--']);
  });

  test('runs as an ordinary user, told by number', () => {
    assert.match(wordsOf(image, 'USER').join(' '), /^[1-9]\d+:[1-9]\d+$/);
  });

  test('sets variables that the gateway reads, to what the rest of the file says', () => {
    const environment = environmentOf(image);
    assert.deepEqual(unknownVariables(Object.keys(environment)), []);
    const config = configurationOf(environment);
    assert.equal(config.host, '0.0.0.0');
    assert.deepEqual(wordsOf(image, 'VOLUME'), [config.storagePath]);
    assert.deepEqual(wordsOf(image, 'EXPOSE'), [String(defaults.port)]);
  });

  test('holds every script that works on a running gateway by its configuration', () => {
    const scripts = readdirSync(join(root, 'scripts')).filter((name) => name.endsWith('.mjs'));
    const needed = scripts.filter((name) =>
      /\/dist\/src\/config\.js|\.\/ask-gateway\.mjs/.test(readText(`scripts/${name}`)),
    );
    assert.ok(needed.includes('login-link.mjs') && needed.includes('ask-gateway.mjs'));
    const copied = named(image, 'COPY').flatMap((each) => each.getArguments().map((argument) => argument.getValue()));
    for (const name of needed) assert.ok(copied.includes(`/build/scripts/${name}`), name);
  });

  test('asks the gateway itself whether it lives', () => {
    const words = wordsOf(image, 'HEALTHCHECK').join(' ');
    assert.equal(words, 'CMD ["node", "scripts/healthcheck.mjs", "/livez"]');
  });
});

describe('what an image is built from', () => {
  const allowed = readText('.dockerignore')
    .split('\n')
    .filter((line) => line.startsWith('!'))
    .map((line) => line.slice(1));

  test('nothing of this folder but what the Dockerfile names can get in', () => {
    assert.equal(
      readText('.dockerignore')
        .split('\n')
        .find((line) => !line.startsWith('#')),
      '*',
    );
    assert.deepEqual(allowed.toSorted(), [...new Set(copiedFromContext(build))].toSorted());
    assert.deepEqual(copiedFromContext(image), []);
  });

  test('all of it is there', () => {
    for (const name of allowed) assert.ok(existsSync(join(root, name)), name);
  });
});

describe('the health check', () => {
  const check = async (port: number, path: string): Promise<number | null> => {
    const script = join(root, 'scripts', 'healthcheck.mjs');
    const child = spawn(process.execPath, [script, path], { env: { PORT: String(port), HOST: '0.0.0.0' } });
    const { promise, resolve, reject } = Promise.withResolvers<number | null>();
    child.once('error', reject);
    child.once('close', resolve);
    return promise;
  };

  test('passes when the gateway says yes, and fails when it says no or is not there', async () => {
    const server = createServer((request, response) => {
      response.writeHead(request.url === '/livez' ? 200 : 503).end('well');
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    assert.ok(address !== null && typeof address === 'object');
    const { port } = address;
    try {
      assert.deepEqual([await check(port, '/livez'), await check(port, '/readyz')], [0, 1]);
    } finally {
      server.close();
      await once(server, 'close');
    }
    assert.equal(await check(port, '/livez'), 1);
  });
});
