import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { CloseCause } from '../../src/child/close-codes.ts';
import {
  initialLink,
  stepLink,
  type LinkEffect,
  type LinkFacts,
  type LinkInput,
} from '../../src/child/link-machine.ts';

const half = (): number => 0.5;
const offer = { code: 'code', expiresAt: 60_000, attempt: 1 };

function cause(code: number | null, more: Partial<CloseCause> = {}): CloseCause {
  return { code, message: '', origin: 'transport', conflict: null, banSeconds: null, ...more };
}

/** Feeds inputs one after another at the same instant and answers the facts and all effects. */
function run(
  facts: LinkFacts,
  inputs: readonly LinkInput[],
  now = 1_000_000,
): { facts: LinkFacts; effects: LinkEffect[] } {
  const effects: LinkEffect[] = [];
  let current = facts;
  for (const input of inputs) {
    const step = stepLink(current, input, { now, random: half });
    current = step.facts;
    effects.push(...step.effects);
  }
  return { facts: current, effects };
}

const connected = run(initialLink(true), [{ tag: 'connect' }, { tag: 'opened' }]).facts;
const tags = (effects: readonly LinkEffect[]): string[] => effects.map(({ tag }) => tag);

describe('a link', () => {
  test('shows a QR code, is restarted by WhatsApp once paired, and opens', () => {
    const { facts, effects } = run(initialLink(false), [
      { tag: 'connect' },
      { tag: 'qr', offer },
      { tag: 'paired' },
      { tag: 'closed', cause: cause(515, { origin: 'stream_error' }) },
      { tag: 'opened' },
    ]);
    assert.equal(facts.state, 'connected');
    assert.equal(facts.isPaired, true);
    assert.equal(facts.qr, null);
    assert.equal(facts.failures, 0);
    assert.deepEqual(
      tags(effects).filter((tag) => tag === 'open_socket' || tag.startsWith('tell_')),
      ['open_socket', 'open_socket', 'tell_connected'],
    );
  });

  test('waits for a person when nobody scanned', () => {
    const ended = cause(408, { message: 'QR refs attempts ended' });
    const { facts, effects } = run(initialLink(false), [
      { tag: 'connect' },
      { tag: 'qr', offer },
      { tag: 'closed', cause: ended },
    ]);
    assert.equal(facts.state, 'idle');
    assert.equal(facts.until, null);
    assert.ok(!tags(effects).includes('schedule_retry'));
  });

  test('keeps the pair code on show while QR codes rotate underneath', () => {
    const pairCode = { ...offer, code: 'ABCD-EFGH', phone: '15550001111' };
    const { facts } = run(initialLink(false), [
      { tag: 'connect' },
      { tag: 'qr', offer },
      { tag: 'pair_code', offer: pairCode },
      { tag: 'qr', offer: { ...offer, code: 'next' } },
    ]);
    assert.equal(facts.state, 'waiting_for_pair_code');
    assert.deepEqual(facts.pairCode, pairCode);
  });

  test('comes back later and later, and at once again only after it stayed open for a minute', () => {
    let facts = connected;
    const delays: number[] = [];
    let now = 10_000_000;
    for (let round = 0; round < 9; round++) {
      facts = stepLink(facts, { tag: 'opened' }, { now, random: half }).facts;
      now += 1_000;
      facts = stepLink(facts, { tag: 'closed', cause: cause(428) }, { now, random: half }).facts;
      delays.push((facts.until ?? 0) - now);
      now = facts.until ?? now;
      facts = stepLink(facts, { tag: 'retry_due' }, { now, random: half }).facts;
    }
    assert.deepEqual(delays, [750, 1500, 3000, 6000, 12_000, 24_000, 45_000, 45_000, 45_000]);
    facts = stepLink(facts, { tag: 'opened' }, { now, random: half }).facts;
    now += 61_000;
    facts = stepLink(facts, { tag: 'closed', cause: cause(428) }, { now, random: half }).facts;
    assert.equal((facts.until ?? 0) - now, 750);
  });

  test('keeps slowing down after a rate limit, even when a connection lasts', () => {
    const limited = { tag: 'closed', cause: cause(429) } as const;
    const first = stepLink(connected, limited, { now: 2_000_000, random: half }).facts;
    const opened = stepLink(
      { ...first, state: 'connecting' },
      { tag: 'opened' },
      { now: 2_100_000, random: half },
    ).facts;
    const second = stepLink(opened, limited, { now: 3_000_000, random: half }).facts;
    assert.equal(second.failures, 2);
    assert.ok((second.until ?? 0) - 3_000_000 >= 30_000);
  });

  test('comes back once after it was replaced, and then leaves the account to the other', () => {
    const replaced = { tag: 'closed', cause: cause(440, { conflict: 'replaced' }) } as const;
    const first = stepLink(connected, replaced, { now: 1_100_000, random: half });
    assert.equal(first.facts.state, 'replaced');
    assert.equal(first.facts.until, 1_160_000);
    const again = run(first.facts, [{ tag: 'retry_due' }, { tag: 'opened' }, replaced], 1_160_000);
    assert.equal(again.facts.state, 'replaced');
    assert.equal(again.facts.until, null);
  });

  test('does not follow restart orders for ever', () => {
    const restart = { tag: 'closed', cause: cause(515) } as const;
    const { facts } = run(initialLink(true), [
      { tag: 'connect' },
      restart,
      restart,
      restart,
      restart,
      restart,
      restart,
    ]);
    assert.equal(facts.state, 'reconnecting');
  });

  test('waits out a ban by an instant, not by a timer', () => {
    const banned = cause(402, { origin: 'failure', banSeconds: 86_400 });
    const { facts } = run(initialLink(true), [{ tag: 'connect' }, { tag: 'closed', cause: banned }], 5_000);
    assert.equal(facts.state, 'banned');
    assert.equal(facts.until, 5_000 + 86_400_000 + 15_000);
    assert.equal(stepLink(facts, { tag: 'retry_due' }, { now: 6_000, random: half }).facts.state, 'banned');
  });

  test('holds its invariants over random lives', () => {
    const codes = [null, 400, 401, 402, 403, 405, 406, 408, 409, 411, 428, 429, 440, 500, 501, 503, 515];
    let seed = 42;
    const random = (): number => {
      seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
      return seed / 2_147_483_648;
    };
    const pick = <Value>(values: readonly Value[]): Value => {
      const value = values[Math.floor(random() * values.length)];
      if (value === undefined) throw new Error('nothing to pick from');
      return value;
    };
    for (let life = 0; life < 300; life++) {
      let facts = initialLink(random() < 0.5);
      let now = 1_000_000;
      let sockets = 0;
      for (let step = 0; step < 80; step++) {
        now += Math.floor(random() * 90_000);
        const closed = cause(pick(codes), {
          origin: pick(['failure', 'stream_error', 'transport']),
          conflict: pick([null, null, 'replaced', 'device_removed']),
        });
        const inputs: LinkInput[] = [
          { tag: 'connect' },
          { tag: 'pair_anew' },
          { tag: 'retry_due' },
          { tag: 'stop', reason: 'stopped' },
          // Without a socket there is nobody to tell these.
          ...(sockets > 0
            ? ([
                { tag: 'qr', offer },
                { tag: 'paired' },
                { tag: 'opened' },
                { tag: 'closed', cause: closed },
                { tag: 'logged_out_by_us' },
              ] as const)
            : []),
        ];
        const input = pick(inputs);
        if (input.tag === 'closed') sockets--;
        const before = facts;
        const result = stepLink(facts, input, { now, random });
        facts = result.facts;
        for (const effect of result.effects) {
          // Opening ends what was open before.
          if (effect.tag === 'open_socket') sockets = 1;
          if (effect.tag === 'end_socket') sockets = 0;
        }
        const told = tags(result.effects);
        assert.ok(sockets <= 1, 'never two sockets');
        assert.equal(facts.openedAt !== null, facts.state === 'connected', 'open exactly while connected');
        if (facts.state === 'reconnecting' || facts.state === 'banned' || facts.state === 'outdated') {
          assert.ok(facts.until !== null, `${facts.state} knows when it tries again`);
        }
        if (facts.state === 'idle' || facts.state === 'logged_out') assert.equal(facts.until, null);
        if (told.includes('tell_disconnected')) assert.notEqual(before.openedAt, null, 'only an open link is lost');
        if (told.includes('tell_connected')) assert.equal(facts.state, 'connected');
        assert.notEqual(facts.reason, '', 'a state always has a reason in words');
      }
    }
  });
});
