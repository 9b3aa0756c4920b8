import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { classifyExit, type ExitVerdict } from '../../src/supervisor/exit-cause.ts';
import {
  dueAt,
  hasProcess,
  initialProcess,
  stepProcess,
  type ProcessFact,
  type ProcessState,
} from '../../src/supervisor/process-machine.ts';

const policy = {
  readyTimeoutMs: 20_000,
  stopTimeoutMs: 10_000,
  recycle: { timeoutMs: 15_000 },
  restart: { baseMs: 500, maxMs: 300_000, resetMs: 600_000, crashLoopCount: 5, crashLoopWindowMs: 60_000, limit: 0 },
};
const bug: ExitVerdict = { cause: 'bug', kind: 'crash', detail: 'a bug' };
const stopped: ExitVerdict = { cause: 'stopped', kind: 'planned', detail: 'stopped' };
const refused: ExitVerdict = { cause: 'bad_config', kind: 'blocked', detail: 'bad' };
const grown: ExitVerdict = { cause: 'memory', kind: 'recycled', detail: 'grown' };

/** Plays facts at a time; `random` in the middle, so that there is no jitter. */
function play(state: ProcessState, facts: readonly ProcessFact[], now = 0) {
  let effects: readonly string[] = [];
  for (const fact of facts) {
    const step = stepProcess(state, fact, { policy, now, random: 0.5 });
    state = step.state;
    effects = step.effects.map(({ tag }) => tag);
  }
  return { state, effects };
}

const booting = play(initialProcess, [{ tag: 'start_wanted' }, { tag: 'slot_granted' }]).state;
const running = play(booting, [{ tag: 'ready' }]).state;

describe('the life of a child', () => {
  test('a wanted child waits for its slot before a process is spawned', () => {
    const wanted = play(initialProcess, [{ tag: 'start_wanted' }]);
    assert.deepEqual(wanted.effects, ['await_slot']);
    assert.equal(hasProcess(wanted.state.life), false);
    assert.deepEqual(play(wanted.state, [{ tag: 'slot_granted' }]).effects, ['spawn']);
  });

  test('a child that is stopped while it waits for its slot is never spawned', () => {
    const step = play(initialProcess, [{ tag: 'start_wanted' }, { tag: 'stop_wanted' }, { tag: 'slot_granted' }]);
    assert.equal(step.state.life.tag, 'stopped');
    assert.deepEqual(step.effects, []);
  });

  test('a child that does not become ready in time is killed and tried again', () => {
    assert.deepEqual(play(booting, [{ tag: 'due' }], 19_999).effects, []);
    const killed = play(booting, [{ tag: 'due' }], 20_000);
    assert.deepEqual(killed.effects, ['kill']);
    const verdict = classifyExit({ ...exitFacts, killedFor: 'start_timeout' });
    assert.equal(play(killed.state, [{ tag: 'exited', verdict }], 20_001).state.life.tag, 'backoff');
  });

  test('a child that does not stop in time is killed', () => {
    const asked = play(running, [{ tag: 'stop_wanted' }], 1000);
    assert.deepEqual(asked.effects, ['shut_down']);
    assert.deepEqual(play(asked.state, [{ tag: 'due' }], 10_999).effects, []);
    assert.deepEqual(play(asked.state, [{ tag: 'due' }], 11_000).effects, ['kill']);
  });

  test('crashes are answered with growing delays, and the sixth within a minute is a crash loop that retries', () => {
    let state = running;
    const delays: number[] = [];
    let now = 0;
    for (let crash = 0; crash < 6; crash++) {
      state = play(state, [{ tag: 'exited', verdict: bug }], now).state;
      const at = dueAt(state.life) ?? Number.NaN;
      delays.push(at - now);
      if (crash < 5) assert.equal(state.life.tag, 'backoff');
      now = at;
      if (crash < 5) state = play(state, [{ tag: 'due' }, { tag: 'slot_granted' }, { tag: 'ready' }], now).state;
    }
    assert.deepEqual(delays, [500, 1000, 2000, 4000, 8000, 300_000]);
    assert.equal(state.life.tag, 'crash_loop');
    assert.deepEqual(play(state, [{ tag: 'due' }], now).effects, ['await_slot']);
  });

  test('a long run with an open link forgets earlier failures, a long run without one does not', () => {
    const failed = play(running, [{ tag: 'exited', verdict: bug }, { tag: 'start_wanted' }]).state;
    const tired = { ...play(failed, [{ tag: 'slot_granted' }, { tag: 'ready' }]).state };
    const before = { ...tired, failures: { ...tired.failures, failures: 4 } };
    const useful = play(before, [{ tag: 'useful' }]).state;
    assert.equal(dueAt(play(useful, [{ tag: 'exited', verdict: bug }], 600_000).state.life), 600_500);
    assert.equal(dueAt(play(before, [{ tag: 'exited', verdict: bug }], 600_000).state.life), 608_000);
    assert.equal(dueAt(play(useful, [{ tag: 'exited', verdict: bug }], 599_999).state.life), 607_999);
  });

  test('a child that outgrew its cap returns after a second, the second time within five minutes it counts as a crash', () => {
    const first = play(running, [{ tag: 'exited', verdict: grown }], 1000).state;
    assert.equal(dueAt(first.life), 2000);
    assert.equal(first.failures.crashTimes.length, 0);
    const again = play(first, [{ tag: 'due' }, { tag: 'slot_granted' }, { tag: 'ready' }], 2000).state;
    assert.equal(play(again, [{ tag: 'exited', verdict: grown }], 3000).state.failures.crashTimes.length, 1);
  });

  test('a blocked child stays until somebody asks for it', () => {
    const blocked = play(running, [{ tag: 'exited', verdict: refused }]).state;
    assert.equal(blocked.life.tag, 'blocked');
    assert.equal(dueAt(blocked.life), null);
    assert.deepEqual(play(blocked, [{ tag: 'start_wanted' }]).effects, ['await_slot']);
  });

  test('a restart of a child that hangs kills it at once, of another one asks it first', () => {
    assert.deepEqual(play(running, [{ tag: 'restart_wanted', isHung: true }]).effects, ['kill']);
    const asked = play(running, [{ tag: 'restart_wanted', isHung: false }]);
    assert.deepEqual(asked.effects, ['shut_down']);
    assert.deepEqual(play(asked.state, [{ tag: 'exited', verdict: stopped }]).effects, ['await_slot']);
  });

  test('what was wanted last wins while a child stops', () => {
    const stopping = play(running, [{ tag: 'stop_wanted' }]).state;
    const wanted = play(stopping, [{ tag: 'start_wanted' }]).state;
    assert.deepEqual(play(wanted, [{ tag: 'exited', verdict: stopped }]).effects, ['await_slot']);
    const unwanted = play(wanted, [{ tag: 'stop_wanted' }]).state;
    assert.deepEqual(play(unwanted, [{ tag: 'exited', verdict: stopped }]).effects, []);
  });

  test('in any order of events there is never a second process, and a stop always ends in one that is gone', () => {
    for (let seed = 1; seed <= 2000; seed++) walk(seed);
  });
});

