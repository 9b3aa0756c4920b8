import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { classifyExit } from '../../src/supervisor/exit-cause.ts';
import { judgeMemory, looksToSkip, memoryCaps } from '../../src/supervisor/memory-policy.ts';
import { placeSession, type Place } from '../../src/supervisor/placement.ts';
import { afterCrash, noFailures } from '../../src/supervisor/restart-policy.ts';
import { redact } from '../../src/supervisor/stderr-tail.ts';
import { beginWatch, heard, judge, look, restingBeatMs } from '../../src/supervisor/watchdog.ts';

const policy = {
  baseMs: 500,
  maxMs: 300_000,
  resetMs: 600_000,
  crashLoopCount: 5,
  crashLoopWindowMs: 60_000,
  limit: 0,
};

describe('restart delays', () => {
  test('are spread by a quarter to both sides', () => {
    assert.equal(afterCrash(noFailures, policy, { now: 0, random: 0 }).delayMs, 375);
    assert.equal(afterCrash(noFailures, policy, { now: 0, random: 0.999999 }).delayMs, 625);
  });

  test('never exceed the cap by more than the jitter, however many failures there were', () => {
    const many = { ...noFailures, failures: 10_000 };
    assert.equal(afterCrash(many, policy, { now: 0, random: 0.999999 }).delayMs, 375_000);
  });

  test('a second wait at the cap is a crash loop although crashes are rare', () => {
    const worn = { ...noFailures, failures: 20 };
    const first = afterCrash(worn, policy, { now: 0, random: 0.5 });
    const second = afterCrash(first.record, policy, { now: 400_000, random: 0.5 });
    assert.deepEqual([first.isCrashLoop, second.isCrashLoop], [false, true]);
  });
});

describe('the cause of an exit', () => {
  const facts = {
    code: null,
    signal: null,
    spawnError: null,
    wasAsked: false,
    killedFor: null,
    recycledFor: null,
    stderrTail: '',
    lastMemoryBytes: null,
    capBytes: 100,
  };
  const cases = [
    [{ code: 0, wasAsked: true }, 'stopped', 'planned'],
    [{ code: 0 }, 'clean_unexpected', 'crash'],
    [{ code: 86 }, 'memory', 'recycled'],
    [{ code: 86, recycledFor: 'deaf' }, 'deaf', 'recycled'],
    [{ signal: 'SIGKILL', killedFor: 'deaf' }, 'deaf', 'recycled'],
    [{ code: 1 }, 'bug', 'crash'],
    [{ code: 13 }, 'bug', 'crash'],
    [{ code: 70 }, 'bug', 'crash'],
    [{ code: 71 }, 'bug', 'crash'],
    [{ code: 20 }, 'protocol_mismatch', 'blocked'],
    [{ code: 21 }, 'bad_config', 'blocked'],
    [{ code: 30 }, 'fenced', 'blocked'],
    [{ code: 31 }, 'orphaned', 'crash'],
    [{ code: 99 }, 'unknown', 'crash'],
    [{ signal: 'SIGABRT', stderrTail: 'FATAL ERROR: JavaScript heap out of memory' }, 'heap_oom', 'crash'],
    [{ code: 70, stderrTail: 'RangeError: Array buffer allocation failed\n    at x' }, 'memory', 'crash'],
    [{ code: 71, stderrTail: 'Error: ENOMEM: not enough memory, read' }, 'memory', 'crash'],
    [{ signal: 'SIGABRT', stderrTail: 'terminate called: std::bad_alloc' }, 'memory', 'crash'],
    [{ signal: 'SIGKILL' }, 'external_kill', 'crash'],
    [{ signal: 'SIGKILL', lastMemoryBytes: 95 }, 'kernel_oom', 'crash'],
    [{ signal: 'SIGSEGV' }, 'unknown', 'crash'],
    [{ signal: 'SIGKILL', killedFor: 'watchdog' }, 'watchdog', 'crash'],
    [{ signal: 'SIGKILL', killedFor: 'memory' }, 'memory', 'recycled'],
    [{ signal: 'SIGKILL', killedFor: 'start_timeout' }, 'start_timeout', 'crash'],
    [{ signal: 'SIGKILL', killedFor: 'stop_timeout', wasAsked: true }, 'stop_timeout', 'planned'],
    [{ signal: 'SIGKILL', killedFor: 'protocol_mismatch' }, 'protocol_mismatch', 'blocked'],
    [{ spawnError: 'spawn ENOENT' }, 'spawn_failed', 'crash'],
  ] as const;
  for (const [seen, cause, kind] of cases) {
    test(`${JSON.stringify(seen)} is ${cause}`, () => {
      const verdict = classifyExit({ ...facts, ...seen });
      assert.deepEqual([verdict.cause, verdict.kind], [cause, kind]);
      assert.match(verdict.detail, /^[A-Z].{10,}/);
    });
  }

  test('names the error of the last words', () => {
    const verdict = classifyExit({ ...facts, code: 70, stderrTail: 'at x\nTypeError: no such thing\n    at y\n' });
    assert.match(verdict.detail, /TypeError: no such thing/);
  });
});

