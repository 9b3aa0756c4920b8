import assert from 'node:assert/strict';
import { totalmem } from 'node:os';
import { describe, test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { session, withSupervised, type Supervised } from '../support/supervised.ts';

const ids = ['a', 'b', 'c'];
const packed = {
  settings: { sessionsPerChild: 3 },
  prepare: (store: Supervised['store']) => ids.forEach((id) => store.addSession(id, { desired: 'running' })),
};
const exitsOf = ({ store }: Supervised, id: string) => store.exits.filter((each) => each.session === id);

describe('sessions that share a child', () => {
  test('the one whose request hung is named, and after repeated trouble it lives alone', () =>
    withSupervised(async (supervised) => {
      const { connected, ask, pid, until, view } = supervised;
      await Promise.all(ids.map((id) => connected(id)));
      for (const round of [1, 2]) {
        const shared = pid('b');
        ask('a', 'never').catch(() => null);
        ask('a', 'busy_loop').catch(() => null);
        for (const id of ids)
          await until(id, ({ status, child }) => status === 'connected' && child?.pid !== shared, 20_000);
        await eventually(() => exitsOf(supervised, 'a').length === round);
      }
      const [first, second] = exitsOf(supervised, 'a').map(({ exit }) => exit);
      assert.deepEqual(first?.culprits?.sessions, ['a']);
      assert.deepEqual([first?.movedToOwnChild, second?.movedToOwnChild], [false, true]);
      assert.ok(
        exitsOf(supervised, 'b').every(({ exit }) => !exit.movedToOwnChild && exit.culprits?.sessions[0] === 'a'),
      );
      assert.equal(pid('b'), pid('c'));
      assert.notEqual(pid('a'), pid('b'));
      assert.equal(view('a').child?.sessions, 1);
      const neighbours = pid('b');
      process.kill(pid('a'), 'SIGKILL');
      await until('a', ({ status, child }) => status === 'connected' && child?.restarts === 1);
      assert.equal(pid('b'), neighbours);
    }, packed));

  test('when several had requests under way, the record says that it is one of them', () =>
    withSupervised(async (supervised) => {
      const { connected, ask } = supervised;
      await Promise.all(ids.map((id) => connected(id)));
      ask('a', 'never').catch(() => null);
      ask('b', 'never').catch(() => null);
      ask('a', 'busy_loop').catch(() => null);
      const { exit } = await eventually(() => exitsOf(supervised, 'c')[0]);
      assert.deepEqual(exit.culprits?.sessions.toSorted(), ['a', 'b']);
      assert.match(exit.culprits?.grounds ?? '', /one of them/);
    }, packed));

  test('one that is to be isolated moves to a child of its own and nobody joins it', () =>
    withSupervised(async ({ supervisor, store, connected, pid, until }) => {
      await Promise.all(ids.map((id) => connected(id)));
      const shared = pid('a');
      store.addSession('a', { desired: 'running', isolated: true });
      await supervisor.reconsider(session('a'));
      await until('a', ({ status, child }) => status === 'connected' && child?.pid !== shared);
      assert.equal(pid('b'), shared);
      store.addSession('d');
      await supervisor.connect(session('d'));
      await connected('d');
      assert.equal(pid('d'), shared);
      await until('a', ({ child }) => child?.sessions === 1);
    }, packed));

  test('a cap of its own is watched at once', () =>
    withSupervised(
      async ({ supervisor, store, connected, view }) => {
        await connected('a');
        store.addSession('a', { desired: 'running', memoryCapMb: 333 });
        await supervisor.reconsider(session('a'));
        assert.equal(view('a').child?.capBytes, 333 << 20);
      },
      { ...packed, settings: { sessionsPerChild: 1 } },
    ));
});

describe('room', () => {
  const megabyte = 1 << 20;

  test('is refused to a session that does not fit, and given when another one leaves', () =>
    withSupervised(
      async ({ supervisor, store, connected }) => {
        await Promise.all(ids.map((id) => connected(id)));
        store.addSession('d');
        const { machine, admission } = supervisor.stats();
        assert.equal(admission.capsBytes, 3 * 192 * megabyte);
        assert.ok(admission.freeBytes < 192 * megabyte, `${admission.freeBytes} of ${machine.limitBytes}`);
        await assert.rejects(supervisor.connect(session('d')), { code: 'capacity_exhausted', message: /OVERCOMMIT/ });
        assert.equal(store.row('d').desired, 'stopped');
        await supervisor.disconnect(session('c'));
        await supervisor.connect(session('d'));
        await connected('d');
      },
      { ...packed, settings: { admission: { maxSessions: 0, overcommit: tight(), reserveMb: 256 } } },
    ));

  test('is refused beyond MAX_SESSIONS', () =>
    withSupervised(
      async ({ supervisor }) => {
        const wishes = { sandbox: false, memoryCapMb: null, starts: false };
        supervisor.assertCapacity({ ...wishes, existing: 2 });
        assert.throws(() => supervisor.assertCapacity({ ...wishes, existing: 3 }), {
          code: 'capacity_exhausted',
          message: /MAX_SESSIONS/,
        });
      },
      { settings: { admission: { maxSessions: 3, overcommit: 4, reserveMb: 256 } } },
    ));
});

/** The factor at which three children of 192 MB fit beside the reserve, and a fourth does not. */
function tight(): number {
  return ((3 * 192 + 256 + 50) * 1_048_576) / limitBytes();
}

function limitBytes(): number {
  const limit = process.constrainedMemory();
  return limit > 0 && limit < totalmem() ? limit : totalmem();
}
