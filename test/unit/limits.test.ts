import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { holderOfAddress } from '../../src/api/auth/allowed-address.ts';
import { createClientReader, parseTrustedProxies, type TrustedProxies } from '../../src/api/auth/trusted-proxies.ts';
import { Buckets } from '../../src/api/limits/buckets.ts';
import { policyItem, stateItem } from '../../src/api/limits/rate-limit-fields.ts';
import { Slots } from '../../src/api/limits/slots.ts';
import { takeFrom, type Bucket } from '../../src/api/limits/token-bucket.ts';
import { withoutSecrets } from '../../src/api/rest/outcome.ts';
import { readConfig } from '../../src/config.ts';
import { limitSettings } from '../../src/limit-settings.ts';

describe('a limit of requests', () => {
  const policy = { perSecond: 2, burst: 4 };

  test('lets a burst through, and from then on so many a second', () => {
    let bucket: Bucket | null = null;
    const granted: number[] = [];
    for (let now = 0; now < 10_000; now += 100) {
      const taking = takeFrom(bucket, policy, now);
      bucket = taking.bucket;
      if (taking.isGranted) granted.push(now);
    }
    assert.deepEqual(granted.slice(0, 6), [0, 100, 200, 300, 500, 1000]);
    assert.equal(granted.length, 4 + 19);
  });

  test('says how many are left and when there is one more', () => {
    const first = takeFrom(null, policy, 0);
    assert.deepEqual([first.isGranted, first.left, first.nextMs], [true, 3, 500]);
    const empty = takeFrom({ level: 0.5, at: 0 }, policy, 0);
    assert.deepEqual([empty.isGranted, empty.left, empty.nextMs], [false, 0, 250]);
  });

  test('gives nothing for time that runs backwards, and never holds more than its burst', () => {
    assert.equal(takeFrom({ level: 0, at: 1000 }, policy, 0).isGranted, false);
    assert.equal(takeFrom({ level: 0, at: 0 }, policy, 1e9).left, 3);
  });

  test('is told in the fields of the draft', () => {
    assert.equal(policyItem('token', { perSecond: 60, burst: 120 }), '"token";q=120;w=2');
    assert.equal(policyItem('token', { perSecond: 60, burst: 100 }), '"token";q=100;w=2');
    assert.equal(stateItem('token', { left: 119, nextMs: 16.7 }), '"token";r=119;t=1');
    assert.equal(stateItem('token', { left: 0, nextMs: 1500 }), '"token";r=0;t=2');
  });

  test('remembers a bounded number of those it holds for', () => {
    const buckets = new Buckets({ perSecond: 0.001, burst: 1 });
    for (let index = 0; index < 30_000; index += 1) buckets.take(`address ${index}`, 0);
    assert.equal(buckets.size, 10_000);
    assert.equal(buckets.take('address 29999', 1).isGranted, false);
  });

  test('is that of the documentation unless the operator sets another, and none at 0', () => {
    const settings = limitSettings(readConfig({}, { dotEnvPath: null }));
    assert.deepEqual(settings, {
      token: { perSecond: 60, burst: 120 },
      session: { perSecond: 60, burst: 120 },
      browser: { perSecond: 100, burst: 500 },
      failedLogins: 10,
      uploads: { most: 32, mostPerToken: 16 },
    });
    const off = readConfig({ RATE_LIMIT_PER_SECOND: '0', UPLOAD_MAX_PER_TOKEN: '0' }, { dotEnvPath: null });
    assert.equal(limitSettings(off).token, null);
    assert.equal(limitSettings(off).uploads.mostPerToken, null);
  });
});

describe('what may be under way at the same time', () => {
  test('is counted in all, and by each holder, and given back once', () => {
    const slots = new Slots({ most: 3, mostOf: [2, null] });
    const [first, second] = [slots.take(['one', 'here']), slots.take(['one', 'here'])];
    assert.equal(slots.take(['one', 'there']), 0);
    const third = slots.take(['two', 'here']);
    assert.equal(slots.take(['two', 'here']), 'all');
    for (const release of [first, first, second, third]) {
      assert.ok(typeof release === 'function');
      release();
    }
    assert.equal(slots.taken, 0);
    assert.equal(typeof slots.take(['one', 'here']), 'function');
  });

  test('of one holder is not that of another of the same name', () => {
    const slots = new Slots({ most: 9, mostOf: [1, 1] });
    assert.equal(typeof slots.take(['a', 'b']), 'function');
    assert.equal(typeof slots.take(['b', 'a']), 'function');
    assert.equal(slots.take(['c', 'b']), 1);
  });
});

describe('whom limits by address hold for', () => {
  test('is an address of IPv4, and the first half of one of IPv6', () => {
    assert.equal(holderOfAddress('192.0.2.1'), '192.0.2.1');
    assert.equal(holderOfAddress('2001:db8:1:2:3:4:5:6'), '2001:db8:1:2::/64');
    assert.equal(holderOfAddress('2001:DB8::1'), '2001:db8:0:0::/64');
    assert.equal(holderOfAddress('1::2:3:4:5:6'), '1:0:0:2::/64');
    assert.equal(holderOfAddress('::1'), '0:0:0:0::/64');
    assert.equal(holderOfAddress('fe80::1%eth0'), 'fe80:0:0:0::/64');
    assert.equal(holderOfAddress('64:ff9b::192.0.2.1'), '64:ff9b:0:0::/64');
    assert.equal(holderOfAddress(''), '');
  });
});