const exitFacts = {
  recycledFor: null,
  code: null,
  signal: 'SIGKILL',
  spawnError: null,
  wasAsked: false,
  killedFor: null,
  stderrTail: '',
  lastMemoryBytes: null,
  capBytes: 100,
} as const;

/** A random history of one child, with the promises checked after every event. */
function walk(seed: number): void {
  const random = randomFrom(seed);
  const verdicts = [bug, stopped, refused, grown];
  const pick = <Item>(items: readonly Item[]): Item => items[Math.floor(random() * items.length)] ?? items[0] ?? fail();
  const facts: readonly (() => ProcessFact)[] = [
    () => ({ tag: 'start_wanted' }),
    () => ({ tag: 'stop_wanted' }),
    () => ({ tag: 'restart_wanted', isHung: random() < 0.5 }),
    () => ({ tag: 'slot_granted' }),
    () => ({ tag: 'ready' }),
    () => ({ tag: 'useful' }),
    () => ({ tag: 'doomed', cause: 'watchdog' }),
    () => ({ tag: 'due' }),
    () => ({ tag: 'exited', verdict: pick(verdicts) }),
  ];
  let state = initialProcess;
  let now = 0;
  let isThere = false;
  let wasKilled = false;
  const step = (fact: ProcessFact) => {
    if (fact.tag === 'exited') {
      if (!isThere) return;
      isThere = false;
    }
    const result = stepProcess(state, fact, { policy, now, random: random() });
    state = result.state;
    for (const effect of result.effects) {
      if (effect.tag === 'spawn') {
        assert.equal(isThere, false, `seed ${seed}: a second process`);
        isThere = true;
        wasKilled = false;
      }
      if (effect.tag === 'kill' || effect.tag === 'shut_down')
        assert.ok(isThere, `seed ${seed}: ${effect.tag} without a process`);
      if (effect.tag === 'kill') {
        assert.equal(wasKilled, false, `seed ${seed}: killed twice`);
        wasKilled = true;
      }
    }
    assert.equal(hasProcess(state.life), isThere, `seed ${seed}: ${state.life.tag} does not match the process`);
    const { life } = state;
    if (life.tag === 'stopping')
      assert.equal(life.dueAt === null, wasKilled, `seed ${seed}: a stop without a deadline`);
    if (life.tag === 'stopped' || life.tag === 'blocked') assert.equal(dueAt(life), null);
  };
  for (let count = 0; count < 60; count++) {
    now += Math.floor(random() * 15_000);
    step(pick(facts)());
  }
  step({ tag: 'stop_wanted' });
  now = Math.max(now, dueAt(state.life) ?? now);
  step({ tag: 'due' });
  if (isThere) assert.ok(wasKilled, `seed ${seed}: not killed after its deadline`);
  step({ tag: 'exited', verdict: bug });
  assert.equal(state.life.tag, 'stopped', `seed ${seed}: ended as ${state.life.tag}`);
}

function fail(): never {
  throw new Error('nothing to pick from');
}

/** A small generator (mulberry32), so that a failing walk can be repeated by its seed. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
