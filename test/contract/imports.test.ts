import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { codeOf, loadedBy, readSources, type Import, type SourceFile } from '../support/source-files.ts';

const sources = readSources();
const paths = new Set(sources.map((source) => source.path));

/** `src/store/pool.ts` → `store`; files directly below src → `root`. */
function roomOf(path: string): string {
  const [, room = '', ...rest] = path.split('/');
  return rest.length === 0 ? 'root' : room;
}

type Access = 'yes' | 'types';
/** Who may enter which room: wholly, or for its types only. Not named: not at all. */
const doors: Readonly<Record<string, Readonly<Record<string, Access>>>> = {
  contract: {},
  child: { contract: 'yes' },
  store: { contract: 'yes' },
  supervisor: { contract: 'yes', store: 'types', telemetry: 'types' },
  webhooks: { contract: 'yes', store: 'types', media: 'yes', telemetry: 'types' },
  media: { contract: 'yes' },
  transfer: { contract: 'yes' },
  bulk: { contract: 'yes', store: 'types', supervisor: 'types' },
  api: {
    contract: 'yes',
    store: 'types',
    supervisor: 'types',
    media: 'yes',
    webhooks: 'yes',
    bulk: 'yes',
    transfer: 'yes',
    telemetry: 'types',
  },
  telemetry: { contract: 'yes', store: 'types', supervisor: 'types' },
  doctor: { contract: 'yes', store: 'yes', supervisor: 'yes', root: 'yes' },
  simulator: { contract: 'yes' },
  root: {
    contract: 'yes',
    store: 'yes',
    supervisor: 'yes',
    webhooks: 'yes',
    media: 'yes',
    bulk: 'yes',
    api: 'yes',
    telemetry: 'yes',
  },
};
/** Single files that anybody may use; they hold no state of a room. */
const openFiles = new Set([
  'src/clock.ts',
  'src/log.ts',
  'src/log-redaction.ts',
  'src/request-scope.ts',
  'src/tracing.ts',
]);
/** Packages that a room keeps to itself. */
const ownedPackages: readonly { readonly packages: readonly string[]; readonly folders: readonly string[] }[] = [
  { packages: ['@whiskeysockets/baileys', 'whatsapp-rust-bridge'], folders: ['src/child/engine/', 'src/simulator/'] },
  { packages: ['slonik', 'pg'], folders: ['src/store/'] },
  { packages: ['koa', '@koa/router', 'koa-body', 'koa-helmet', 'nunjucks'], folders: ['src/api/'] },
  { packages: ['prom-client'], folders: ['src/telemetry/'] },
  {
    packages: [
      '@opentelemetry/api',
      '@opentelemetry/resources',
      '@opentelemetry/sdk-trace',
      '@opentelemetry/exporter-trace-otlp-http',
      '@opentelemetry/exporter-trace-otlp-proto',
    ],
    folders: ['src/telemetry/otel-tracer.ts'],
  },
];
/** What no child may load: each costs megabytes in every process, or gives it what it must not have. */
const supervisorOnly = [
  'slonik',
  'pg',
  'zod',
  'undici',
  'koa',
  'nunjucks',
  'pino',
  'jsonwebtoken',
  'prom-client',
  '@opentelemetry/api',
  '@opentelemetry/sdk-trace',
];

function complain(find: (source: SourceFile) => readonly string[]): void {
  assert.deepEqual(
    sources.flatMap((source) => find(source).map((fault) => `${source.path}: ${fault}`)),
    [],
  );
}

const isMayEnter = (source: SourceFile, { target, isTypeOnly }: Import): boolean => {
  const [from, to] = [roomOf(source.path), roomOf(target)];
  if (from === to || openFiles.has(target)) return true;
  const access = doors[from]?.[to];
  return access === 'yes' || (access === 'types' && isTypeOnly);
};

