import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { z } from 'zod';
import { listVariables } from '../../src/config-table.ts';
import { operationNames, operations } from '../../src/contract/index.ts';
import type { Operation } from '../../src/contract/operation.ts';
import { sandboxFaults } from '../../src/contract/operations/sandbox.ts';
import { brokenLinksOf, codeSpansOf, projectFiles, readDocuments, testsNamedIn } from '../support/markdown.ts';
import { readSources, root } from '../support/source-files.ts';

const documents = readDocuments();
const files = projectFiles();
const packageFile = z.object({ scripts: z.record(z.string(), z.string()) });
const textOf = (path: string): string => documents.find((document) => document.path === path)?.text ?? '';

/** The routes of the simulator's control API. */
const controlPaths = readSources('src/simulator').flatMap(({ text }) =>
  [...text.matchAll(/\bpath: '(\/[\w/:-]+)'/g)].map(([, path = '']) => path),
);

/** Whether a name as documents write it, whole or from some folder on, is that of a file. */
const isFile = (name: string): boolean => files.some((file) => file === name || file.endsWith(`/${name}`));

describe('every document', () => {
  for (const document of documents) {
    test(`${document.path} has links that lead somewhere`, () => {
      assert.deepEqual(brokenLinksOf(document), []);
    });

    test(`${document.path} names files that exist`, () => {
      const named = codeSpansOf(document.text).filter(
        (code) => /^[\w./-]+\.(?:ts|mjs|sql|md|njk|service)$/.test(code) && !code.startsWith('dist/'),
      );
      assert.deepEqual(
        named.filter((name) => !isFile(name)),
        [],
      );
    });

    // The page for those who come from another gateway names routes of others; it has a test of its own.
    if (document.path !== 'docs/migrating.md') {
      test(`${document.path} names routes that are served`, () => {
        assert.deepEqual(unknownRoutesOf(document.text), []);
      });
    }

    test(`${document.path} names commands that package.json has`, () => {
      const { scripts } = packageFile.parse(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')));
      const named = [...document.text.matchAll(/npm run ([\w:-]+)/g)].map(([, name = '']) => name);
      assert.deepEqual(
        named.filter((name) => !(name in scripts)),
        [],
      );
    });
  }

  test('is linked to by another one', () => {
    const linked = documents.flatMap(({ text }) =>
      [...text.matchAll(/\]\((?:docs\/|\.\.\/)?([\w-]+\.md)/g)].map(([, name]) => name),
    );
    const entrances = new Set(['README.md']);
    assert.deepEqual(
      documents
        .map(({ path }) => path.replace('docs/', ''))
        .filter((name) => !entrances.has(name) && !linked.includes(name)),
      [],
    );
  });
});

describe('the operations manual', () => {
  const text = textOf('docs/operations.md');

  test('names variables that the gateway reads', () => {
    const known = new Set(listVariables().flatMap(({ variable }) => [variable.name, ...variable.aliases]));
    const named = codeSpansOf(text).flatMap(
      (code) => /^([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)(?:=.*)?$/.exec(code)?.[1] ?? [],
    );
    assert.ok(named.length > 20, `${named.length} variables`);
    assert.deepEqual(
      named.filter((name) => !known.has(name.replace(/_FILE$/, ''))),
      [],
    );
  });
});

describe('the document on the sandbox', () => {
  const text = textOf('docs/sandbox.md');

  test('has a row for each fault that can be set', () => {
    const rows = [...text.matchAll(/^\| `(\w+)` \|/gm)].map(([, fault = '']) => fault);
    assert.deepEqual(rows.toSorted(), [...sandboxFaults.options].toSorted());
  });

  test('names routes of the control API that the simulator has, all of them', () => {
    const named = codeSpansOf(text).filter((code) =>
      /^\/(?:accounts|contacts|faults|groups|health|message-times|oracle|people|phones)\b/.test(code),
    );
    assert.deepEqual(
      named.filter((path) => path !== '/health' && !controlPaths.includes(path)),
      [],
    );
    const left = controlPaths.filter((path) => !named.includes(path) && path !== '/pictures/:file');
    assert.deepEqual(left, []);
  });
});

describe('the invariants', () => {
  const bullets = textOf('docs/invariants.md')
    .split('\n')
    .filter((line) => line.startsWith('- '));

  test('each name a test that exists, by its title', () => {
    assert.ok(bullets.length > 50);
    for (const bullet of bullets) {
      for (const { file, titles } of testsNamedIn(bullet)) {
        assert.ok(existsSync(join(root, file)), `${file} exists`);
        assert.ok(titles.length > 0, `${file} is named with a title`);
        const source = readFileSync(join(root, file), 'utf8');
        for (const title of titles) assert.ok(source.includes(title), `${file} has the test “${title}”`);
      }
    }
  });

  test('that have no test say so, and are few', () => {
    const untested = bullets.filter((bullet) => testsNamedIn(bullet).length === 0);
    assert.deepEqual(
      untested.filter((bullet) => !bullet.endsWith('*No test of its own.*')),
      [],
    );
    assert.ok(untested.length <= 4, `${untested.length} without a test`);
  });
});

/** Routes in backticks that neither the API nor the simulator has; `…` stands for any beginning. */
function unknownRoutesOf(text: string): readonly string[] {
  const all: readonly Operation[] = operationNames.map((name) => operations[name]);
  const served = new Set([
    ...all.flatMap(({ method, path, aliases = [] }) => [path, ...aliases].map((each) => `${method} ${each}`)),
    ...['/health', '/livez', '/readyz', '/metrics', '/swagger-ui', '/api-docs/openapi.json'].map(
      (path) => `GET ${path}`,
    ),
  ]);
  return codeSpansOf(text)
    .flatMap((code) => /^(?:GET|POST|PATCH|DELETE|PUT) \S+/.exec(code) ?? [])
    .map((route) => route.replace('/api/v1', '').replace(/\?.*$/, ''))
    .filter((route) => {
      const [method = '', path = ''] = route.split(' ');
      return path.startsWith('…')
        ? ![...served].some((each) => each.startsWith(method) && each.endsWith(path.slice(1)))
        : !served.has(route) && !controlPaths.includes(path);
    });
}
