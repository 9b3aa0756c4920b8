import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { bulkEvent } from '../../src/bulk/bulk-event.ts';
import { markDuplicates, objectionsTo, paramsFor } from '../../src/bulk/bulk-message.ts';
import { differs, estimatedEnd, isThrough, shownStatus } from '../../src/bulk/bulk-progress.ts';
import { nextStep, type BulkFacts } from '../../src/bulk/next-step.ts';
import { fill, placeholdersOf } from '../../src/bulk/placeholders.ts';
import { RecipientQueue } from '../../src/bulk/recipient-queue.ts';
import type { BulkCounts, QueuedRecipient } from '../../src/store/bulk-store.ts';

const now = 1_767_225_600_000;
const counts: BulkCounts = {
  total: 10,
  queued: 4,
  sending: 1,
  sent: 2,
  delivered: 1,
  read: 1,
  failed: 1,
  cancelled: 0,
  skipped: 0,
  lastMinute: 6,
};

describe('placeholders', () => {
  test('are filled wherever they stand, with or without spaces', () => {
    assert.equal(fill('Hi {{name}}, {{ name }}: {{code}}!', { name: 'Ann', code: '42' }), 'Hi Ann, Ann: 42!');
  });

  test('are found once each, in their order', () => {
    assert.deepEqual(placeholdersOf('{{b}} {{a}} {{ b }} {c} {{}} {{d-e}}'), ['b', 'a']);
  });

  test('take values as they are: neither patterns of a replacement nor placeholders in them mean anything', () => {
    assert.equal(fill('{{a}}', { a: '$& {{b}} $1', b: 'no' }), '$& {{b}} $1');
  });

  test('do not find what every object has', () => {
    assert.equal(fill('{{constructor}}', {}), '{{constructor}}');
    assert.equal(objectionsTo({ text: '{{constructor}}' }, [{ variables: {} }]).length, 1);
  });
});

describe('the message of one recipient', () => {
  test('has its text and caption filled, and nothing else', () => {
    const template = { text: 'Hi {{n}}', caption: '{{n}}', name: '{{n}}', latitude: 1 };
    assert.deepEqual(paramsFor(template, '1@s.whatsapp.net', { n: 'Ann' }), {
      text: 'Hi Ann',
      caption: 'Ann',
      name: '{{n}}',
      latitude: 1,
      to: '1@s.whatsapp.net',
    });
  });

  test('is refused when a name has no value, by recipient and name', () => {
    const details = objectionsTo({ text: 'Hi {{name}} of {{town}}' }, [
      { variables: { name: 'Ann', town: 'Here' } },
      { variables: { name: 'Bob' } },
    ]);
    assert.deepEqual(details, [
      { field: 'recipients[1].variables.town', expected: 'a value for {{town}} of message.text', received: 'nothing' },
    ]);
  });

  test('is refused when it is empty or too long once filled', () => {
    const empty = objectionsTo({ text: '{{a}}' }, [{ variables: { a: '' } }]);
    const long = objectionsTo({ text: '{{a}}' }, [{ variables: { a: 'x'.repeat(65_537) } }]);
    assert.match(empty[0]?.received ?? '', /^0 /);
    assert.match(long[0]?.received ?? '', /^65537 /);
    assert.deepEqual(objectionsTo({ text: 'no names' }, [{ variables: { spare: 'x' } }]), []);
  });

  test('is refused with a few examples however many recipients lack a value', () => {
    const recipients = Array.from({ length: 10_000 }, () => ({ variables: {} }));
    assert.equal(objectionsTo({ text: '{{a}}' }, recipients).length, 20);
  });
});

test('a recipient that is named twice is a duplicate from the second time on', () => {
  const named = ['a', 'b', 'a', 'a'].map((to) => ({ to, variables: {} }));
  assert.deepEqual(
    markDuplicates(named).map(({ isDuplicate }) => isDuplicate),
    [false, false, true, true],
  );
});

