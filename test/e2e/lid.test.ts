import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { at } from '../support/api-client.ts';
import { eventually } from '../support/eventually.ts';
import { inbox } from '../support/gateway.ts';
import { errorOf, PairedGateway } from '../support/paired-gateway.ts';

const person = '15551230001';

describe('LIDs', () => {
  let support: PairedGateway;
  let lid: string;

  before(async () => {
    support = await PairedGateway.start({ QUERY_TIMEOUT_MS: '1500' });
    lid = String(at(await support.contact(person), 'lid'));
  });

  after(() => support.dispose());

  test('a LID whose number was never disclosed is told as what it is', async () => {
    assert.deepEqual(await support.ask(`/contacts/${encodeURIComponent(lid)}/lid`), { jid: null, lid, phone: null });
  });

  test('a message to a LID arrives, also before its number is known', async () => {
    const sent = await support.ask('/messages/text', { to: lid, text: 'To whom it may concern' });
    assert.equal(at(sent, 'to'), lid);
    await eventually(async () =>
      (await inbox(support.gateway, 'support', person)).some((each) => at(each, 'text') === 'To whom it may concern'),
    );
  });

  test('both ways, once the number is known', async () => {
    const both = { jid: `${person}@s.whatsapp.net`, lid, phone: person };
    assert.deepEqual(await support.ask(`/contacts/${person}/lid`), both);
    assert.deepEqual(await support.ask(`/contacts/%2B1%20555-123-0001/lid`), both);
    assert.deepEqual(await support.ask(`/contacts/${encodeURIComponent(lid)}/lid`), both);
    const sent = await support.ask('/messages/text', { to: lid, text: 'Dear Ann' });
    assert.equal(at(sent, 'to'), `${person}@s.whatsapp.net`);
  });

  test('a message from a LID discloses its number', async () => {
    const other = String(at(await support.contact('15551230002'), 'lid'));
    await support.ask('/sandbox/messages', { from: '15551230002', text: 'It is me' });
    await support.event('message', (data) => at(data, 'body') === 'It is me');
    const answer = await support.ask(`/contacts/${encodeURIComponent(other)}/lid`);
    assert.equal(at(answer, 'phone'), '15551230002');
  });

  test('an unknown number has none, and a silent WhatsApp is a time-out', async () => {
    const nobody = await support.get('/contacts/15559999999/lid');
    assert.deepEqual([nobody.status, errorOf(nobody)], [404, 'recipient_not_on_whatsapp']);
    await support.fault({ fault: 'mute_queries' });
    const answer = await support.get('/contacts/15551230009/lid');
    assert.deepEqual([answer.status, errorOf(answer)], [504, 'whatsapp_timeout']);
    await support.clearFaults();
  });
});
