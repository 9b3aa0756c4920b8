import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { urlObjection } from '../../src/media/guarded-fetch.ts';
import { createAddressPolicy } from '../../src/media/private-address.ts';

const strict = createAddressPolicy([]);

describe('the address policy', () => {
  const refused = [
    '0.0.0.0',
    '0.1.2.3',
    '10.1.2.3',
    '100.64.0.1',
    '127.0.0.1',
    '127.255.255.254',
    '169.254.169.254',
    '172.16.0.1',
    '172.31.255.255',
    '192.0.0.1',
    '192.0.2.1',
    '192.88.99.1',
    '192.168.0.1',
    '198.18.0.1',
    '198.51.100.1',
    '203.0.113.1',
    '224.0.0.1',
    '240.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::ffff:127.0.0.1',
    '::ffff:8.8.8.8',
    '::ffff:7f00:1',
    '::ffff:0:127.0.0.1',
    '::ffff:0:7f00:1',
    '::127.0.0.1',
    '::1%lo',
    '64:ff9b::7f00:1',
    '64:ff9b:1::1',
    'fc00::1',
    'fd12:3456::1',
    'fe80::1',
    'fe80::1%eth0',
    'ff02::1',
    '2002:7f00:1::',
    '2001::1',
    '2001:10::1',
    '2001:db8::1',
    '3fff::1',
    '5f00::1',
    '100::1',
    'fec0::1',
    'fd00:ec2::254',
    '',
    'example.com',
    '127.1',
    '0x7f.1',
  ];
  for (const address of refused) {
    test(`refuses ${JSON.stringify(address)}`, () => assert.equal(strict.mayReach(address), false));
  }

  const allowed = [
    '8.8.8.8',
    '1.1.1.1',
    '100.63.255.255',
    '100.128.0.1',
    '172.15.0.1',
    '172.32.0.1',
    '192.0.1.1',
    '223.255.255.255',
    '2606:4700::1111',
    '2a00::1',
  ];
  for (const address of allowed) {
    test(`allows ${address}`, () => assert.equal(strict.mayReach(address), true));
  }

  test('makes exceptions for networks and single addresses that are named', () => {
    const policy = createAddressPolicy(['10.1.0.0/16', 'fd00::/8', '127.0.0.1']);
    for (const address of ['10.1.2.3', 'fd00::1', '127.0.0.1', '8.8.8.8']) assert.ok(policy.mayReach(address), address);
    for (const address of ['10.2.0.1', '127.0.0.2', '::1', 'fc00::1']) assert.ok(!policy.mayReach(address), address);
  });

  for (const cidr of [
    '10.0.0.0/33',
    '10.0.0/8',
    'fd00::/129',
    'everything',
    '10.0.0.0/8/9',
    '10.0.0.0/',
    '10.0.0.0/x',
    '',
  ]) {
    test(`does not take ${JSON.stringify(cidr)} for a network`, () => {
      assert.throws(() => createAddressPolicy([cidr]), /is not a network/);
    });
  }
});

describe('a URL of a user', () => {
  const refused = [
    'http://127.0.0.1/',
    'http://2130706433/',
    'http://0x7f.1/',
    'http://0177.0.0.1/',
    'http://127.1/',
    'http://①②⑦.0.0.1/',
    'http://[::1]/',
    'http://[::ffff:127.0.0.1]/',
    'http://[::]/',
    'http://[::ffff:0:7f00:1]/',
    'http://[::127.0.0.1]/',
    'http://[64:ff9b::10.0.0.1]/',
    'http://[2002:7f00:1::]/',
    'http://[fe80::1%25eth0]/',
    'http://0/',
    'http://127.0.0.1./',
    'http://127。0。0。1/',
    'http://0x7f000001/',
    'http://017700000001/',
    'http://0300.0250.1.1/',
    'http://[0:0:0:0:0:0:0:1]/',
    'http:\\\\127.0.0.1\\',
    'http:127.0.0.1',
    'http:///127.0.0.1/',
    '\thttp://127.0.0.1\n',
    'http://127.0.0.1#@example.com/',
    'http://127.0.0.1?@example.com/',
    'http://example.com@127.0.0.1/',
    'http://loc%61lhost/',
    'http://LOCALHOST/',
    'http://ｌocalhost/',
    'http://localhost/',
    'http://localhost./',
    'http://api.localhost/',
    'http://169.254.169.254/latest/meta-data',
    'ftp://example.com/',
    'file:///etc/passwd',
    'http://user:pw@example.com/',
    'http://user@example.com/',
    'http://:pw@example.com/',
    'http://example.com:0/',
    'http://example.com:65536/',
    'http://example.com:5432/',
    'http://example.com:11211/',
    'https://example.com:3389/',
    'gopher://example.com/',
    'data:text/plain,hello',
    'javascript:alert(1)',
    'blob:http://example.com/x',
    'ws://example.com/',
    'http://',
    'http://example.com:22/',
    'http://example.com:25/',
    'http://example.com:6379/',
    'nothing',
  ];
  for (const url of refused) {
    test(`may not be ${JSON.stringify(url)}`, () => assert.notEqual(urlObjection(url, strict), null));
  }

  for (const url of [
    'http://example.com/',
    'https://example.com:8443/x?y',
    'http://8.8.8.8/',
    'https://[2606:4700::1111]/',
  ]) {
    test(`may be ${url}`, () => assert.equal(urlObjection(url, strict), null));
  }
});
