import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { at } from '../support/api-client.ts';
import { errorOf, ownPhone, PairedGateway } from '../support/paired-gateway.ts';

const person = '15551230001';

describe('the devices of users', () => {
  let support: PairedGateway;

  before(async () => {
    support = await PairedGateway.start({ QUERY_TIMEOUT_MS: '1500' });
    await support.contact(person, { about: 'At the sea' });
  });

  after(() => support.dispose());

  test('a contact has its phone, and the account this session beside it', async () => {
    const device = await support.ask('/device');
    const answer = await support.ask('/contacts/users', {
      jids: [`${person}@s.whatsapp.net`, `${ownPhone}@s.whatsapp.net`, '15559999999'],
    });
    assert.deepEqual(at(answer, 'users', 0, 'devices'), [0]);
    assert.equal(at(answer, 'users', 0, 'status'), 'At the sea');
    assert.match(String(at(answer, 'users', 0, 'lid')), /^\d+@lid$/);
    assert.deepEqual(at(answer, 'users', 1, 'devices'), [0, at(device, 'device_id')]);
    assert.deepEqual(at(answer, 'users', 2, 'devices'), []);
    assert.equal(at(answer, 'users', 2, 'jid'), '15559999999@s.whatsapp.net');
  });

  test('numbers are taken as well, but not both', async () => {
    const answer = await support.ask('/contacts/users', { phones: ['+1 555-123-0001'] });
    assert.equal(at(answer, 'users', 0, 'jid'), `${person}@s.whatsapp.net`);
    const both = await support.post('/contacts/users', { phones: [person], jids: [person] });
    assert.equal(both.status, 400);
    assert.equal(at(both.json, 'error', 'details', 0, 'field'), 'jids');
  });

  test('when WhatsApp does not answer it is a time-out', async () => {
    await support.fault({ fault: 'mute_queries' });
    const answer = await support.post('/contacts/users', { phones: [person] });
    assert.equal(answer.status, 504, answer.text);
    assert.equal(errorOf(answer), 'whatsapp_timeout');
    await support.clearFaults();
  });
});
