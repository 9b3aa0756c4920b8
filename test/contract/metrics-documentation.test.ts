import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { renderMetrics } from '../../src/metrics-documentation.ts';
import { metricEntries } from '../../src/telemetry/metric-table.ts';
import { root } from '../support/source-files.ts';

const page = readFileSync(join(root, 'docs', 'metrics.md'), 'utf8');

test('the documentation of metrics lists every one as it is exposed (npm run docs renews it)', () => {
  assert.equal(page, renderMetrics(page));
});

test('an alert asks for a metric that there is', () => {
  const names = metricEntries.map(({ name }) => name);
  const asked = page.match(/\b(?:warden|process)_[a-z_]+[a-z]\b/g) ?? [];
  assert.ok(asked.length > names.length);
  for (const name of asked)
    assert.ok(names.includes(name.replace(/_(bucket|sum|count)$/, '')) || names.includes(name), name);
});
