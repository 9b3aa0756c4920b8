// Builds the lean child: one file out of what tsc made of src/child and the packages that it uses. docs/lean-child.md
// tells what each step saves.
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { UnexpectedShape } from './expected-shape.mjs';
import { lightTimeouts } from './light-timeouts.mjs';
import { mendedRatchet } from './mend-ratchet.mjs';
import { mendedFiles as mendedVerification } from './mend-verification.mjs';
import { splitMessages } from './split-messages.mjs';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
export const leanFolder = join(root, 'dist', 'lean');
const require = createRequire(import.meta.url);
const baileys = '@whiskeysockets/baileys/';
const mendedFiles = { ...mendedVerification, ...mendedRatchet };
/** Loaded only by kinds of messages that ask for them, from node_modules. */
const external = ['sharp', 'jimp', 'link-preview-js', 'music-metadata', 'audio-decode', 'bufferutil', 'utf-8-validate'];
/** Node's own modules that no session needs until it does something special. */
const rareBuiltins = [
  'zlib',
  'child_process',
  'fs/promises',
  'os',
  'stream/promises',
  'stream/consumers',
  'https',
  'tls',
];

/** The steps that may be left out, to measure what each of them saves. */
export const steps = {
  lazyMessages: 'protobuf classes made at first use',
  nativeBridge: 'node:crypto instead of WebAssembly (whatsapp-rust-bridge)',
  lightCache: 'a cache of 50 lines (@cacheable/node-cache)',
  rareBuiltins: `Node's modules at first use (${rareBuiltins.join(', ')})`,
  lightTimeouts: 'time limits without stack traces made in advance',
  shortNames: 'names of variables made short',
  ascii: 'one byte a character: ascii, no licence comments',
};

/**
 * Writes `child.cjs`, its source map and the pieces of the protobuf classes to `folder`. Throws UnexpectedShape when a
 * file of the library is not as the steps expect it.
 */
export async function buildLeanChild({
  folder = leanFolder,
  without = [],
  readSource = readText,
  dist = join(root, 'dist'),
} = {}) {
  for (const step of without) if (!Object.hasOwn(steps, step)) throw new Error(`there is no step ${step}`);
  const has = (step) => !without.includes(step);
  const files = new Map();
  const mended = new Set();
  const result = await build({
    entryPoints: [join(dist, 'src', 'child', 'main.js')],
    outfile: join(folder, 'child.cjs'),
    bundle: true,
    write: false,
    platform: 'node',
    format: 'cjs',
    target: 'node24',
    minifyWhitespace: true,
    minifySyntax: true,
    minifyIdentifiers: has('shortNames'),
    // A crash that nobody catches makes Node print the line where it happened.
    lineLimit: 160,
    sourcemap: 'external',
    logLevel: 'silent',
    charset: has('ascii') ? 'ascii' : 'utf8',
    legalComments: has('ascii') ? 'none' : 'inline',
    external,
    plugins: [rewriting({ has, files, mended, readSource, lean: join(dist, 'src', 'child', 'lean') })],
  }).catch((/** @type {unknown} */ error) => {
    // What a plugin throws comes back as a list of messages.
    throw error.errors?.find(({ detail }) => detail instanceof UnexpectedShape)?.detail ?? error;
  });
  const missing = Object.keys(mendedFiles).filter((file) => !mended.has(file));
  if (missing.length > 0) throw new UnexpectedShape(missing.join(', '), 'it should be part of the child');
  mkdirSync(folder, { recursive: true });
  for (const { path, contents } of result.outputFiles) files.set(path.slice(folder.length + 1), contents);
  // The entry comes last: whatever it reads is there by then.
  const names = [...files.keys()].toSorted((one, other) => Number(one === 'child.cjs') - Number(other === 'child.cjs'));
  for (const name of names) {
    const unfinished = join(folder, `${name}.${process.pid}.new`);
    writeFileSync(unfinished, files.get(name));
    renameSync(unfinished, join(folder, name));
  }
  for (const name of readdirSync(folder))
    if (!files.has(name) && !name.endsWith('.new')) rmSync(join(folder, name), { force: true });
  return { bytes: files.get('child.cjs').length };
}

