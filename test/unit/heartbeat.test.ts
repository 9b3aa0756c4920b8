import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, mock, test } from 'node:test';
import { startHeartbeat } from '../../src/child/heartbeat.ts';

const minuteMs = 60_000;

describe('the heartbeat of a child', () => {
  const state = { stanzas: 0, events: 0, inFlight: 0 };
  let beats = 0;
  let stop = (): void => undefined;

  beforeEach(() => {
    mock.timers.enable({ apis: ['setTimeout'] });
    Object.assign(state, { stanzas: 0, events: 0, inFlight: 0 });
    beats = 0;
    stop = startHeartbeat({
      intervalMs: 2000,
      restIntervalMs: 5000,
      send: ({ inFlight, sessions, heapUsedBytes }) => {
        beats += 1;
        assert.equal(inFlight, state.inFlight);
        assert.deepEqual(sessions, { a: { stanzas: state.stanzas, events: state.events } });
        assert.ok(heapUsedBytes > 0);
      },
      inFlight: () => state.inFlight,
      sessions: () => ({ a: { stanzas: state.stanzas, events: state.events } }),
      collect: null,
    });
  });

  afterEach(() => {
    stop();
    mock.timers.reset();
  });

  /** Beats within a minute in which something happens every second. */
  function beatsWhile(happens: () => void): number {
    const before = beats;
    for (let passedMs = 0; passedMs < minuteMs; passedMs += 1000) {
      happens();
      mock.timers.tick(1000);
    }
    return beats - before;
  }

  const nothing = (): void => undefined;

  test('is less frequent while there is nothing to do', () => {
    beatsWhile(nothing);
    assert.equal(beatsWhile(nothing), 12);
  });

  test('does not become more frequent by keep-alives', () => {
    beatsWhile(nothing);
    assert.equal(
      beatsWhile(() => (state.stanzas += 1)),
      12,
    );
  });

  test('is frequent while there are events', () => {
    assert.equal(
      beatsWhile(() => (state.events += 1)),
      30,
    );
  });

  test('is frequent while requests are under way', () => {
    state.inFlight = 1;
    assert.equal(beatsWhile(nothing), 30);
  });

  test('is frequent again after a rest', () => {
    beatsWhile(nothing);
    assert.ok(beatsWhile(() => (state.events += 1)) >= 28);
  });

  test('ends when it is stopped', () => {
    stop();
    assert.equal(beatsWhile(nothing), 0);
  });
});
