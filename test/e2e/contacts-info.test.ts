import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { at } from '../support/api-client.ts';
import { eventually } from '../support/eventually.ts';
import { errorOf, ownPhone, PairedGateway } from '../support/paired-gateway.ts';

const person = '15551230001';
const shop = '15551230002';
const shy = '15551230003';
const picture = Buffer.from('a small picture').toString('base64');

describe('what is known of contacts', () => {
  let support: PairedGateway;

  before(async () => {
    support = await PairedGateway.start({ QUERY_TIMEOUT_MS: '1500' });
    await support.contact(person, { name: 'Ann', about: 'At the sea', picture });
    await support.contact(shop, { name: 'Shop', is_business: true, business: { name: 'The Shop' } });
    await support.contact(shy, { name: 'Shy', about: 'Nobody reads this', about_hidden: true });
  });

  after(() => support.dispose());

  const info = async (phones: readonly string[]): Promise<readonly unknown[]> => {
    const contacts = at(await support.ask('/contacts/info', { phones }), 'contacts');
    assert.ok(Array.isArray(contacts));
    return contacts.map((each: unknown) => each);
  };

  test('about text, picture and business are told, hidden ones are not, and nobody is left out', async () => {
    const [first, second, third, nobody] = await info([person, shop, shy, '15559999999']);
    assert.equal(at(first, 'jid'), `${person}@s.whatsapp.net`);
    assert.equal(at(first, 'phone'), person);
    assert.match(String(at(first, 'lid')), /^\d+@lid$/);
    assert.equal(at(first, 'status'), 'At the sea');
    assert.match(String(at(first, 'picture_id')), /^\d+$/);
    assert.equal(at(first, 'is_business'), false);
    assert.equal(at(second, 'is_business'), true);
    assert.equal(at(second, 'name'), 'The Shop');
    assert.equal(at(third, 'status'), null);
    assert.equal(at(third, 'is_registered'), true);
    assert.equal(at(nobody, 'jid'), '15559999999@s.whatsapp.net');
    assert.equal(at(nobody, 'is_registered'), false);
  });

  test('one contact is asked for by its JID or its LID', async () => {
    const [known] = await info([person]);
    for (const jid of [`${person}@s.whatsapp.net`, String(at(known, 'lid'))]) {
      const answer = await support.ask('/contacts/info', { jid });
      assert.equal(at(answer, 'contacts', 0, 'jid'), `${person}@s.whatsapp.net`);
      assert.equal(at(answer, 'contacts', 0, 'status'), 'At the sea');
    }
  });

  test('the name is the one that the contact wrote under', async () => {
    const [before] = await info([person]);
    assert.equal(at(before, 'name'), null);
    await support.ask('/sandbox/messages', { from: person, text: 'Hello' });
    await support.event('message', (data) => at(data, 'body') === 'Hello');
    await eventually(async () => at((await info([person]))[0], 'name') === 'Ann');
  });

  test('a change of name is told once, with the first message under it', async () => {
    await support.ask('/sandbox/messages', { from: person, text: 'Still Ann' });
    await support.event('message', (data) => at(data, 'body') === 'Still Ann');
    await support.contact(person, { name: 'Ann Smith' });
    for (const text of ['One', 'Two']) await support.ask('/sandbox/messages', { from: person, text });
    await support.event('message', (data) => at(data, 'body') === 'Two');
    assert.deepEqual(await support.event('contact_update', (data) => at(data, 'name') !== null), {
      jid: `${person}@s.whatsapp.net`,
      name: 'Ann Smith',
      picture: null,
      about: null,
    });
    assert.equal(support.events('contact_update').filter((data) => at(data, 'name') !== null).length, 1);
  });

  test('changed and removed pictures and about texts are told', async () => {
    const change = (name: string, value: unknown) =>
      support.event(
        'contact_update',
        (data) => at(data, name) === value && at(data, 'jid') === `${person}@s.whatsapp.net`,
      );
    await support.ask('/messages/text', { to: person, text: 'Let us know each other' });
    await support.contact(person, { picture: Buffer.from('another picture').toString('base64') });
    await change('picture', 'changed');
    await support.contact(person, { picture: null });
    await change('picture', 'removed');
    await support.contact(person, { about: 'In the mountains' });
    await change('about', 'In the mountains');
  });

  test('phones and jid exclude each other', async () => {
    for (const body of [{}, { phones: [person], jid: person }]) {
      const answer = await support.post('/contacts/info', body);
      assert.equal(answer.status, 400);
      assert.equal(at(answer.json, 'error', 'details', 0, 'field'), 'phones');
    }
  });

  test('when WhatsApp does not answer it is a time-out', async () => {
    await support.fault({ fault: 'mute_queries' });
    const answer = await support.post('/contacts/info', { phones: [person] });
    assert.equal(answer.status, 504, answer.text);
    assert.equal(errorOf(answer), 'whatsapp_timeout');
    await support.clearFaults();
    assert.equal((await info([ownPhone])).length, 1);
  });
});
