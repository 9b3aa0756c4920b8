import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { idleCollection } from '../../src/child/idle-collection.ts';

const megabyte = 1024 * 1024;

/** A child whose looks are ours to take. */
function child() {
  const state = { activity: 0, heapMb: 8, collections: 0 };
  const look = idleCollection({
    activity: () => state.activity,
    heapUsedBytes: () => state.heapMb * megabyte,
    collect: () => {
      state.collections += 1;
      state.heapMb = 8;
    },
  });
  const looks = (count: number): void => {
    for (let done = 0; done < count; done += 1) look();
  };
  return { state, look, looks };
}

describe('a child gives memory back', () => {
  test('once it has been quiet for a few looks after a burst of work, and once only', () => {
    const { state, looks } = child();
    state.activity = 100;
    looks(3);
    assert.equal(state.collections, 0);
    looks(1);
    assert.equal(state.collections, 1);
    looks(100);
    assert.equal(state.collections, 1);
  });

  test('not while it works', () => {
    const { state, looks } = child();
    for (let round = 0; round < 50; round += 1) {
      state.activity += 30;
      looks(2);
    }
    assert.equal(state.collections, 0);
  });

  test('not after keep-alives, however many come', () => {
    const { state, looks } = child();
    looks(5);
    const { collections } = state;
    for (let round = 0; round < 100; round += 1) {
      state.activity += 2;
      looks(10);
    }
    assert.equal(state.collections, collections);
  });

  test('when little work has left much behind', () => {
    const { state, looks } = child();
    looks(5);
    const { collections } = state;
    state.activity += 1;
    state.heapMb = 12;
    looks(4);
    assert.equal(state.collections, collections + 1);
  });
});