/** Whether what tsc made of the child is newer than the bundle, or this build is. */
export function isLeanChildStale() {
  const builtAt = statSync(join(leanFolder, 'child.cjs'), { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const inputs = [
    join(root, 'dist', 'src', 'child'),
    join(root, 'dist', 'src', 'contract'),
    join(root, 'scripts', 'lean'),
  ];
  return inputs.some((folder) =>
    readdirSync(folder, { recursive: true })
      .filter((name) => /\.m?js$/.test(name))
      .some((name) => statSync(join(folder, name)).mtimeMs > builtAt),
  );
}

function rewriting({ has, files, mended, readSource, lean }) {
  const inLean = (name) => join(lean, name);
  const standIns = [
    ...(has('nativeBridge') ? [['whatsapp-rust-bridge', `export * from ${text(inLean('rust-bridge.js'))};`]] : []),
    // Not a step of its own: pino does not survive bundling.
    ['pino', `export { silentLogger as default } from ${text(inLean('silent-logger.js'))};`],
    ...(has('lightCache')
      ? [['@cacheable/node-cache', `export { LightCache as default } from ${text(inLean('node-cache.js'))};`]]
      : []),
    ...(has('rareBuiltins') ? rareBuiltins.map((name) => [name, lazyBuiltin(name)]) : []),
  ];
  const standIn = new Map(standIns);
  return {
    name: 'lean',
    setup(builder) {
      builder.onResolve({ filter: /^[^.]/ }, ({ path, namespace }) => {
        const name = path.replace(/^node:/, '');
        if (namespace === 'stand-in' || !standIn.has(name)) return undefined;
        return { path: name, namespace: 'stand-in' };
      });
      builder.onLoad({ filter: /.*/, namespace: 'stand-in' }, ({ path }) => ({
        contents: standIn.get(path),
        resolveDir: lean,
      }));
      builder.onLoad({ filter: /node_modules.*\.js$/ }, ({ path }) => {
        const file = path.split(`${sep}node_modules${sep}`).at(-1).replaceAll(sep, '/');
        if (Object.hasOwn(mendedFiles, file)) {
          mended.add(file);
          return { contents: mendedFiles[file](readSource(path), file, inLean('x-ed-dsa.js')), loader: 'js' };
        }
        if (has('lightTimeouts') && Object.hasOwn(lightTimeouts, file)) {
          return { contents: lightTimeouts[file](readSource(path), file), loader: 'js' };
        }
        if (has('lazyMessages') && file === `${baileys}WAProto/index.js`) {
          const { contents, name, pieces } = lazyMessages(readSource(path), file, inLean('lazy-members.js'));
          files.set(name, pieces);
          return { contents, loader: 'js' };
        }
        return undefined;
      });
    },
  };
}

/** The pieces' name holds their hash: a child reads those that it was built with. */
function lazyMessages(source, file, runtime) {
  const placeholder = '__dirname + "/messages"';
  const { code, pieces } = splitMessages({ source, file, runtime, pieces: placeholder });
  const name = `messages-${createHash('sha256').update(pieces).digest('hex').slice(0, 16)}.js.txt`;
  return { contents: code.replace(placeholder, `__dirname + ${text(`/${name}`)}`), name, pieces };
}

/** A module whose functions load the real one when they are called; classes and constants it does not have. */
function lazyBuiltin(name) {
  const real = `process.getBuiltinModule(${text(name)})`;
  const functions = Object.entries(require(name))
    .filter(([member, value]) => typeof value === 'function' && /^[a-z]\w*$/.test(member) && member !== 'default')
    .map(
      ([member]) => `const $${member} = (...given) => ${real}.${member}(...given); export { $${member} as ${member} };`,
    );
  return `${functions.join('\n')}\nexport default new Proxy({}, { get: (_, member) => ${real}[member] });`;
}

const text = (value) => JSON.stringify(value);
const readText = (path) => readFileSync(path, 'utf8');

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    const { bytes } = await buildLeanChild();
    console.log(`${relative(process.cwd(), join(leanFolder, 'child.cjs'))}: ${Math.round(bytes / 1024)} KB`);
  } catch (error) {
    console.error(error.message);
    process.exit(1);
  }
}
