import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createAttemptLimit } from '../../src/api/auth/attempt-limit.ts';
import { isLocalVisit, type Visit } from '../../src/api/auth/local-visit.ts';
import { createLoginLinks } from '../../src/api/auth/login-links.ts';
import { isSameOrigin } from '../../src/api/auth/same-origin.ts';

describe('a browser on this machine', () => {
  const visit: Visit = {
    listenHost: '127.0.0.1',
    remoteAddress: '127.0.0.1',
    httpVersion: '1.1',
    headers: { host: 'localhost:3451', 'sec-fetch-site': 'none', connection: 'keep-alive' },
  };
  const withHeaders = (headers: Visit['headers']): Visit => ({ ...visit, headers: { ...visit.headers, ...headers } });

  test('may come in without a login', () => {
    assert.ok(isLocalVisit(visit));
    assert.ok(isLocalVisit({ ...visit, listenHost: '::1', remoteAddress: '::1' }));
    assert.ok(isLocalVisit(withHeaders({ host: '[::1]:3451', 'sec-fetch-site': 'same-origin' })));
    assert.ok(isLocalVisit(withHeaders({ 'sec-fetch-site': undefined })));
  });

  const strangers: readonly (readonly [string, Visit])[] = [
    ['the gateway listens to the network', { ...visit, listenHost: '0.0.0.0' }],
    ['the peer is another machine', { ...visit, remoteAddress: '192.168.1.7' }],
    ['the peer is gone', { ...visit, remoteAddress: undefined }],
    ['a name of somebody else leads here', withHeaders({ host: 'rebound.example:3451' })],
    ['the name only begins like ours', withHeaders({ host: 'localhost.example' })],
    ['a proxy stands between', withHeaders({ 'x-forwarded-for': '127.0.0.1' })],
    ['a proxy stands between and says so by the standard', withHeaders({ forwarded: 'for=127.0.0.1' })],
    ['a proxy that is silent about itself asks by HTTP/1.0', { ...visit, httpVersion: '1.0' }],
    ['a proxy that is silent about itself asks once', withHeaders({ connection: 'close' })],
    ['a proxy that is silent about itself keeps no connection', withHeaders({ connection: undefined })],
    ['another site sent it', withHeaders({ 'sec-fetch-site': 'cross-site' })],
    ['a page of another port sent it', withHeaders({ 'sec-fetch-site': 'same-site' })],
    ['it names no host', withHeaders({ host: undefined })],
  ];
  for (const [why, stranger] of strangers) {
    test(`is none when ${why}`, () => assert.equal(isLocalVisit(stranger), false));
  }
});

describe('a change that a cookie vouches for', () => {
  const ownOrigins = ['https://warden.example', 'http://127.0.0.1:3451'];

  test('is ours when the browser says so', () => {
    assert.ok(isSameOrigin({ fetchSite: 'same-origin', origin: '', ownOrigins }));
    assert.ok(isSameOrigin({ fetchSite: '', origin: 'https://Warden.example', ownOrigins }));
  });

  test('is refused from another site, another port, and from what tells nothing', () => {
    for (const fetchSite of ['cross-site', 'same-site', 'none']) {
      assert.equal(isSameOrigin({ fetchSite, origin: 'https://warden.example', ownOrigins }), false);
    }
    for (const origin of ['', 'null', 'https://evil.example', 'http://127.0.0.1:3452']) {
      assert.equal(isSameOrigin({ fetchSite: '', origin, ownOrigins }), false);
    }
  });
});

describe('a login link', () => {
  test('works once, and not after a quarter of an hour', () => {
    let now = 0;
    const links = createLoginLinks({ now: () => now, monotonic: () => now });
    const link = links.issue('5d0c1f7a9be24683');
    assert.equal(links.consume(link), '5d0c1f7a9be24683');
    assert.equal(links.consume(link), null);
    const late = links.issue('superadmin');
    now += 15 * 60_000;
    assert.equal(links.consume(late), null);
    assert.equal(links.consume('made-up'), null);
  });
});

describe('guessing tokens', () => {
  const guess = (address: string, token = 'a guess') => ({ address, token });

  test('has to wait after ten failures in a minute, and only for its own address', () => {
    const limit = createAttemptLimit(10);
    for (let attempt = 0; attempt < 10; attempt += 1) {
      assert.equal(limit.waitMs(guess('10.0.0.1'), attempt * 1000), null);
      limit.failed('10.0.0.1', attempt * 1000);
    }
    assert.equal(limit.waitMs(guess('10.0.0.1'), 10_000), 50_000);
    assert.equal(limit.waitMs(guess('10.0.0.2'), 10_000), null);
    assert.equal(limit.waitMs(guess('10.0.0.1'), 60_001), null);
  });

  test('locks nobody out who came from there with a token that works, and helps no guess', () => {
    const limit = createAttemptLimit(10);
    limit.succeeded(guess('10.0.0.1', 'the right one'), 0);
    for (let attempt = 0; attempt < 10; attempt += 1) limit.failed('10.0.0.1', 0);
    assert.equal(limit.waitMs(guess('10.0.0.1', 'the right one'), 1), null);
    assert.equal(limit.waitMs(guess('10.0.0.1', 'another'), 1), 59_999);
    for (let attempt = 0; attempt < 10; attempt += 1) limit.failed('10.0.0.2', 0);
    assert.equal(limit.waitMs(guess('10.0.0.2', 'the right one'), 1), 59_999);
  });

  test('is slowed down for a whole network of IPv6, in which every request can have an address of its own', () => {
    const limit = createAttemptLimit(10);
    for (let attempt = 0; attempt < 10; attempt += 1) limit.failed(`2001:db8:1:2::${attempt}`, 0);
    assert.equal(limit.waitMs(guess('2001:db8:1:2:ffff::1'), 1), 59_999);
    assert.equal(limit.waitMs(guess('2001:db8:1:3::1'), 1), null);
  });

  test('is not slowed down where the operator sets no limit', () => {
    const limit = createAttemptLimit(0);
    for (let attempt = 0; attempt < 100; attempt += 1) limit.failed('10.0.0.1', 0);
    assert.equal(limit.waitMs(guess('10.0.0.1'), 1), null);
  });
});
