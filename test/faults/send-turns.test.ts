/** Two that send in one chat at the same moment: the caller of a new message, and what waited in the store. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseMessageId } from '../../src/contract/ids.ts';
import type { AcceptedSend } from '../../src/store/store.ts';
import { eventually } from '../support/eventually.ts';
import { createFakeStore } from '../support/fake-store.ts';
import { session, withSupervised } from '../support/supervised.ts';

const a = session('a');

function refused(id: string): AcceptedSend {
  const messageId = parseMessageId(id);
  if (messageId === null) throw new Error('not a message id');
  const acceptedAt = Date.now();
  return {
    session: a,
    id: messageId,
    operation: 'sendText',
    params: 'refuse',
    chat: '15551234567@s.whatsapp.net',
    acceptedAt,
    expiresAt: acceptedAt + 60_000,
    media: null,
  };
}

test('a new message does not overtake one that waits, whatever is read of the store in which moment', async () => {
  const store = createFakeStore();
  store.addSession('a', { desired: 'running' });
  const listed: PromiseWithResolvers<void>[] = [];
  let isSlow = false;
  const slow: typeof store = {
    ...store,
    messages: {
      ...store.messages,
      listAccepted: async (id) => {
        const found = store.messages.listAccepted(id);
        if (!isSlow) return found;
        const gate = Promise.withResolvers<void>();
        listed.push(gate);
        await gate.promise;
        return found;
      },
    },
  };
  const open = async (index: number): Promise<void> => {
    await eventually(() => listed[index] !== undefined);
    listed[index]?.resolve();
  };
  await withSupervised(
    async ({ supervisor, connected }) => {
      await connected('a');
      isSlow = true;
      store.waiting.push(refused('AAAA'));
      // What waits is being read, and the new message has its turn before anything comes of that.
      await supervisor.release(a);
      await eventually(() => listed.length === 1);
      await store.messages.accept(refused('AAAB'));
      const caller = supervisor.send(refused('AAAB')).catch(() => null);
      await open(0);
      // The one that waited is under way, behind the turn of the new one, which looks whether the chat is still held.
      await open(1);
      isSlow = false;
      for (const gate of listed) gate.resolve();
      await caller;
      await eventually(
        () => store.failed.length === 2,
        20_000,
        () => store.failed,
      );
      assert.deepEqual(
        store.failed.map(({ id }) => id),
        ['AAAA', 'AAAB'],
      );
    },
    { store: slow },
  );
});
