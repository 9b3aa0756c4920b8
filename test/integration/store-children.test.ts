import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { parseSessionId } from '../../src/contract/ids.ts';
import type { ChildExit, Store } from '../../src/store/store.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

const exit: ChildExit = {
  at: 1_767_225_600_000,
  cause: 'memory',
  detail: 'It grew.',
  pid: 4242,
  code: 86,
  signal: null,
  uptimeMs: 60_000,
  memoryCapBytes: 201_326_592,
  memory: [{ at: 1_767_225_599_000, privateBytes: 190_000_000, heapBytes: 9_000_000, externalBytes: null }],
  growth: 'external',
  stderr: '',
  action: 'restarted',
  delayMs: 1000,
  culprits: { sessions: ['a'], grounds: 'It is the only one.' },
  movedToOwnChild: false,
};

describe('restart records', () => {
  let database: TestDatabase;
  let store: Store;

  before(async () => {
    database = await createTestDatabase();
    store = await database.openStore();
  });

  after(() => database.dispose());

  const id = (text: string) => {
    const parsed = parseSessionId(text);
    if (parsed === null) throw new Error('not a session id');
    return parsed;
  };
  const create = (text: string) =>
    store.sessions.create({
      id: id(text),
      name: null,
      sandbox: true,
      desired: 'stopped',
      memoryCapMb: null,
      webhook: null,
    });

  test('come back as they were kept, newest first, page by page', async () => {
    await create('a');
    const bare: ChildExit = {
      ...exit,
      pid: null,
      code: null,
      signal: 'SIGKILL',
      growth: null,
      delayMs: null,
      culprits: null,
    };
    await store.children.add(id('a'), exit);
    await store.children.add(id('a'), { ...bare, at: exit.at + 1000 });
    const first = await store.children.list(id('a'), { limit: 1, cursor: null });
    assert.deepEqual([first.total, first.rows], [2, [{ ...bare, at: exit.at + 1000, backAt: null }]]);
    const second = await store.children.list(id('a'), { limit: 1, cursor: first.nextCursor });
    assert.deepEqual([second.rows, second.nextCursor], [[{ ...exit, backAt: null }], null]);
    await assert.rejects(store.children.list(id('a'), { limit: 1, cursor: 'nonsense' }), { code: 'invalid_request' });
  });

  test('say once when the session was back', async () => {
    await create('b');
    await store.children.add(id('b'), exit);
    await store.children.cameBack(id('b'), exit.at + 2000);
    await store.children.cameBack(id('b'), exit.at + 9000);
    const { rows } = await store.children.list(id('b'), { limit: 10, cursor: null });
    assert.deepEqual(
      rows.map(({ backAt }) => backAt),
      [exit.at + 2000],
    );
  });

  test('are kept to the latest of each session', async () => {
    await create('c');
    for (let n = 0; n < 203; n++) await store.children.add(id('c'), { ...exit, pid: n });
    const { total, rows } = await store.children.list(id('c'), { limit: 1, cursor: null });
    assert.deepEqual([total, rows[0]?.pid], [200, 202]);
  });

  test('of a session that is gone are dropped', async () => {
    await store.children.add(id('nobody'), exit);
    assert.equal((await store.children.list(id('nobody'), { limit: 1, cursor: null })).total, 0);
  });

  test('isolation is kept with the session', async () => {
    await create('d');
    assert.equal((await store.sessions.get(id('d')))?.isolated, null);
    assert.equal((await store.sessions.update(id('d'), { isolated: true }))?.isolated, true);
    assert.equal((await store.sessions.update(id('d'), { name: 'x' }))?.isolated, true);
    assert.equal((await store.sessions.update(id('d'), { isolated: null }))?.isolated, null);
  });
});
