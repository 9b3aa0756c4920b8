import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseMessageId } from '../../src/contract/ids.ts';
import type { AcceptedSend } from '../../src/store/store.ts';
import { eventually } from '../support/eventually.ts';
import { createFakeStore, type FakeStore } from '../support/fake-store.ts';
import { isRunning } from '../support/process-facts.ts';
import { session, supervise, type Supervised } from '../support/supervised.ts';

async function withSupervised(
  run: (supervised: Supervised) => Promise<void>,
  options: Parameters<typeof supervise>[0] = {},
) {
  const supervised = await supervise(options);
  try {
    await run(supervised);
  } finally {
    await supervised.dispose();
  }
}

const one = { prepare: (store: FakeStore) => void store.addSession('a', { desired: 'running' }) };
const a = session('a');

function accepted(id: string, params: unknown, ttlMs = 60_000): AcceptedSend {
  const messageId = parseMessageId(id);
  if (messageId === null) throw new Error('not a message id');
  const now = Date.now();
  return {
    session: a,
    id: messageId,
    operation: 'sendText',
    params,
    chat: '15551234567@s.whatsapp.net',
    acceptedAt: now,
    expiresAt: now + ttlMs,
    media: null,
  };
}

describe('what people want', () => {
  test('is done at the start: exactly the sessions that should run do', () =>
    withSupervised(
      async ({ connected, view }) => {
        await Promise.all([connected('a'), connected('b')]);
        assert.deepEqual([view('c').status, view('c').child], ['disconnected', null]);
        assert.deepEqual([view('d').status, view('d').child], ['logged_out', null]);
      },
      {
        prepare: (store) => {
          store.addSession('a', { desired: 'running' });
          store.addSession('b', {
            desired: 'running',
            link: { state: 'connected', reason: 'Connected.', until: null },
          });
          store.addSession('c');
          store.addSession('d', {
            desired: 'running',
            link: { state: 'logged_out', reason: 'Logged out.', until: null },
          });
        },
      },
    ));

  test('survives the supervisor', async () => {
    const store = createFakeStore();
    await withSupervised(
      async ({ supervisor, connected }) => {
        await supervisor.connect(a);
        await connected('a');
        await supervisor.connect(session('b'));
        await connected('b');
        await supervisor.disconnect(session('b'));
      },
      { store, prepare: () => ['a', 'b'].forEach((id) => store.addSession(id)) },
    );
    assert.deepEqual([store.row('a').desired, store.row('b').desired], ['running', 'stopped']);
    await withSupervised(
      async ({ connected, view }) => {
        await connected('a');
        assert.equal(view('b').status, 'disconnected');
      },
      { store },
    );
  });

  test('is done as soon as the database is there', () =>
    withSupervised(
      async ({ store, connected, view }) => {
        assert.equal(view('a').child, null);
        store.isAway = false;
        await connected('a');
        assert.equal(view('a').child?.restarts, 0);
      },
      {
        prepare: (store) => {
          store.addSession('a', { desired: 'running' });
          store.isAway = true;
        },
      },
    ));

  test('waits while the database is away, without a restart of the child', () =>
    withSupervised(async ({ supervisor, store, connected, pid, until, view }) => {
      await connected('a');
      store.isAway = true;
      await assert.rejects(supervisor.disconnect(a), { code: 'storage_unavailable' });
      const first = pid('a');
      process.kill(first, 'SIGKILL');
      await until('a', ({ statusReason }) => statusReason.includes('could not be started'));
      store.isAway = false;
      await connected('a');
      assert.equal(view('a').child?.restarts, 1);
    }, one));

  test('is refused when it makes no sense', () =>
    withSupervised(async ({ supervisor, connected }) => {
      await connected('a');
      await assert.rejects(supervisor.connect(a), { code: 'already_connected' });
      await assert.rejects(supervisor.connect(session('nobody')), { code: 'session_not_found' });
      await supervisor.disconnect(a);
      await supervisor.disconnect(a);
      await assert.rejects(supervisor.assertSendable(a), { code: 'session_not_connected' });
      await assert.rejects(supervisor.call(a, 'echo', 1, 1000), { code: 'session_not_connected' });
    }, one));

  test('in a wild mixture leaves the session as the last wish says, with one process at most', () =>
    withSupervised(async ({ supervisor, connected, view, pid }) => {
      const wishes = [
        () => supervisor.connect(a),
        () => supervisor.disconnect(a),
        () => supervisor.restart(a),
      ] as const;
      for (let round = 0; round < 4; round++) {
        const mixture = Array.from({ length: 8 }, (_, index) => (wishes[(index * 7 + round) % 3] ?? wishes[0])());
        await Promise.allSettled(mixture);
      }
      await supervisor.restart(a);
      await connected('a');
      const last = pid('a');
      await supervisor.disconnect(a);
      assert.equal(view('a').status, 'disconnected');
      assert.equal(isRunning(last), false);
    }, one));
});

