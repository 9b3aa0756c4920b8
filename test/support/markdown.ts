/** The documents of the project as text, and what stands in them: for tests that keep them true. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { root } from './source-files.ts';

export interface Document {
  /** From the root, with slashes. */
  readonly path: string;
  readonly text: string;
}

/** All that people read: the files beside package.json and those in docs/. */
export function readDocuments(): readonly Document[] {
  const markdown = (folder: string): readonly string[] =>
    readdirSync(join(root, folder)).filter((name) => name.endsWith('.md'));
  return [...markdown('.'), ...markdown('docs').map((name) => `docs/${name}`)].map((path) => ({
    path,
    text: readFileSync(join(root, path), 'utf8'),
  }));
}

const foldersOfOthers = new Set(['node_modules', 'dist', '.git', 'whatsapp_sessions']);

/** Every file of the project, from the root. */
export function projectFiles(folder = ''): readonly string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    if (foldersOfOthers.has(entry.name)) return [];
    const path = posix.join(folder, entry.name);
    return entry.isDirectory() ? projectFiles(path) : [path];
  });
}

const fence = /^(```|~~~)[\s\S]*?^\1\s*$/gm;

/** The text without its blocks of code. */
export const proseOf = (text: string): string => text.replaceAll(fence, '');

/** What stands in single backticks outside of blocks. */
export const codeSpansOf = (text: string): readonly string[] =>
  [...proseOf(text).matchAll(/`([^`\n]+)`/g)].map(([, code = '']) => code);

/** The names by which GitHub lets headings be linked to. */
export function anchorsOf(text: string): ReadonlySet<string> {
  const seen = new Map<string, number>();
  const anchors = [...proseOf(text).matchAll(/^#{1,6}\s+(.+?)\s*#*$/gm)].map(([, heading = '']) => {
    const slug = heading
      .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(/\s/g, '-');
    const count = seen.get(slug) ?? 0;
    seen.set(slug, count + 1);
    return count === 0 ? slug : `${slug}-${count}`;
  });
  return new Set(anchors);
}

/** Links and pictures within the project that lead nowhere, with what is wrong. */
export function brokenLinksOf({ path, text }: Document): readonly string[] {
  const targets = [
    ...proseOf(text)
      .replaceAll(/`[^`\n]*`/g, '')
      .matchAll(/\]\(([^)\s]+)(?:\s+"[^"]*")?\)/g),
  ];
  return targets.flatMap(([, target = '']) => {
    if (/^[a-z]+:/.test(target)) return [];
    const [file = '', anchor] = target.split('#');
    const linked = file === '' ? path : posix.join(posix.dirname(path), file);
    if (!existsSync(join(root, linked))) return [`${target}: there is no ${linked}`];
    if (anchor === undefined || anchor === '') return [];
    return anchorsOf(readFileSync(join(root, linked), 'utf8')).has(anchor) ? [] : [`${target}: no such heading`];
  });
}

/** The tests that a text names: a file in backticks, and behind it titles in “quotes”. */
export function testsNamedIn(text: string): readonly { readonly file: string; readonly titles: readonly string[] }[] {
  return [...text.matchAll(/`(test\/[^`]+\.ts)`((?:\s*“[^”]+”)*)/g)].map(([, file = '', quoted = '']) => ({
    file,
    titles: [...quoted.matchAll(/“([^”]+)”/g)].map(([, title = '']) => title),
  }));
}
