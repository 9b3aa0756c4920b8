import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { childrenBudgetMs, requestsBudgetMs, webhooksBudgetMs } from '../../src/stop-budget.ts';

/** The longest that a stop can take: each part uses all that it is given. */
function longest(totalMs: number): number {
  const requests = requestsBudgetMs(totalMs);
  const children = childrenBudgetMs(totalMs - requests);
  return requests + children + webhooksBudgetMs(totalMs - requests - children);
}

describe('the time that a stop may take', () => {
  test('is never exceeded by its parts, where it is enough for them at all', () => {
    for (const totalMs of [6_000, 8_000, 20_000, 25_000, 120_000]) {
      assert.ok(longest(totalMs) <= totalMs, `${longest(totalMs)} of ${totalMs}`);
    }
  });

  test('leaves children most of it, and more than one of them may take to stop', () => {
    assert.ok(childrenBudgetMs(20_000 - requestsBudgetMs(20_000)) > 10_000);
  });

  test('always leaves children time to close their links', () => {
    assert.equal(childrenBudgetMs(0), 3_000);
    assert.equal(childrenBudgetMs(-1_000), 3_000);
  });

  test('that requests did not need is for the others', () => {
    assert.ok(childrenBudgetMs(20_000) > childrenBudgetMs(16_000));
  });
});