describe('a link that ends for good', () => {
  test('frees the process and stays visible, and connect begins anew', () =>
    withSupervised(async ({ supervisor, connected, ask, until, store, pid }) => {
      await connected('a');
      const first = pid('a');
      await ask('a', 'link', 'logged_out');
      const ended = await until('a', ({ child }) => child?.state === 'stopped');
      assert.equal(ended.status, 'logged_out');
      assert.equal(isRunning(first), false);
      assert.equal(store.row('a').desired, 'running');
      await supervisor.connect(a);
      await connected('a');
    }, one));

  test('when nobody scans, frees the process too', () =>
    withSupervised(async ({ supervisor, connected, ask, until }) => {
      await connected('a');
      await ask('a', 'link', 'idle');
      const ended = await until('a', ({ child }) => child?.state === 'stopped');
      assert.equal(ended.status, 'disconnected');
      await supervisor.connect(a);
      await connected('a');
    }, one));

  test('a link that will be tried again keeps its process, and connect does not wait for that', () =>
    withSupervised(async ({ supervisor, connected, ask, until, pid }) => {
      await connected('a');
      await ask('a', 'link', 'reconnecting');
      await until('a', ({ status }) => status === 'connecting');
      const first = pid('a');
      assert.equal(isRunning(first), true);
      await supervisor.connect(a);
      await connected('a');
    }, one));
});

describe('logging out', () => {
  test('goes through WhatsApp when the session is connected', () =>
    withSupervised(async ({ supervisor, connected, view, store }) => {
      await connected('a');
      await supervisor.logout(a);
      assert.equal(view('a').status, 'logged_out');
      assert.equal(view('a').child?.state, 'stopped');
      assert.equal(store.row('a').isPaired, false);
      await assert.rejects(supervisor.logout(a), { code: 'not_paired' });
    }, one));

  test('works here when it is not', () =>
    withSupervised(
      async ({ supervisor, view, store }) => {
        await supervisor.logout(a);
        assert.equal(view('a').status, 'logged_out');
        assert.match(view('a').statusReason, /remove the device/);
        await eventually(() => !store.row('a').isPaired);
        assert.deepEqual(
          store.emitted.map(({ event }) => event.name).filter((name) => name !== 'session_status'),
          ['logged_out'],
        );
      },
      { prepare: (store) => void store.addSession('a', { isPaired: true }) },
    ));
});

describe('several sessions in one child', () => {
  const packed = {
    settings: { sessionsPerChild: 2 },
    prepare: (store: FakeStore) => {
      for (const id of ['a', 'b', 'c']) store.addSession(id, { desired: 'running' });
      store.addSession('s', { desired: 'running', sandbox: true });
    },
  };

  test('share its process, and sandbox sessions never do with others', () =>
    withSupervised(async ({ connected, pid }) => {
      await Promise.all(['a', 'b', 'c', 's'].map((id) => connected(id)));
      assert.equal(pid('a'), pid('b'));
      assert.equal(new Set(['a', 'c', 's'].map((id) => pid(id))).size, 3);
    }, packed));

  test('come back together when it dies', () =>
    withSupervised(async ({ connected, pid, until }) => {
      await Promise.all(['a', 'b'].map((id) => connected(id)));
      const first = pid('a');
      process.kill(first, 'SIGKILL');
      for (const id of ['a', 'b'])
        await until(id, ({ status, child }) => status === 'connected' && child?.pid !== first);
      assert.equal(pid('a'), pid('b'));
    }, packed));

  test('are stopped and restarted one by one, and the last takes the child with it', () =>
    withSupervised(async ({ supervisor, connected, pid, until, ask }) => {
      await Promise.all(['a', 'b'].map((id) => connected(id)));
      const shared = pid('a');
      await supervisor.restart(a);
      await connected('a');
      assert.deepEqual([pid('a'), await ask('b', 'start_count')], [shared, 3]);
      await supervisor.disconnect(a);
      await until('b', ({ status, child }) => status === 'connected' && child?.pid === shared);
      await supervisor.connect(a);
      await connected('a');
      assert.equal(pid('a'), shared);
      await Promise.all([supervisor.disconnect(a), supervisor.disconnect(session('b'))]);
      assert.equal(isRunning(shared), false);
    }, packed));

  test('a session that another gateway has taken leaves, its neighbour stays', () =>
    withSupervised(async ({ connected, pid, until, ask, store }) => {
      await Promise.all(['a', 'b'].map((id) => connected(id)));
      const shared = pid('b');
      await store.sessions.takeEpoch(a);
      await assert.rejects(ask('a', 'write'), { code: 'fenced' });
      await until('a', ({ child, status }) => child?.state === 'stopped' && status === 'failed');
      assert.equal(pid('b'), shared);
      assert.equal(await ask('b', 'write'), null);
    }, packed));
});

