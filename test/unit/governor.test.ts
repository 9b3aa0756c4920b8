import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { WardenError } from '../../src/contract/errors.ts';
import type { SessionEvent } from '../../src/contract/events.ts';
import type { PacingOverrides } from '../../src/contract/pacing.ts';
import { logger, setLogLevel } from '../../src/log.ts';
import { Governor } from '../../src/supervisor/governor.ts';
import { createFakeStore } from '../support/fake-store.ts';

const ann = '15550300001@s.whatsapp.net';
const bob = '15550300002@s.whatsapp.net';
const cid = '15550300003@s.whatsapp.net';
const group = '120363000000000001@g.us';
const hourMs = 3_600_000;

/** A governor whose time passes when the test says so, over a store in memory; everybody but `known` is a stranger. */
function govern(overrides: PacingOverrides, known: readonly string[] = []) {
  setLogLevel('silent');
  const time = { now: 1_767_225_600_000 };
  const opened = new Map<string, number>();
  const told: SessionEvent[] = [];
  const due: string[] = [];
  const fake = createFakeStore();
  const row = fake.addSession('paced', { pacing: { warm_up_days: 0, ...overrides } });
  const lifetime = new AbortController();
  let questions = 0;
  const governor = new Governor(row, {
    store: {
      commits: { ...fake.commits, emit: async (_session, event) => void told.push(event) },
      pacing: {
        ...fake.pacing,
        knownChats: async (_session, chats) => {
          questions++;
          return new Set(chats.filter((chat) => known.includes(chat) || opened.has(chat)));
        },
        standing: async (_session, since) => ({
          linkedAt: 0,
          openedAt: [...opened.values()].filter((at) => at > since),
        }),
        openChat: async (_session, chat, at) => void opened.set(chat, at),
        closeChat: async (_session, chat) => void opened.delete(chat),
        saveBackoff: async () => undefined,
      },
    },
    settings: {
      limits: {
        isEnabled: true,
        messagesPerSecond: 1,
        burst: 4,
        newChatsPerDay: 100,
        warmUpDays: 14,
        warmUpNewChats: 20,
      },
      newChats: { baseMs: hourMs, maxMs: 24 * hourMs },
      slowDown: { baseMs: hourMs, maxMs: 24 * hourMs },
    },
    clock: { now: () => time.now, monotonic: () => time.now },
    log: logger('test'),
    onDue: (session) => due.push(session),
    signal: lifetime.signal,
  });
  return { governor, time, opened, told, due, questions: () => questions, end: () => governor.stop() };
}

const refusedWith = (code: string): WardenError =>
  new WardenError('whatsapp_refused', {
    details: [{ field: 'whatsapp_code', expected: 'no error', received: code }],
  });

