import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { atConstantRate } from '../../bench/open-loop.ts';
import { percentilesOf } from '../../bench/percentiles.ts';
import { cpuMsByKind } from '../../bench/processes.ts';

describe('what benches report', () => {
  test('percentiles are samples that were measured, and one sample is all of them', () => {
    const samples = Array.from({ length: 200 }, (_, index) => 200 - index);
    assert.deepEqual(percentilesOf(samples), { count: 200, p50: 100, p95: 190, p99: 198, max: 200 });
    assert.deepEqual(percentilesOf([7]), { count: 1, p50: 7, p95: 7, p99: 7, max: 7 });
    assert.equal(percentilesOf([]), null);
  });

  test('load goes on at its rate though nothing is ever answered, and each message knows when it was due', async () => {
    const due: number[] = [];
    const late = await atConstantRate({ perSecond: 500, count: 20 }, (index, dueAtMs) => {
      assert.equal(index, due.length);
      due.push(dueAtMs);
    });
    assert.equal(late.length, 20);
    for (const [index, dueAtMs] of due.entries()) assert.equal(Math.round((dueAtMs - (due[0] ?? 0)) * 10), index * 20);
  });

  test('CPU counts what a process took between two looks, and nothing of one that came in between', () => {
    const facts = { pssMb: 1, ussMb: 1 };
    const before = [{ ...facts, pid: 1, kind: 'child', cpuMs: 100 }] as const;
    const after = [
      { ...facts, pid: 1, kind: 'child', cpuMs: 130 },
      { ...facts, pid: 2, kind: 'child', cpuMs: 500 },
    ] as const;
    assert.deepEqual(cpuMsByKind(before, after), { child: 30 });
  });
});