describe('sending', () => {
  test('answers what the child answers', () =>
    withSupervised(async ({ supervisor, connected }) => {
      await connected('a');
      await supervisor.assertSendable(a);
      assert.equal((await supervisor.send(accepted('AAAA', 'ok'))).status, 'sent');
      assert.equal((await supervisor.send(accepted('AAAB', 'pending'))).status, 'pending');
    }, one));

  test('a refusal is final: the caller learns it and the row says so', () =>
    withSupervised(async ({ supervisor, connected, store }) => {
      await connected('a');
      await store.messages.accept(accepted('AAAA', 'refuse'));
      await assert.rejects(supervisor.send(accepted('AAAA', 'refuse')), { code: 'whatsapp_refused' });
      assert.deepEqual(store.failed, [{ id: 'AAAA', errorCode: 'whatsapp_refused' }]);
    }, one));

  test('a message whose child dies is pending, and sent with the same id after the restart', () =>
    withSupervised(async ({ supervisor, connected, store, view }) => {
      await connected('a');
      const message = accepted('AAAA', 'exit');
      await store.messages.accept(accepted('AAAA', 'refuse'));
      const answer = await supervisor.send(message);
      assert.deepEqual(answer, { to: message.chat, status: 'pending', at: message.acceptedAt });
      // The row that waits is one that gets refused: the refusal shows that it was sent again.
      await eventually(
        () => store.failed.length > 0,
        10_000,
        () => view('a'),
      );
      assert.deepEqual(store.failed, [{ id: 'AAAA', errorCode: 'whatsapp_refused' }]);
    }, one));

  test('what becomes due while others are being sent goes out after them, without a new connection', () =>
    withSupervised(async ({ supervisor, connected, store }) => {
      await connected('a');
      store.waiting.push(accepted('AAAA', 'slow'));
      await supervisor.release(a);
      // Answered after the supervisor's own question: it knows of the first message only.
      await store.messages.listAccepted(a);
      store.waiting.push(accepted('AAAB', 'refuse'));
      await supervisor.release(a);
      await eventually(() => store.failed.length > 0);
      assert.deepEqual(store.failed, [{ id: 'AAAB', errorCode: 'whatsapp_refused' }]);
    }, one));

  test('what waited too long fails instead of surprising somebody', () =>
    withSupervised(
      async ({ store }) => {
        await eventually(() => store.failed.length > 0);
        assert.deepEqual(store.failed, [{ id: 'AAAA', errorCode: 'expired' }]);
      },
      {
        prepare: (store) => {
          store.addSession('a', { desired: 'running' });
          store.waiting.push(accepted('AAAA', 'ok', -1));
        },
      },
    ));
});

describe('pairing', () => {
  const unpaired = {
    script: { state: 'waiting_for_qr' as const },
    prepare: (store: FakeStore) => void store.addSession('a'),
  };
  const request = { phone: '15551234567', customCode: null, showPushNotification: true };

  test('by code connects the session when needed', () =>
    withSupervised(async ({ supervisor, store }) => {
      const offer = await supervisor.pairCode(a, request);
      assert.equal(offer.code, 'CODE-1555');
      assert.equal(store.row('a').desired, 'running');
    }, unpaired));

  test('by code is refused for a session that is paired', () =>
    withSupervised(
      async ({ supervisor }) => {
        await assert.rejects(supervisor.pairCode(a, request), { code: 'already_paired' });
      },
      { prepare: (store) => void store.addSession('a', { isPaired: true }) },
    ));

  test('changes of a session can be waited for, also of one that was never seen', () =>
    withSupervised(async ({ supervisor, store }) => {
      let changes = 0;
      const unlisten = supervisor.onChange(a, () => changes++);
      const { signal } = new AbortController();
      const waiting = supervisor.waitFor(store.row('a'), ({ link }) => link?.state ?? null, {
        timeoutMs: 5000,
        signal,
      });
      await supervisor.connect(a);
      assert.equal(await waiting, 'connecting');
      await eventually(() => changes > 2);
      unlisten();
      assert.equal(await supervisor.waitFor(store.row('a'), () => null, { timeoutMs: 5, signal }), null);
    }, unpaired));
});