describe('the rooms of the house', () => {
  test('imports go only where the architecture lets them', () => {
    complain((source) =>
      source.imports
        .filter((each) => each.isOwn && !isMayEnter(source, each))
        .map(({ target, isTypeOnly }) => `imports ${isTypeOnly ? 'types of ' : ''}${target}`),
    );
  });

  test('every import names a file that exists', () => {
    complain((source) =>
      source.imports.filter(({ isOwn, target }) => isOwn && !paths.has(target)).map(({ target }) => target),
    );
  });

  test('the contract needs nothing but zod', () => {
    complain((source) =>
      roomOf(source.path) !== 'contract'
        ? []
        : source.imports.filter(({ isOwn, target }) => !isOwn && target !== 'zod').map(({ target }) => target),
    );
  });

  test('packages stay in the rooms that own them', () => {
    complain((source) =>
      ownedPackages.flatMap(({ packages, folders }) =>
        folders.some((folder) => source.path.startsWith(folder))
          ? []
          : source.imports.filter(({ target }) => packages.includes(target)).map(({ target }) => `imports ${target}`),
      ),
    );
  });

  test('Baileys is used by the engine, and in the simulator by its wire alone', () => {
    complain((source) =>
      source.path.startsWith('src/child/engine/') || source.path.startsWith('src/simulator/wire/')
        ? []
        : source.imports
            .filter(({ target, isTypeOnly }) => target === '@whiskeysockets/baileys' && !isTypeOnly)
            .map(({ target }) => `imports ${target}`),
    );
  });

  test('a child loads nothing that belongs to the supervisor', () => {
    assert.ok(paths.has('src/child/main.ts'));
    const loaded = loadedBy('src/child/main.ts', sources);
    assert.ok(loaded.has('@whiskeysockets/baileys'));
    assert.deepEqual(
      supervisorOnly.filter((name) => loaded.has(name)),
      [],
    );
    assert.deepEqual(
      [...loaded].filter((path) => /^src\/(supervisor|store|api|webhooks|simulator)\//.test(path)),
      [],
    );
  });

  test('what makes spans is loaded only when somebody asks for them', () => {
    const importers = sources.filter(({ imports }) =>
      imports.some(({ target }) => target === 'src/telemetry/otel-tracer.ts'),
    );
    assert.deepEqual(
      importers.map(({ path }) => path),
      ['src/telemetry/start-tracing.ts'],
    );
    const source = importers.map(({ text }) => codeOf(text)).join('');
    assert.match(source, /await import\('\.\/otel-tracer\.ts'\)/);
    assert.doesNotMatch(source, /^import (?!type)[^;]*otel-tracer/m);
  });

  test('the supervisor loads neither Baileys nor anything of the child and the simulator', () => {
    for (const entry of ['src/main.ts', 'src/gateway.ts']) {
      assert.ok(paths.has(entry), entry);
      const loaded = loadedBy(entry, sources);
      assert.ok(loaded.has('slonik'), entry);
      assert.equal(loaded.has('@whiskeysockets/baileys'), false, entry);
      assert.deepEqual(
        [...loaded].filter((path) => /^src\/(child|simulator)\//.test(path)),
        [],
        entry,
      );
    }
  });
});

/** What may stand only in the files named. */
const confined: readonly { readonly what: string; readonly pattern: RegExp; readonly allowed: RegExp }[] = [
  { what: 'process.env', pattern: /\bprocess\.env\b/, allowed: /^src\/config\.ts$/ },
  { what: 'process.exit', pattern: /\bprocess\.exit\(/, allowed: /^src\/(.*\/)?main\.ts$|^src\/child\/exit\.ts$/ },
  // The store may not import the supervisor, and has to tell a stale pid file from a live database.
  { what: '/proc', pattern: /['"`]\/proc\b/, allowed: /^src\/supervisor\/proc\.ts$|^src\/store\/postmaster-pid\.ts$/ },
  { what: 'the wall clock', pattern: /\bDate\.now\(|\bnew Date\(\)/, allowed: /^src\/clock\.ts$/ },
  { what: 'console', pattern: /\bconsole\.(log|info|warn|error|debug)\(/, allowed: /^$/ },
];

describe('what stands in one place only', () => {
  for (const { what, pattern, allowed } of confined) {
    test(`${what} is used only where it belongs`, () => {
      complain((source) => (pattern.test(codeOf(source.text)) && !allowed.test(source.path) ? [`uses ${what}`] : []));
    });
  }
});

/** Nothing of these can be felt outside the process. */
const purePackages = new Set(['zod', 'node:crypto', 'node:util', 'node:buffer', 'node:path', 'node:assert']);
const isPure = (source: SourceFile): boolean => /^\/\*\*\s*(?:\*\s*)?Pure\b/.test(source.text);

test('files that call themselves pure import nothing with effects', () => {
  const pure = new Set(sources.filter(isPure).map((source) => source.path));
  assert.ok(pure.size > 5);
  complain((source) =>
    !pure.has(source.path)
      ? []
      : source.imports
          .filter(({ target, isOwn, isTypeOnly, names }) => {
            if (isTypeOnly) return false;
            if (isOwn) return !pure.has(target) && roomOf(target) !== 'contract';
            if (target === 'node:net')
              return names.some((name) => !['isIP', 'isIPv4', 'isIPv6', 'BlockList'].includes(name));
            return !purePackages.has(target);
          })
          .map(({ target }) => `imports ${target}`),
  );
});

test('files are named in kebab-case, and for what they do', () => {
  complain(({ path }) => {
    const names = path.replace(/\.ts$/, '').split('/').slice(1);
    const isKebab = names.every((name) => /^[a-z0-9]+(-[a-z0-9]+)*$/.test(name));
    const isVague = /^(utils?|helpers?|managers?|services?)$/.test(names.at(-1) ?? '');
    return isKebab && !isVague ? [] : ['is badly named'];
  });
});
