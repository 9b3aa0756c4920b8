/** The sources as text, with what each imports: for tests of the house rules. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder that holds package.json. */
export const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..');

export interface Import {
  /** A path from the root for our own files (`src/log.ts`), else a package (`pg`, `node:fs`). */
  readonly target: string;
  readonly isOwn: boolean;
  /** Whether it leaves nothing behind at run time. */
  readonly isTypeOnly: boolean;
  readonly names: readonly string[];
}

export interface SourceFile {
  /** From the root, with slashes. */
  readonly path: string;
  readonly text: string;
  readonly imports: readonly Import[];
}

export function readSources(folder = 'src'): readonly SourceFile[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => {
      const path = posix.join(folder, name.replaceAll('\\', '/'));
      const text = readFileSync(join(root, path), 'utf8');
      return { path, text, imports: importsOf(path, text) };
    });
}

const statement =
  /^\s*(?:import|export)\s+(type\s+)?([^'";]*?)\s*from\s*'([^']+)'|^\s*import\s+'([^']+)'|\bimport\('([^']+)'\)/gm;

function importsOf(path: string, text: string): readonly Import[] {
  return [...text.matchAll(statement)].map(([whole, typeKeyword, clause = '', from, bare, dynamic]) => {
    const specifier = from ?? bare ?? dynamic ?? '';
    const isOwn = specifier.startsWith('.');
    const names = clause
      .replaceAll(/[{}]/g, ' ')
      .split(',')
      .map((name) => name.trim())
      .filter((name) => name !== '');
    const isNamedOnly = clause.trimStart().startsWith('{');
    const isTypeQuery = dynamic !== undefined && new RegExp(`typeof import\\('`).test(text) && !whole.includes('await');
    return {
      target: isOwn ? posix.join(posix.dirname(path), specifier) : packageOf(specifier),
      isOwn,
      isTypeOnly:
        typeKeyword !== undefined ||
        isTypeQuery ||
        (isNamedOnly && names.length > 0 && names.every((name) => name.startsWith('type '))),
      names: names.map((name) => name.replace(/^type /, '').replace(/ as .*/, '')),
    };
  });
}

function packageOf(specifier: string): string {
  const [scope = '', name] = specifier.split('/');
  return scope.startsWith('@') && name !== undefined ? `${scope}/${name}` : scope;
}

/** Source text without comments and strings that span one line, to look for words that count as code only. */
export function codeOf(text: string): string {
  return text.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/(^|\s)\/\/.*$/gm, '');
}

/** Everything that is loaded at run time when `entry` is: own files and packages. */
export function loadedBy(entry: string, sources: readonly SourceFile[]): ReadonlySet<string> {
  const byPath = new Map(sources.map((source) => [source.path, source]));
  const loaded = new Set<string>();
  const waiting = [entry];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (loaded.has(path)) continue;
    loaded.add(path);
    for (const { target, isTypeOnly } of byPath.get(path)?.imports ?? []) if (!isTypeOnly) waiting.push(target);
  }
  return loaded;
}
