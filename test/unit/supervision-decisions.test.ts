import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { admissionBudget, countRefusalOf, refusalOf } from '../../src/supervisor/admission.ts';
import { accuse, addTrouble } from '../../src/supervisor/culprit.ts';
import { beginHearing, listen, provedWell, shouldProbe } from '../../src/supervisor/deafness.ts';
import { childDied, childReady, noMassFailure, pauseOver } from '../../src/supervisor/mass-failure.ts';
import { growthOf } from '../../src/supervisor/memory-policy.ts';
import { isMoment, mayRecycle } from '../../src/supervisor/recycle-policy.ts';

describe('mass failure', () => {
  const policy = { count: 5, percent: 20, windowMs: 30_000, pauseMs: 30_000, maxPauseMs: 300_000 };
  // oxlint-disable-next-line max-params -- the last two have defaults
  const die = (times: number, children: number, now = 0, from = noMassFailure) => {
    let state = from;
    for (let n = 0; n < times; n++) state = childDied(state, { children, now }, policy);
    return state;
  };

  test('needs more deaths than the count, and than the part of all children', () => {
    assert.equal(die(5, 10).tag, 'closed');
    assert.equal(die(6, 10).tag, 'paused');
    assert.equal(die(40, 200).tag, 'closed');
    assert.equal(die(41, 200).tag, 'paused');
  });

  test('forgets deaths that are older than the window', () => {
    assert.equal(die(3, 10, 31_000, die(3, 10)).tag, 'closed');
  });

  test('lets one child try after the pause; its success ends it, its death doubles the pause up to the longest', () => {
    let state = die(6, 10);
    assert.equal(pauseOver(state, 29_999).tag, 'paused');
    assert.equal(childReady(pauseOver(state, 30_000)).tag, 'closed');
    let now = 0;
    const pauses: number[] = [];
    for (let round = 0; round < 6; round++) {
      now = state.until ?? 0;
      state = childDied(pauseOver(state, now), { children: 10, now }, policy);
      pauses.push(state.lastPauseMs);
    }
    assert.deepEqual(pauses, [60_000, 120_000, 240_000, 300_000, 300_000, 300_000]);
  });

  test('a long calm lets the pauses begin anew', () => {
    const first = childReady(pauseOver(die(6, 10), 30_000));
    assert.equal(die(6, 10, 1_000_000, first).lastPauseMs, 30_000);
    assert.equal(die(6, 10, 100_000, first).lastPauseMs, 60_000);
  });
});

describe('the culprit', () => {
  const suspect = (session: string, inFlight = 0, work = 0) => ({ session, inFlight, work });

  test('of a hang is the one with a request under way', () => {
    assert.deepEqual(accuse('watchdog', [suspect('a'), suspect('b', 1)])?.sessions, ['b']);
  });

  test('is one of several when several had requests under way, and the record says so', () => {
    const accusation = accuse('watchdog', [suspect('a', 1), suspect('b', 3), suspect('c')]);
    assert.deepEqual(accusation?.sessions, ['b', 'a']);
    assert.match(accusation?.grounds ?? '', /one of them/);
  });

  test('of growth is the one that did most of the work', () => {
    assert.deepEqual(accuse('memory', [suspect('a', 1, 10), suspect('b', 0, 90)])?.sessions, ['b']);
    assert.deepEqual(accuse('memory', [suspect('a', 0, 40), suspect('b', 0, 40), suspect('c', 0, 40)])?.sessions, []);
  });

  test('of what comes from outside is nobody', () => {
    assert.equal(accuse('external_kill', [suspect('a', 1)]), null);
    assert.equal(accuse('stopped', [suspect('a', 1)]), null);
  });

  test('moves out after the second trouble within a quarter of an hour', () => {
    const first = addTrouble([], 0);
    assert.equal(first.isRepeated, false);
    assert.equal(addTrouble(first.troubles, 60_000).isRepeated, true);
    assert.equal(addTrouble(first.troubles, 3_600_000).isRepeated, false);
  });
});

