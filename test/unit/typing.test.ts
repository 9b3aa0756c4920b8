import assert from 'node:assert/strict';
import { describe, mock, test } from 'node:test';
import { Typing } from '../../src/child/typing.ts';

/** A socket that remembers what it was asked to say. */
function recorder(fails = false) {
  const said: string[] = [];
  const sendPresenceUpdate = (state: string, chat?: string): Promise<void> => {
    said.push(`${state} ${chat ?? ''}`);
    return fails ? Promise.reject(new Error('the link is gone')) : Promise.resolve();
  };
  return { said, sock: { sendPresenceUpdate } };
}

function withTimers(work: (pass: (ms: number) => void, typing: Typing) => Promise<void>): () => Promise<void> {
  return async () => {
    mock.timers.enable({ apis: ['setTimeout'] });
    let now = 0;
    const pass = (ms: number): void => {
      now += ms;
      mock.timers.tick(ms);
    };
    try {
      await work(pass, new Typing({ now: () => now, monotonic: () => now }));
    } finally {
      mock.timers.reset();
    }
  };
}

describe('typing for a while', () => {
  test(
    'it is renewed every ten seconds and ends with a pause',
    withTimers(async (pass, typing) => {
      const { said, sock } = recorder();
      await typing.show(sock, 'a', 25_000);
      pass(10_000);
      pass(10_000);
      assert.deepEqual(said, ['composing a', 'composing a', 'composing a']);
      pass(5_000);
      assert.deepEqual(said.slice(3), ['paused a']);
      pass(60_000);
      assert.equal(said.length, 4);
    }),
  );

  test(
    'a newer one replaces it, in its own chat only',
    withTimers(async (pass, typing) => {
      const { said, sock } = recorder();
      await typing.show(sock, 'a', 5_000);
      await typing.show(sock, 'b', 5_000);
      await typing.show(sock, 'a', 8_000);
      pass(5_000);
      assert.deepEqual(said.slice(3), ['paused b']);
      pass(3_000);
      assert.deepEqual(said.slice(4), ['paused a']);
    }),
  );

  test(
    'it ends without a word when the link does, or when somebody says otherwise',
    withTimers(async (pass, typing) => {
      const { said, sock } = recorder();
      await typing.show(sock, 'a', 5_000);
      await typing.show(sock, 'b', 5_000);
      typing.forget('a');
      typing.close();
      pass(60_000);
      assert.deepEqual(said, ['composing a', 'composing b']);
    }),
  );

  test(
    'a link that breaks at the beginning is told, and nothing follows',
    withTimers(async (pass, typing) => {
      const { said, sock } = recorder(true);
      await assert.rejects(typing.show(sock, 'a', 5_000), /the link is gone/);
      pass(60_000);
      assert.deepEqual(said, ['composing a']);
    }),
  );
});
