import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { at } from '../support/api-client.ts';
import { errorOf, PairedGateway } from '../support/paired-gateway.ts';

describe('checking numbers', () => {
  let support: PairedGateway;

  before(async () => {
    support = await PairedGateway.start({ QUERY_TIMEOUT_MS: '1500' });
    await support.contact('15551230001', { name: 'Ann' });
    await support.contact('15551230002', { name: 'Bob' });
    await support.contact('15551230003', { registered: false });
  });

  after(() => support.dispose());

  test('registered and unregistered numbers are told apart, in the order asked', async () => {
    const answer = await support.ask('/contacts/check', {
      phones: ['+1 555 123 0002', '15551230003', '15559999999', '+1 (555) 123-0001'],
    });
    const results = at(answer, 'results');
    assert.ok(Array.isArray(results));
    assert.deepEqual(
      results.map((each: unknown) => [
        at(each, 'phone'),
        at(each, 'jid'),
        at(each, 'is_registered'),
        at(each, 'exists'),
      ]),
      [
        ['15551230002', '15551230002@s.whatsapp.net', true, true],
        ['15551230003', null, false, false],
        ['15559999999', null, false, false],
        ['15551230001', '15551230001@s.whatsapp.net', true, true],
      ],
    );
    assert.match(String(at(results[0], 'lid')), /^\d+@lid$/);
    assert.equal(at(results[1], 'lid'), null);
  });

  test('more numbers than WhatsApp takes at once are asked in parts and answered in order', async () => {
    const phones = Array.from({ length: 100 }, (_, index) => String(15_557_770_000 + index));
    phones[70] = '15551230001';
    const answer = await support.ask('/contacts/check', { phones });
    const results = at(answer, 'results');
    assert.ok(Array.isArray(results));
    assert.deepEqual(
      results.map((each: unknown) => at(each, 'phone')),
      phones,
    );
    assert.deepEqual(
      results.flatMap((each: unknown, index: number) => (at(each, 'exists') === true ? [index] : [])),
      [70],
    );
  });

  test('what is no number is refused with its place', async () => {
    const answer = await support.post('/contacts/check', { phones: ['+15551230001', 'call me'] });
    assert.equal(answer.status, 400);
    assert.equal(errorOf(answer), 'invalid_request');
    assert.match(String(at(answer.json, 'error', 'details', 0, 'field')), /^phones\W*1/);
    const group = await support.post('/contacts/check', { phones: ['120363000000000001@g.us'] });
    assert.equal(group.status, 400);
    const none = await support.post('/contacts/check', { phones: [] });
    assert.equal(none.status, 400);
  });

  test('when WhatsApp does not answer it is a time-out, not an empty list', async () => {
    await support.fault({ fault: 'mute_queries' });
    const answer = await support.post('/contacts/check', { phones: ['15551230001'] });
    assert.equal(answer.status, 504, answer.text);
    assert.equal(errorOf(answer), 'whatsapp_timeout');
    await support.clearFaults();
    await support.ask('/contacts/check', { phones: ['15551230001'] });
  });

  test('a session that is not connected says so', async () => {
    await support.gateway.must(201, '/sessions', { id: 'idle', sandbox: true, auto_connect: false });
    const answer = await support.gateway.post('/sessions/idle/contacts/check', { phones: ['15551230001'] });
    assert.equal(answer.status, 503);
    assert.equal(errorOf(answer), 'session_not_connected');
  });
});