describe('deafness', () => {
  const policy = { silenceMs: 600_000 };

  test('is suspected after a silence beyond the limit', () => {
    const hearing = beginHearing(0);
    assert.equal(shouldProbe(hearing, 599_999, policy), false);
    assert.equal(shouldProbe(hearing, 600_000, policy), true);
    assert.equal(shouldProbe(hearing, 9e9, { silenceMs: 0 }), false);
  });

  test('is measured by the habit of the session', () => {
    const quiet = listen(beginHearing(0), { events: 1, frames: 1, now: 500_000 });
    assert.equal(shouldProbe(quiet, 500_000 + 900_000, policy), false);
    assert.equal(shouldProbe(quiet, 500_000 + 1_000_000, policy), true);
  });

  test('is suspected early when much arrives and nothing is told', () => {
    const hearing = listen(beginHearing(0), { events: 0, frames: 500, now: 100_000 });
    assert.equal(shouldProbe(hearing, 150_000, policy), true);
    assert.equal(shouldProbe(listen(hearing, { events: 1, frames: 501, now: 151_000 }), 160_000, policy), false);
  });

  test('that was disproved is not suspected at once again', () => {
    const well = provedWell(beginHearing(0), 600_000);
    assert.equal(shouldProbe(well, 1_700_000, policy), false);
    assert.equal(shouldProbe(well, 1_800_000, policy), true);
  });
});

describe('room for sessions', () => {
  const policy = { maxSessions: 10, overcommit: 1.5, reserveMb: 256 };
  const mb = 1_048_576;

  test('is what the limit times the factor leaves beside the reserve', () => {
    const facts = { limitBytes: 1000 * mb, capsBytes: 1000 * mb };
    assert.deepEqual(admissionBudget(facts, policy), { budgetBytes: 1244 * mb, freeBytes: 244 * mb });
    assert.equal(refusalOf(244 * mb, facts, policy), null);
    assert.match(refusalOf(245 * mb, facts, policy) ?? '', /245 MB does not fit.*1244 MB.*1000 MB/);
  });

  test('ends with the number of sessions that are wanted', () => {
    assert.equal(countRefusalOf(9, policy), null);
    assert.match(countRefusalOf(10, policy) ?? '', /10 sessions/);
    assert.equal(countRefusalOf(10_000, { ...policy, maxSessions: 0 }), null);
  });
});

describe('growth', () => {
  const sample = (privateBytes: number, heapBytes: number | null, externalBytes: number | null) => ({
    at: 0,
    privateBytes,
    heapBytes,
    externalBytes,
  });

  const grown = (...samples: readonly ReturnType<typeof sample>[]) => growthOf(samples, samples.at(-1) ?? null);

  test('is told by its kind', () => {
    assert.equal(grown(sample(50, 10, 5), sample(150, 100, 6)), 'heap');
    assert.equal(grown(sample(50, 10, 5), sample(150, 11, 100)), 'external');
    assert.equal(grown(sample(50, 10, 5), sample(150, 11, 6)), 'native');
  });

  test('is found when the child told of its heap only after it had grown', () => {
    assert.equal(grown(sample(12, null, null), sample(150, 10, 130), sample(151, 11, 130)), 'external');
    assert.equal(grown(sample(12, null, null), sample(150, 10, 130)), 'external');
    assert.equal(grown(sample(150, 10, 130), sample(150, 11, 130)), 'external');
  });

  test('is unknown of a child that told nothing', () => {
    assert.equal(growthOf([sample(50, null, null), sample(150, null, null)], null), null);
    assert.equal(growthOf([], null), null);
  });

  test('is unknown when most of it came after the child told last', () => {
    const told = { privateBytes: 52, heapBytes: 11, externalBytes: 5 };
    assert.equal(growthOf([sample(50, 10, 5), sample(150, 11, 5)], told), null);
    assert.equal(growthOf([sample(50, 10, 5), sample(150, 10, 5)], { ...told, privateBytes: 50, heapBytes: 10 }), null);
  });

  test('is told from what was told last when little came after that', () => {
    const told = { privateBytes: 140, heapBytes: 100, externalBytes: 5 };
    assert.equal(growthOf([sample(50, 10, 5), sample(150, 100, 5)], told), 'heap');
  });
});

describe('recycling', () => {
  const policy = { softRatio: 0.8, quietMs: 30_000, timeoutMs: 15_000, intervalMs: 300_000 };

  test('happens once in five minutes at most', () => {
    assert.equal(mayRecycle({ lastAt: null }, 0, policy), 'recycle');
    assert.equal(mayRecycle({ lastAt: 0 }, 299_999, policy), 'wait');
    assert.equal(mayRecycle({ lastAt: 0 }, 300_000, policy), 'recycle');
  });

  test('waits for a quiet moment, but not for ever', () => {
    assert.equal(isMoment({ wantedAt: 0, inFlight: 0, isTold: true }, 1, policy), true);
    assert.equal(isMoment({ wantedAt: 0, inFlight: 1, isTold: true }, 29_999, policy), false);
    assert.equal(isMoment({ wantedAt: 0, inFlight: 1, isTold: true }, 30_000, policy), true);
  });
});
