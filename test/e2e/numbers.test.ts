import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { at } from '../support/api-client.ts';
import { eventually } from '../support/eventually.ts';
import { inbox } from '../support/gateway.ts';
import { errorOf, PairedGateway } from '../support/paired-gateway.ts';

const indonesia = '628123456789';

/** As people type it, and as WhatsApp has it. */
const national = [
  { country: 'Brazil', typed: '+55 11 98765-4321', digits: '5511987654321', registered: '551187654321' },
  { country: 'Mexico', typed: '+52 55 1234 5678', digits: '525512345678', registered: '5215512345678' },
  { country: 'Argentina', typed: '+54 11 2345-6789', digits: '541123456789', registered: '5491123456789' },
] as const;

describe('numbers as people type them', () => {
  let support: PairedGateway;

  before(async () => {
    support = await PairedGateway.start({ QUERY_TIMEOUT_MS: '1500', SEND_TIMEOUT_MS: '3000' });
    await support.contact(indonesia);
    for (const { registered } of national) await support.contact(registered);
  });

  after(() => support.dispose());

  const sendTo = async (to: string): Promise<unknown> =>
    at(await support.ask('/messages/text', { to, text: `Hello ${to}` }), 'to');

  test('signs, spaces, brackets, dots, a leading 00 and every form of JID name the same recipient', async () => {
    for (const typed of [
      '+62 812-3456-789',
      '0062 812 3456 789',
      '(62) 812.3456.789',
      '62 812 3456 789',
      `${indonesia}@c.us`,
      `${indonesia}@s.whatsapp.net`,
      `${indonesia}:3@s.whatsapp.net`,
    ]) {
      assert.equal(await sendTo(typed), `${indonesia}@s.whatsapp.net`, typed);
    }
  });

  test('percent-encoded in a path as well', async () => {
    for (const typed of ['%2B62%20812-3456-789', `${indonesia}%40c.us`, `${indonesia}@s.whatsapp.net`]) {
      const answer = await support.ask(`/contacts/${typed}/lid`);
      assert.equal(at(answer, 'phone'), indonesia, typed);
    }
  });

  for (const { country, typed, digits, registered } of national) {
    test(`${country}: a national form leads to the number that is registered, once and for all`, async () => {
      const jid = `${registered}@s.whatsapp.net`;
      const checked = await support.ask('/contacts/check', { phones: [typed] });
      assert.equal(at(checked, 'results', 0, 'phone'), digits);
      assert.equal(at(checked, 'results', 0, 'jid'), jid);
      assert.equal(await sendTo(typed), jid);
      await support.fault({ fault: 'mute_queries' });
      assert.equal(await sendTo(typed), jid);
      await support.clearFaults();
      const listed = await support.ask(`/messages?chat=${encodeURIComponent(typed)}`);
      assert.equal(at(listed, 'messages', 0, 'chat'), jid);
      assert.equal(at(listed, 'total'), 2);
    });
  }

  test('what cannot be a number is refused with the field named', async () => {
    for (const to of ['0812 3456 789', '12345', '+1 555 CALL NOW', 'somebody@example.com']) {
      const answer = await support.post('/messages/text', { to, text: 'Hm' });
      assert.deepEqual([answer.status, at(answer.json, 'error', 'details', 0, 'field')], [400, 'to'], to);
    }
  });

  test('a number that nobody has is refused, and again when somebody has got it since it is not', async () => {
    const answer = await support.post('/messages/text', { to: '15551239999', text: 'Hello?' });
    assert.deepEqual([answer.status, errorOf(answer)], [404, 'recipient_not_on_whatsapp']);
    await support.contact('15551239999');
    assert.equal(await sendTo('15551239999'), '15551239999@s.whatsapp.net');
  });

  test('a message whose recipient cannot be looked up now is pending, and goes out when it can', async () => {
    await support.contact('15551238888');
    await support.fault({ fault: 'mute_queries' });
    const answer = await support.post('/messages/text', { to: '15551238888', text: 'Hello?' });
    assert.deepEqual([answer.status, at(answer.json, 'status')], [202, 'pending']);
    await support.clearFaults();
    await eventually(
      async () =>
        (await inbox(support.gateway, 'support', '15551238888')).some((each) => at(each, 'text') === 'Hello?'),
      30_000,
    );
  });
});