describe('the watchdog', () => {
  const limits = { suspectMs: 10_000, killMs: 30_000 };
  const watched = (seconds: number) => {
    let watch = beginWatch(0);
    for (let second = 1; second <= seconds; second++) watch = look(watch, second * 1000, 1000);
    return watch;
  };

  test('suspects a silent child before it condemns it', () => {
    assert.deepEqual(
      [9, 10, 29, 30].map((seconds) => judge(watched(seconds), limits)),
      ['well', 'suspect', 'suspect', 'dead'],
    );
  });

  test('lets a child at rest beat less often, but twice before it is suspected', () => {
    assert.equal(restingBeatMs({ intervalMs: 2000, suspectMs: 10_000 }), 5000);
    assert.equal(restingBeatMs({ intervalMs: 1000, suspectMs: 10_000 }), 3000);
    assert.equal(restingBeatMs({ intervalMs: 8000, suspectMs: 10_000 }), 8000);
  });

  test('one heartbeat clears a child', () => {
    assert.equal(judge(look(heard(29_000), 30_000, 1000), limits), 'well');
  });

  test('does not hold its own absence against a child', () => {
    assert.equal(judge(look(beginWatch(0), 60_000, 1000), limits), 'well');
    assert.equal(judge(look(watched(8), 3_600_000, 1000), limits), 'suspect');
  });
});

describe('placement', () => {
  const real = { isSandbox: false, isIsolated: false };
  const place = (child: string, change: Partial<Place> = {}): Place => ({
    child,
    isSandbox: false,
    sessions: 1,
    isOpen: true,
    isIsolated: false,
    ...change,
  });

  test('fills the fullest child that has room', () => {
    assert.equal(placeSession(real, [place('a'), place('b', { sessions: 2 }), place('c', { sessions: 3 })], 3), 'b');
  });

  test('gives every session a child of its own when that is the density', () => {
    assert.equal(placeSession(real, [place('a')], 1), null);
  });

  test('never puts sandbox and real sessions together', () => {
    assert.equal(placeSession({ isSandbox: true, isIsolated: false }, [place('a')], 5), null);
    assert.equal(placeSession(real, [place('a', { isSandbox: true })], 5), null);
  });

  test('an isolated session gets a child of its own, and nobody joins it there', () => {
    assert.equal(placeSession({ isSandbox: false, isIsolated: true }, [place('a')], 5), null);
    assert.equal(placeSession(real, [place('a', { isIsolated: true }), place('b')], 5), 'b');
  });

  test('does not use a child that is ending', () => {
    assert.equal(placeSession(real, [place('a', { isOpen: false })], 5), null);
  });
});

describe('memory caps', () => {
  test("take the session's own cap over the default, and grow with the places of a packed child", () => {
    assert.equal(memoryCaps(192, 1, [null]).capBytes, 192 << 20);
    assert.equal(memoryCaps(192, 1, [256]).capBytes, 256 << 20);
    assert.equal(memoryCaps(192, 1, [64]).capBytes, 64 << 20);
    assert.equal(memoryCaps(192, 3, [null, null]).capBytes, 240 << 20);
    assert.equal(memoryCaps(192, 1, [null]).heapMb, 96);
  });

  test('a child is replaced before it reaches its cap, and killed beyond it', () => {
    const caps = memoryCaps(64, 1, [null]);
    assert.equal(judgeMemory(caps.capBytes * 0.8, caps, 0.8), 'fine');
    assert.equal(judgeMemory(caps.capBytes, caps, 0.8), 'recycle');
    assert.equal(judgeMemory(caps.capBytes + 1, caps, 0.8), 'kill');
  });
});

describe('looks at the memory of a child', () => {
  const mb = 1_048_576;
  const softBytes = 150 * mb;

  test('become rare while it is small and does not grow', () => {
    assert.equal(looksToSkip({ before: 15 * mb, now: 15 * mb, softBytes }), 4);
    assert.equal(looksToSkip({ before: 40 * mb, now: 15 * mb, softBytes }), 4);
  });

  test('are taken every time while it grows, and when it is large', () => {
    assert.equal(looksToSkip({ before: null, now: 15 * mb, softBytes }), 0);
    assert.equal(looksToSkip({ before: 15 * mb, now: 16 * mb, softBytes }), 0);
    assert.equal(looksToSkip({ before: 80 * mb, now: 80 * mb, softBytes }), 0);
  });
});

test('last words are kept without keys and phone numbers', () => {
  const text = redact(
    'Error: key 3q2+7wAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA= for 15550001111@s.whatsapp.net <Buffer 05 ab 12>',
  );
  assert.doesNotMatch(text, /3q2|1555000|05 ab/);
  assert.match(text, /^Error: key … for …1111@s\.whatsapp\.net <Buffer …>$/);
});