describe('a governor', () => {
  test('lets a burst go, and holds what would take longer than its sender waits', async () => {
    const { governor, end } = govern({ burst: 2 }, [ann, bob]);
    assert.equal(await governor.pass({ id: '1', chat: ann }, 0), null);
    assert.equal(await governor.pass({ id: '2', chat: ann }, 0), null);
    const hold = await governor.pass({ id: '3', chat: ann }, 500);
    assert.equal(hold?.scope, 'all');
    assert.equal(governor.summary().held?.count, 1);
    end();
  });

  test('counts those that it holds before those that come later', async () => {
    const { governor, time, end } = govern({ burst: 1 }, [ann, bob, cid]);
    await governor.pass({ id: '1', chat: ann }, 0);
    const second = await governor.pass({ id: '2', chat: bob }, 0);
    const third = await governor.pass({ id: '3', chat: cid }, 0);
    assert.deepEqual([second?.until, third?.until], [time.now + 1000, time.now + 2000]);
    end();
  });

  test('lets the first that waits in a chat go before those of it that it holds', async () => {
    const { governor, time, end } = govern({ burst: 1 }, [ann]);
    await governor.pass({ id: '1', chat: ann }, 0);
    assert.notEqual(await governor.pass({ id: '3', chat: ann }, 0), null);
    time.now += 1000;
    assert.equal(await governor.passFirst({ id: '2', chat: ann }), null);
    assert.notEqual(governor.holdOf('3'), null);
    end();
  });

  test('holds a message of a chat that is held for as long as all before it take', async () => {
    const { governor, time, end } = govern({ burst: 1 }, [ann]);
    await governor.pass({ id: '1', chat: ann }, 0);
    for (const id of ['2', '3', '4']) await governor.pass({ id, chat: ann }, 0);
    assert.equal((await governor.pass({ id: '5', chat: ann }, 0))?.until, time.now + 4000);
    end();
  });

  test('forgets a held message that nobody waits for any more, and none that came since', async () => {
    const { governor, time, end } = govern({ burst: 1 }, [ann, bob]);
    await governor.pass({ id: '1', chat: ann }, 0);
    for (const id of ['2', '3']) await governor.pass({ id, chat: ann }, 0);
    const listedAt = ++time.now;
    await governor.pass({ id: '4', chat: bob }, 0);
    governor.retain([{ id: '3' }], listedAt);
    assert.deepEqual(
      ['2', '3', '4'].map((id) => governor.holdOf(id) !== null),
      [false, true, true],
    );
    end();
  });

  test('never lets a message overtake a held one of its chat, and lets other chats pass', async () => {
    const { governor, end } = govern({ new_chats_per_day: 1 }, [bob]);
    await governor.pass({ id: '0', chat: cid }, 0);
    const held = await governor.pass({ id: '1', chat: ann }, 0);
    assert.equal(held?.scope, 'new_chats');
    assert.deepEqual(await governor.pass({ id: '2', chat: ann }, 0), held);
    assert.equal(await governor.pass({ id: '3', chat: bob }, 0), null);
    assert.equal(await governor.pass({ id: '4', chat: group }, 0), null);
    assert.deepEqual(await governor.forecast(ann), held);
    end();
  });

  test('judges new chats that are asked for at the same time one after the other', async () => {
    const { governor, opened, end } = govern({ new_chats_per_day: 2 });
    const holds = await Promise.all([ann, bob, cid].map((chat, n) => governor.pass({ id: String(n), chat }, 0)));
    assert.deepEqual(
      holds.map((hold) => hold === null),
      [true, true, false],
    );
    assert.equal(opened.size, 2);
    end();
  });

  test('asks the store once about a chat that is known', async () => {
    const { governor, questions, end } = govern({ burst: 100 }, [ann]);
    for (let n = 0; n < 10; n++) await governor.pass({ id: String(n), chat: ann }, 0);
    assert.equal(questions(), 1);
    end();
  });

  test('does not count a forecast as a message or as a new chat', async () => {
    const { governor, opened, end } = govern({ burst: 1, new_chats_per_day: 1 });
    for (let n = 0; n < 5; n++) assert.equal(await governor.forecast(ann), null);
    assert.equal(opened.size, 0);
    assert.equal(await governor.pass({ id: '1', chat: ann }, 0), null);
    end();
  });

  test('gives a new chat back that did not come about', async () => {
    const { governor, opened, end } = govern({ new_chats_per_day: 1 });
    await governor.pass({ id: '1', chat: ann }, 0);
    await governor.failed({ id: '1', chat: ann }, new WardenError('recipient_not_on_whatsapp'));
    assert.equal(opened.size, 0);
    assert.equal(await governor.pass({ id: '2', chat: bob }, 0), null);
    await governor.failed({ id: '2', chat: bob }, new WardenError('whatsapp_timeout'));
    assert.equal(opened.size, 1);
    end();
  });

  test('keeps half of its burst from those who can wait', async () => {
    const { governor, time, end } = govern({ burst: 4 }, [ann, bob]);
    assert.equal(await governor.passSpare(ann), null);
    assert.equal(await governor.passSpare(ann), null);
    const wait = await governor.passSpare(ann);
    assert.equal(wait?.until, time.now + 1000);
    assert.equal(await governor.pass({ id: '1', chat: bob }, 0), null);
    assert.equal(await governor.pass({ id: '2', chat: bob }, 0), null);
    time.now += 2000;
    assert.notEqual(await governor.passSpare(ann), null);
    time.now += 1000;
    assert.equal(await governor.passSpare(ann), null);
    end();
  });

  test('holds new chats after 463, once per incident, longer after the next, and not the others', async () => {
    const { governor, time, told, end } = govern({ burst: 100 }, [bob]);
    await governor.failed({ id: '1', chat: ann }, refusedWith('463'));
    await governor.failed({ id: '2', chat: cid }, refusedWith('463'));
    assert.equal(told.length, 1);
    assert.equal((await governor.forecast(ann))?.until, time.now + hourMs);
    assert.equal(await governor.pass({ id: '3', chat: bob }, 0), null);
    time.now += hourMs;
    assert.equal(await governor.forecast(ann), null);
    await governor.failed({ id: '4', chat: ann }, refusedWith('463'));
    assert.equal((await governor.forecast(ann))?.until, time.now + 2 * hourMs);
    assert.deepEqual(
      told.map(({ name }) => name),
      ['session_pacing', 'session_pacing'],
    );
    end();
  });

  test('goes at half its pace after 429, and is not troubled by other refusals', async () => {
    const { governor, time, end } = govern({ burst: 100 }, [ann]);
    await governor.failed({ id: '1', chat: ann }, refusedWith('479'));
    assert.deepEqual(governor.summary().backoff, { newChats: null, slowDown: null });
    await governor.failed({ id: '2', chat: ann }, refusedWith('429'));
    assert.equal(await governor.pass({ id: '3', chat: ann }, 0), null);
    const hold = await governor.pass({ id: '4', chat: ann }, 0);
    assert.equal(hold?.until, time.now + 2000);
    assert.match(hold?.reason ?? '', /429/);
    end();
  });

  test('lets everything go when it is switched off, also what it holds', async () => {
    const { governor, due, end } = govern({ burst: 1 }, [ann]);
    await governor.pass({ id: '1', chat: ann }, 0);
    assert.notEqual(await governor.pass({ id: '2', chat: ann }, 0), null);
    governor.apply({ pacing: { enabled: false }, pacingBackoff: null });
    assert.deepEqual(due, ['paced']);
    assert.equal(await governor.pass({ id: '2', chat: ann }, 0), null);
    assert.equal(governor.summary().held, null);
    end();
  });
});
