import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { activeFaultWords, faultGroups } from '../../src/api/dashboard/fault-words.ts';
import { bubbleOf } from '../../src/api/dashboard/phone-bubbles.ts';
import { guideOf } from '../../src/api/dashboard/phone-guide.ts';
import { operations } from '../../src/contract/index.ts';
import { sandboxFaults } from '../../src/contract/operations/sandbox.ts';

const [example] = operations.sandboxChat.example.result.messages;
const reader = { jid: '15551234567@s.whatsapp.net' };
const told = { by: reader.jid, by_name: 'First contact', delivered_at: 1, read_at: null, played_at: null };

function bubble(change: Partial<Parameters<typeof bubbleOf>[0]>) {
  assert.ok(example !== undefined);
  return bubbleOf({ ...example, ...change }, reader);
}

describe('the guide beside the simulated phone', () => {
  const fresh = { isLinked: false, contacts: [], sent: 0, received: 0 };
  const next = (facts: Parameters<typeof guideOf>[0]) => guideOf(facts).steps.find(({ isNext }) => isNext)?.name;
  const silent = { last_message: null };

  test('goes on when what it asks for is there, in any order', () => {
    assert.equal(next(fresh), 'link');
    assert.equal(next({ ...fresh, isLinked: true }), 'contact');
    assert.equal(next({ ...fresh, isLinked: true, contacts: [silent] }), 'send');
    assert.equal(next({ ...fresh, isLinked: true, contacts: [silent], sent: 1 }), 'answer');
    assert.equal(next({ ...fresh, isLinked: true, contacts: [silent], received: 1 }), 'send');
  });

  test('tells what the contact wrote from what the session has told as an event', () => {
    const contacts = [{ last_message: { from: 'contact' } }];
    assert.equal(next({ ...fresh, isLinked: true, contacts, sent: 1 }), 'event');
    const done = guideOf({ isLinked: true, contacts, sent: 1, received: 1 });
    assert.equal(done.done, done.steps.length);
  });

  test('begins anew for a phone that was unlinked, and keeps what has been done', () => {
    const guide = guideOf({ ...fresh, sent: 3, received: 2 });
    assert.equal(guide.done, 3);
    assert.equal(guide.steps[0]?.isNext, true);
  });
});

describe('bubbles', () => {
  test('show the furthest receipt and who told it', () => {
    assert.equal(bubble({ receipts: [] }).ticks.words, 'Arrived; no receipt was sent');
    assert.deepEqual(bubble({ receipts: [told] }).ticks, { state: 'delivered', words: 'Delivered to First contact' });
    const readers = ['One', 'Two', 'Three', 'Four'].map((name) => ({ ...told, by_name: name, read_at: 2 }));
    assert.equal(bubble({ receipts: [told, ...readers] }).ticks.words, 'Read by One, Two, Three, 1 more');
  });

  test('of the person who holds the phone are its own; those of the account are not, whoever holds it', () => {
    assert.equal(bubble({ from: 'contact', author: reader.jid }).isOwn, true);
    assert.equal(bubble({ from: 'contact', author: 'x@s.whatsapp.net', author_name: 'Second' }).writer, 'Second');
    assert.equal(bubble({ from: 'session', author: reader.jid }).isOwn, false);
    assert.equal(bubble({ from: 'session' }).isOfAccount, true);
  });

  test('are summed up by their text, or by what they hold', () => {
    assert.equal(bubble({ text: 'x'.repeat(100) }).summary, `${'x'.repeat(60)}…`);
    assert.equal(bubble({ text: null, type: 'sticker' }).summary, 'sticker');
  });
});

describe('the words for faults', () => {
  test('cover every fault of the sandbox once', () => {
    const offered = faultGroups.flatMap(({ faults }) => faults.map(({ fault }) => fault));
    assert.deepEqual(offered.toSorted(), [...sandboxFaults.options].toSorted());
  });

  test('tell how long and how often an active fault still strikes', () => {
    const active = { fault: 'refuse_send', code: 463, delay_ms: null, count: 1, until: null };
    assert.equal(activeFaultWords(active, 0).limits, 'code 463, 1 more time');
    const ban = { fault: 'ban', code: null, delay_ms: null, count: null, until: 90 };
    assert.equal(activeFaultWords(ban, 30_000).limits, 'for 1 min more');
  });
});
