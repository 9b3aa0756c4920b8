import assert from 'node:assert/strict';
import { setImmediate } from 'node:timers/promises';
import { describe, test } from 'node:test';
import { AskTurns } from '../../src/api/dashboard/ask-turns.ts';
import { FaceCache } from '../../src/api/dashboard/face-cache.ts';
import { initialsOf } from '../../src/api/dashboard/format.ts';
import { mayShow } from '../../src/media/profile-picture.ts';

const real = { url: null, rootKeyHex: null, caPem: null };
const sandbox = { url: 'ws://127.0.0.1:40001/ws/chat', rootKeyHex: null, caPem: null };
const picture = (bytes: number) => ({ bytes: Buffer.alloc(bytes), mimetype: 'image/jpeg' });

describe('profile pictures that were asked for', () => {
  test('are known for a while, and so is that there is none', () => {
    const cache = new FaceCache({ entries: 10, bytes: 100 });
    cache.keep('ann', { picture: null, until: 1000 });
    assert.deepEqual(cache.find('ann', 999), { picture: null, until: 1000 });
    assert.equal(cache.find('ann', 1000), null);
    assert.equal(cache.find('bob', 0), null);
  });

  test('take no more room than they may: those that nobody looks at go first', () => {
    const cache = new FaceCache({ entries: 3, bytes: 100 });
    for (const name of ['ann', 'bob', 'carla']) cache.keep(name, { picture: picture(30), until: 1000 });
    cache.find('ann', 0);
    cache.keep('dora', { picture: picture(30), until: 1000 });
    assert.equal(cache.find('bob', 0), null);
    assert.notEqual(cache.find('ann', 0), null);
    cache.keep('dora', { picture: picture(90), until: 1000 });
    assert.equal(cache.bytes, 90);
    cache.keep('dora', { picture: picture(101), until: 1000 });
    assert.equal(cache.bytes, 0);
  });

  test('lie with WhatsApp, or with the server that the session is linked to, and nowhere else', () => {
    const may = (url: string, target: typeof real | typeof sandbox) => mayShow(new URL(url), target);
    assert.equal(may('https://pps.whatsapp.net/v/a.jpg', real), true);
    for (const url of [
      'http://pps.whatsapp.net/a',
      'https://pps.whatsapp.net:8443/a',
      'https://whatsapp.net.example.com/a',
      'https://name:word@pps.whatsapp.net/a',
      'http://127.0.0.1:40002/a',
      'file:///etc/passwd',
    ]) {
      assert.equal(may(url, real), false, url);
    }
    assert.equal(may('http://127.0.0.1:40002/pictures/a', sandbox), true);
    assert.equal(may('http://169.254.169.254/a', sandbox), false);
    assert.equal(may('ftp://127.0.0.1/a', sandbox), false);
  });
});

describe('asking WhatsApp for a page', () => {
  test('is done a few at a time, and not at all once it is too much', async () => {
    const turns = new AskTurns({ atOnce: 2, burst: 4, perMinute: 60, waiting: 10 });
    let running = 0;
    let most = 0;
    const work = async (): Promise<number> => {
      running += 1;
      most = Math.max(most, running);
      await setImmediate();
      running -= 1;
      return 1;
    };
    const answers = await Promise.all([1, 2, 3, 4, 5].map(() => turns.run('support', 0, work)));
    assert.deepEqual(answers, [1, 1, 1, 1, null]);
    assert.equal(most, 2);
    assert.equal(await turns.run('support', 500, work), null);
    assert.equal(await turns.run('support', 1000, work), 1);
    assert.equal(await turns.run('sales', 0, work), 1);
  });

  test('goes on after a question that failed', async () => {
    const turns = new AskTurns({ atOnce: 1, burst: 3, perMinute: 1, waiting: 10 });
    const failed = turns.run('support', 0, () => Promise.reject(new Error('refused')));
    const next = turns.run('support', 0, () => Promise.resolve('there'));
    await assert.rejects(failed, /refused/);
    assert.equal(await next, 'there');
  });
});

describe('initials', () => {
  test('are of the first two words that begin with a letter', () => {
    assert.equal(initialsOf('ann carter'), 'AC');
    assert.equal(initialsOf('Éva'), 'É');
    assert.equal(initialsOf('李 小龍'), '李小');
    assert.equal(initialsOf('Bob (work) Miller Smith'), 'BM');
    assert.equal(initialsOf('+15551234567'), '');
    assert.equal(initialsOf('<b>'), '');
  });
});