describe('TRUST_PROXY', () => {
  test('is a number of proxies, or a list of addresses and networks', () => {
    assert.deepEqual(parseTrustedProxies('0'), { tag: 'none' });
    assert.deepEqual(parseTrustedProxies('2'), { tag: 'hops', count: 2 });
    assert.deepEqual(parseTrustedProxies('127.0.0.1, fd00::/8'), {
      tag: 'networks',
      networks: ['127.0.0.1', 'fd00::/8'],
    });
    for (const wrong of ['21', '-1', 'true', 'loopback', '10.0.0.0/33', '10.0.0.0/', '10.0.0.0/8/8', '127.0.0.1,']) {
      assert.equal(parseTrustedProxies(wrong), null, wrong);
    }
  });

  const none: TrustedProxies = { tag: 'none' };
  const one: TrustedProxies = { tag: 'hops', count: 1 };
  const two: TrustedProxies = { tag: 'hops', count: 2 };
  const ours: TrustedProxies = { tag: 'networks', networks: ['127.0.0.1', '10.0.0.0/8', 'fd00::/8'] };
  const arrivals: readonly (readonly [string, TrustedProxies, string, string, string])[] = [
    ['nobody is believed', none, '127.0.0.1', '203.0.113.9', '127.0.0.1'],
    ['one proxy names its client', one, '172.18.0.1', '203.0.113.9', '203.0.113.9'],
    ['the client has made something up', one, '172.18.0.1', '10.0.0.1, 203.0.113.9', '203.0.113.9'],
    ['two proxies', two, '172.18.0.1', '1.1.1.1, 203.0.113.9, 172.18.0.2', '203.0.113.9'],
    ['fewer proxies than said', two, '172.18.0.1', '203.0.113.9', '203.0.113.9'],
    ['the proxy says nothing', one, '172.18.0.1', '', '172.18.0.1'],
    ['a known proxy names its client', ours, '127.0.0.1', '203.0.113.9', '203.0.113.9'],
    ['the peer is no known proxy', ours, '198.51.100.7', '203.0.113.9', '198.51.100.7'],
    ['a chain of known proxies', ours, '::ffff:127.0.0.1', '1.1.1.1, 203.0.113.9, 10.1.2.3', '203.0.113.9'],
    ['known proxies all the way', ours, '127.0.0.1', '10.0.0.1, 10.0.0.2', '10.0.0.1'],
    ['a port behind the address', ours, 'fd00::1', '203.0.113.9:4711', '203.0.113.9'],
    ['brackets around the address', ours, 'fd00::1', '[2001:db8::1]:4711', '2001:db8::1'],
    ['junk', ours, '127.0.0.1', '203.0.113.9, unknown', '127.0.0.1'],
    ['markup', ours, '127.0.0.1', '<script>', '127.0.0.1'],
    ['the peer is gone', ours, '', '203.0.113.9', ''],
  ];
  for (const [how, proxies, peer, forwardedFor, address] of arrivals) {
    test(`finds who asks: ${how}`, () => {
      assert.equal(createClientReader(proxies)({ peer, forwardedFor, forwardedProto: '' }).address, address);
    });
  }

  test('believes a proxy, and nobody else, that the request came by TLS', () => {
    const byTls = (proxies: TrustedProxies, peer: string, forwardedProto = 'https') =>
      createClientReader(proxies)({ peer, forwardedFor: '', forwardedProto }).isSecure;
    assert.equal(byTls(ours, '127.0.0.1'), true);
    assert.equal(byTls(ours, '127.0.0.1', 'HTTPS, http'), true);
    assert.equal(byTls(ours, '127.0.0.1', 'http'), false);
    assert.equal(byTls(ours, '198.51.100.7'), false);
    assert.equal(byTls(none, '127.0.0.1'), false);
    assert.equal(byTls(one, '172.18.0.1'), true);
  });
});

describe('an answer that is kept for its Idempotency-Key', () => {
  test('holds no secret that is shown once', () => {
    const webhook = { id: 'wh', secret: 'whsec_x' };
    const kept = withoutSecrets({ status: 201, body: { id: 's', webhook } }, { shownOnce: ['webhook.secret'] });
    assert.deepEqual(kept, { status: 201, body: { id: 's', webhook: { id: 'wh', secret: null } } });
    assert.deepEqual(webhook.secret, 'whsec_x');
    assert.deepEqual(withoutSecrets({ status: 201, body: { id: 's' } }, { shownOnce: ['webhook.secret'] }).body, {
      id: 's',
    });
    assert.deepEqual(withoutSecrets({ status: 201, body: webhook }, {}).body, webhook);
  });
});