describe('the progress of a bulk', () => {
  const bulk = { status: 'running', startAt: now - 1000, intervalMs: 3000, jitterMs: 2000, held: null } as const;

  test('ends as the pace that was asked for says, or later when the last minute was slower', () => {
    assert.equal(estimatedEnd(bulk, { queued: 10, lastMinute: 0 }, now), now + 40_000);
    assert.equal(estimatedEnd(bulk, { queued: 10, lastMinute: 6 }, now), now + 100_000);
    assert.equal(estimatedEnd(bulk, { queued: 10, lastMinute: 60 }, now), now + 40_000);
  });

  test('begins when it is scheduled, and after what holds it back', () => {
    const held = { until: now + 60_000, reason: 'Held.' };
    assert.equal(estimatedEnd({ ...bulk, held }, { queued: 1, lastMinute: 0 }, now), now + 64_000);
    assert.equal(estimatedEnd({ ...bulk, startAt: now + 9000 }, { queued: 1, lastMinute: 0 }, now), now + 13_000);
    assert.equal(estimatedEnd({ ...bulk, status: 'paused' }, { queued: 1, lastMinute: 0 }, now), null);
  });

  test('is scheduled until its time has come', () => {
    assert.equal(shownStatus({ status: 'running', startAt: now + 1 }, now), 'scheduled');
    assert.equal(shownStatus({ status: 'running', startAt: now }, now), 'running');
    assert.equal(shownStatus({ status: 'paused', startAt: now + 1 }, now), 'paused');
  });

  test('is through when nothing is queued or under way, whoever may still read it', () => {
    assert.equal(isThrough({ queued: 0, sending: 0 }), true);
    assert.equal(isThrough({ queued: 0, sending: 1 }), false);
    assert.equal(isThrough({ queued: 1, sending: 0 }), false);
  });

  test('is news when a count has changed, and not because a minute has passed', () => {
    assert.equal(differs(null, counts), true);
    assert.equal(differs(counts, { ...counts, lastMinute: 0 }), false);
    assert.equal(differs(counts, { ...counts, read: 2 }), true);
  });

  test('is told with all its counts', () => {
    const event = bulkEvent('bulk_progress', { id: 'bulk_1', name: 'News', status: 'running' }, counts);
    const { lastMinute: _, ...told } = counts;
    assert.deepEqual(event.data, { bulk_id: 'bulk_1', name: 'News', status: 'running', ...told });
  });
});

describe('what a bulk does next', () => {
  const facts: BulkFacts = {
    startAt: now - 1000,
    dueAt: 0,
    mediaUntil: null,
    hasQueued: true,
    session: { status: 'connected', reason: 'Connected.' },
  };

  test('is to send, when nothing is in the way', () => {
    assert.deepEqual(nextStep(facts, now), { tag: 'send' });
  });

  test('is to wait for its start and for the time between two messages', () => {
    assert.deepEqual(nextStep({ ...facts, startAt: now + 5 }, now), { tag: 'wait', until: now + 5 });
    assert.deepEqual(nextStep({ ...facts, dueAt: now + 7 }, now), { tag: 'wait', until: now + 7 });
  });

  test('is to await answers once all were begun, also without a connection', () => {
    const session = { status: 'disconnected', reason: 'Off.' } as const;
    assert.deepEqual(nextStep({ ...facts, hasQueued: false, session }, now), { tag: 'settle' });
  });

  test('is to leave it to others while the session is not connected here', () => {
    const session = { status: 'connecting', reason: 'Soon.' } as const;
    assert.deepEqual(nextStep({ ...facts, session }, now), { tag: 'yield' });
  });

  test('is to pause, and say why, when the session was logged out or the media is too old', () => {
    const session = { status: 'logged_out', reason: 'The phone removed it.' } as const;
    const loggedOut = nextStep({ ...facts, session }, now);
    assert.equal(loggedOut.tag, 'pause');
    assert.match(loggedOut.tag === 'pause' ? loggedOut.reason : '', /The phone removed it/);
    const old = nextStep({ ...facts, mediaUntil: now }, now);
    assert.match(old.tag === 'pause' ? old.reason : '', /two weeks/);
  });
});

describe('the recipients that are left', () => {
  const all: readonly QueuedRecipient[] = Array.from({ length: 450 }, (_, position) => ({
    position,
    chat: `c${position}`,
    variables: {},
  }));
  const pages: number[] = [];
  const store = {
    listQueued: async (_id: string, after: number, limit: number) => {
      pages.push(after);
      return all.filter(({ position }) => position > after).slice(0, limit);
    },
  };

  test('are searched for one that is free beyond the first page, and the search goes on from there', async () => {
    const queue = new RecipientQueue(store, 'bulk_1');
    const listFree = async (chats: readonly string[]) =>
      new Set(chats.filter((chat) => chat === 'c300' || chat === 'c449'));
    assert.equal((await queue.firstFree(listFree))?.chat, 'c300');
    pages.length = 0;
    assert.equal(
      (await queue.firstFree(async (chats) => new Set(chats.filter((chat) => chat === 'c449'))))?.chat,
      'c449',
    );
    assert.deepEqual(pages, [299, 499].slice(0, pages.length));
    assert.equal(await queue.firstFree(async () => new Set()), null);
    queue.searchAnew();
    assert.equal((await queue.firstFree(listFree))?.chat, 'c300');
  });

  test('are read again when the page in memory is used up', async () => {
    const queue = new RecipientQueue(store, 'bulk_1');
    const first = await queue.first();
    assert.equal(first?.position, 0);
    queue.drop(all[0] ?? { position: 0, chat: '', variables: {} });
    assert.equal((await queue.first())?.position, 1);
  });
});
