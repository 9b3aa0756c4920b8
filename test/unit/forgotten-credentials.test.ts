import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createAuthState } from '../../src/child/engine/auth-state.ts';
import { StoreClient } from '../../src/child/store-client.ts';
import { session } from '../support/supervised.ts';

test('credentials that are forgotten are not brought back by a write that waited meanwhile', async () => {
  const asked: string[] = [];
  const first = Promise.withResolvers<null>();
  const store = new StoreClient({
    session: session('a'),
    epoch: 1,
    requester: {
      request: async (name: string) => {
        asked.push(name);
        return asked.length === 1 ? first.promise : null;
      },
    },
    onFenced: () => undefined,
  });
  const before = createAuthState(store, null);
  const saved = [before.saveCreds(), before.saveCreds()];
  const cleared = store.clearCredentials();
  const after = createAuthState(store, null);
  first.resolve(null);
  await cleared;
  assert.deepEqual(
    (await Promise.allSettled(saved)).map(({ status }) => status),
    ['fulfilled', 'rejected'],
  );
  await after.saveCreds();
  assert.deepEqual(asked, ['keys_set', 'credentials_clear', 'keys_set']);
});
