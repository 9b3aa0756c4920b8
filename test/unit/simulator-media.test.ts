import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { describe, test } from 'node:test';
import { decryptVote, encryptVote } from '../../src/simulator/content/poll-votes.ts';
import { readVcard, writeVcard } from '../../src/simulator/content/vcard.ts';
import { parseRange } from '../../src/simulator/media/byte-range.ts';
import { newAuthority, newServerCertificate } from '../../src/simulator/media/x509.ts';

describe('ranges of a download', () => {
  const cases: readonly (readonly [string | undefined, ReturnType<typeof parseRange>])[] = [
    [undefined, 'whole'],
    ['bytes=0-', { start: 0, end: 99 }],
    ['bytes=16-31', { start: 16, end: 31 }],
    ['bytes=90-500', { start: 90, end: 99 }],
    ['bytes=-10', { start: 90, end: 99 }],
    ['bytes=-500', { start: 0, end: 99 }],
    ['bytes=100-', 'unsatisfiable'],
    ['bytes=-0', 'unsatisfiable'],
    ['bytes=5-4', 'unsatisfiable'],
    ['bytes=-', 'whole'],
    ['bytes=0-1,5-6', 'whole'],
    ['lines=1-2', 'whole'],
  ];
  for (const [header, expected] of cases) {
    test(`"${header ?? 'no header'}" of 100 bytes`, () => assert.deepEqual(parseRange(header, 100), expected));
  }
});

test('a contact card is read as it was written', () => {
  const card = { display_name: 'Ben; baker, \\ Co', phones: ['15550100001', '15550100002'] };
  assert.deepEqual(readVcard(writeVcard(card), null), card);
  assert.deepEqual(readVcard('BEGIN:VCARD\r\nFN:Eve\r\nitem1.TEL:+1 (555) 010-0003\r\nEND:VCARD', null), {
    display_name: 'Eve',
    phones: ['15550100003'],
  });
});

test('a vote can be read with its own scope only', () => {
  const scope = { pollId: 'P1', creator: '1@lid', voter: '2@lid', secret: Buffer.alloc(32, 7) };
  const vote = encryptVote(Buffer.from('ballot'), scope);
  assert.equal(decryptVote(vote, scope)?.toString(), 'ballot');
  for (const change of [{ pollId: 'P2' }, { creator: '3@lid' }, { voter: '3@lid' }, { secret: Buffer.alloc(32) }]) {
    assert.equal(decryptVote(vote, { ...scope, ...change }), null);
  }
  assert.equal(decryptVote({ encPayload: Buffer.alloc(3), encIv: Buffer.alloc(0) }, scope), null);
});

test('the authority signs servers on loopback, each for its time', () => {
  const from = Date.UTC(2049, 0, 1);
  const validity = { from, until: Date.UTC(2051, 0, 1) };
  const authority = newAuthority(validity);
  const server = newServerCertificate(authority, { addresses: ['localhost', '127.0.0.1', '::1'], validity });
  const [issuer, leaf] = [new X509Certificate(authority.certificatePem), new X509Certificate(server.certificatePem)];
  assert.ok(leaf.checkIssued(issuer) && leaf.verify(issuer.publicKey) && issuer.ca && !leaf.ca);
  assert.equal(leaf.checkHost('localhost'), 'localhost');
  assert.equal(leaf.checkIP('127.0.0.1'), '127.0.0.1');
  assert.equal(leaf.checkHost('example.com'), undefined);
  assert.deepEqual([leaf.validFromDate.getTime(), leaf.validToDate.getTime()], [validity.from, validity.until]);
});
