import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { testsNamedIn } from '../support/markdown.ts';
import { root } from '../support/source-files.ts';

const lines = readFileSync(join(root, 'docs', 'faults.md'), 'utf8').split('\n');
const rows = lines.filter((line) => /^\| \d/.test(line)).map((line) => line.split('|').map((cell) => cell.trim()));

describe('the table of faults', () => {
  test('has a row for each fault, in order', () => {
    const numbers = rows.flatMap(([, number = '']) => {
      const [from = 0, to = from] = number.split('–').map(Number);
      return Array.from({ length: to - from + 1 }, (_, index) => from + index);
    });
    assert.deepEqual(
      numbers,
      Array.from({ length: 40 }, (_, index) => index + 1),
    );
  });

  for (const [, number = '', , asserted = '', by = ''] of rows) {
    test(`names tests that exist in row ${number}`, () => {
      const named = testsNamedIn(`${asserted} ${by}`);
      assert.ok(named.length > 0, 'the row names a test file');
      for (const { file, titles } of named) {
        assert.ok(existsSync(join(root, file)), `${file} exists`);
        const source = readFileSync(join(root, file), 'utf8');
        for (const title of titles) assert.ok(source.includes(title), `${file} has the test “${title}”`);
      }
      if (by !== '')
        assert.ok(
          testsNamedIn(by).every(({ titles }) => titles.length > 0),
          'each file is named with a title',
        );
    });
  }

  test('leaves out no file of the fault tests but those of packing, recycling, sessions and the sandbox', () => {
    const named = new Set(rows.flatMap(([, , , , by = '']) => testsNamedIn(by).map(({ file }) => file)));
    const files = ['faults', 'soak'].flatMap((layer) =>
      readdirSync(join(root, 'test', layer)).map((name) => `test/${layer}/${name}`),
    );
    const missing = files.filter((file) => !named.has(file));
    const others = ['sandbox-launcher', 'supervisor-packing', 'supervisor-recycling', 'supervisor-sessions'];
    assert.deepEqual(
      missing.toSorted((a, b) => a.localeCompare(b)),
      others.map((name) => `test/faults/${name}.test.ts`),
    );
  });
});
