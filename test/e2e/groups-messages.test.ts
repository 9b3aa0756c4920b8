import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Client, type QueryResult } from 'pg';
import { at } from '../support/api-client.ts';
import { eventually } from '../support/eventually.ts';
import {
  GatewayUnderTest,
  inbox,
  pairedSession,
  requireCleanOracle,
  untilConnected,
  untilStatus,
} from '../support/gateway.ts';
import { account, act, anna, ben, countHeard, foundGroup, heard, jidOf } from '../support/group-gateway.ts';
import { startHttpReceiver, type HttpReceiver } from '../support/http-receiver.ts';

const colleague = '15550002222';

describe('messages in groups', () => {
  let gateway: GatewayUnderTest;
  let support: HttpReceiver;
  let sales: HttpReceiver;

  before(async () => {
    gateway = await GatewayUnderTest.start({ env: { QUERY_TIMEOUT_MS: '2000', SEND_TIMEOUT_MS: '3000' } });
    support = await startHttpReceiver();
    sales = await startHttpReceiver();
    await pairedSession(gateway, 'support', { phone: account, webhook: { url: support.url } });
    await pairedSession(gateway, 'sales', { phone: colleague, webhook: { url: sales.url } });
    for (const phone of [anna, ben]) await gateway.must(201, '/sessions/support/sandbox/contacts', { phone });
  });

  after(async () => {
    try {
      await requireCleanOracle(gateway, 'support');
      await requireCleanOracle(gateway, 'sales');
    } finally {
      await gateway.dispose();
      await support.close();
      await sales.close();
    }
  });

  const send = async (session: string, to: string, text: string): Promise<string> => {
    const sent = await gateway.must(200, `/sessions/${session}/messages/text`, { to, text });
    assert.equal(at(sent, 'status'), 'sent');
    assert.equal(at(sent, 'to'), to);
    return String(at(sent, 'message_id'));
  };
  const received = (reader: string, id: string): Promise<unknown> =>
    eventually(async () => {
      const messages = await inbox(gateway, 'support', reader);
      return messages.find((each) => at(each, 'message_id') === id) ?? null;
    });
  const isMessage = (id: string) => (data: unknown) => at(data, 'message_id') === id;
  const clearFaults = () => gateway.api.call('DELETE', '/api/v1/sessions/support/sandbox/faults');

  for (const addressing of ['lid', 'pn'] as const) {
    describe(`with ${addressing} addressing`, () => {
      let group: string;

      before(async () => {
        group = await foundGroup(gateway, 'support', { addressing, participants: [anna, ben, colleague] });
      });

      test('a text reaches every member, who decrypts it, and the own phone', async () => {
        for (const text of ['Hello everybody', 'And once more, with the key that everybody has']) {
          const id = await send('support', group, text);
          for (const reader of [anna, ben, account]) {
            const copy = await received(reader, id);
            assert.equal(at(copy, 'text'), text, reader);
            assert.equal(at(copy, 'chat'), group);
          }
          const data = await heard(sales, 'message', isMessage(id));
          assert.equal(at(data, 'body'), text);
        }
      });

      test('a text of a member is told with the group, and its author by number', async () => {
        const written = await gateway.must(201, '/sessions/support/sandbox/messages', {
          from: anna,
          group,
          text: 'Hi all',
        });
        for (const receiver of [support, sales]) {
          const data = await heard(receiver, 'message', isMessage(String(at(written, 'message_id'))));
          assert.equal(at(data, 'chat'), group);
          assert.equal(at(data, 'is_group'), true);
          assert.equal(at(data, 'from'), jidOf(anna));
          assert.equal(at(data, 'participant'), jidOf(anna));
          assert.equal(at(data, 'from_phone'), anna);
          assert.match(String(at(data, 'from_lid')), /^\d+@lid$/);
          assert.equal(at(data, 'body'), 'Hi all');
          assert.equal(at(data, 'is_from_me'), false);
        }
      });

      test('what the own phone writes into the group is told as its own', async () => {
        const body = { from: 'phone', group, text: 'From my pocket' };
        const written = await gateway.must(201, '/sessions/support/sandbox/messages', body);
        const id = String(at(written, 'message_id'));
        const data = await heard(support, 'message', isMessage(id));
        assert.equal(at(data, 'is_from_me'), true);
        assert.equal(at(data, 'chat'), group);
        assert.equal(at(data, 'from'), jidOf(account));
        assert.equal(at(await heard(sales, 'message', isMessage(id)), 'from'), jidOf(account));
      });

      test('two sessions write to each other in one group', async () => {
        const there = await send('support', group, 'Are you there?');
        assert.equal(at(await heard(sales, 'message', isMessage(there)), 'from'), jidOf(account));
        const back = await send('sales', group, 'I am');
        const data = await heard(support, 'message', isMessage(back));
        assert.equal(at(data, 'from'), jidOf(colleague));
        assert.equal(at(data, 'chat'), group);
        assert.equal(countHeard(support, 'message', isMessage(back)), 1);
      });

      test('every member tells its own receipt', async () => {
        const id = await send('support', group, 'Received?');
        for (const member of [anna, ben, colleague]) {
          const data = await heard(support, 'receipt', (each) => {
            const ids = at(each, 'message_ids');
            return Array.isArray(ids) && ids.includes(id) && at(each, 'from') === jidOf(member);
          });
          assert.equal(at(data, 'chat'), group);
          assert.equal(at(data, 'status'), 'delivered');
        }
      });

      test('a reply in the group quotes', async () => {
        const written = await gateway.must(201, '/sessions/support/sandbox/messages', {
          from: ben,
          group,
          text: 'Who?',
        });
        const quoted = String(at(written, 'message_id'));
        await heard(support, 'message', isMessage(quoted));
        const body = { to: group, text: 'Me', reply_to: quoted };
        const sent = await gateway.must(200, '/sessions/support/messages/text', body);
        assert.equal(at(await received(anna, String(at(sent, 'message_id'))), 'quoted_id'), quoted);
      });

      test('a member whose key was lost asks for the message again and gets it', async () => {
        await send('support', group, 'Now everybody has the key');
        await forgetSenderKeys('sales');
        const id = await send('support', group, 'You cannot read this at first');
        const data = await heard(sales, 'message', isMessage(id));
        assert.equal(at(data, 'body'), 'You cannot read this at first');
        assert.equal(at(data, 'from'), jidOf(account));
      });
    });
  }

  /** As if the session had been restored from an old backup. */
  async function forgetSenderKeys(session: string): Promise<void> {
    await gateway.must(200, `/sessions/${session}/disconnect`);
    await untilStatus(gateway, session, 'disconnected');
    await query("delete from signal_keys where session_id = $1 and type = 'sender-key'", [session]);
    await gateway.must(200, `/sessions/${session}/connect`);
    await untilConnected(gateway, session);
  }

  /** The keys with which the session "support" writes into the group. */
  async function ownSenderKeys(group: string): Promise<readonly unknown[]> {
    const lid = at(await gateway.get('/sessions/support/device'), 'json', 'lid');
    return query("select id from signal_keys where session_id = 'support' and type = 'sender-key' and id like $1", [
      `${group}::${String(lid).replace('@lid', '')}%`,
    ]);
  }

  async function query(statement: string, values: readonly string[]): Promise<readonly unknown[]> {
    const client = new Client({ connectionString: gateway.database?.url });
    await client.connect();
    try {
      const { rows }: QueryResult<object> = await client.query(statement, [...values]);
      return rows;
    } finally {
      await client.end();
    }
  }

  test('who joins reads what follows, and who is removed does not', async () => {
    const group = await foundGroup(gateway, 'support', { creator: anna, participants: [] });
    await send('support', group, 'Only the two of us');
    await act(gateway, group, { by: anna, action: 'add', participants: [ben] });
    const isAdded = (data: unknown): boolean => at(data, 'group') === group && at(data, 'action') === 'add';
    await heard(support, 'group_participants', isAdded);
    const id = await send('support', group, 'Welcome');
    assert.equal(at(await received(ben, id), 'text'), 'Welcome');
    const body = { action: 'remove', participants: [ben] };
    await gateway.must(200, `/sessions/support/groups/${group}/participants`, body);
    // Whoever was there knows the key of the messages until then: it is not used any more.
    await eventually(async () => (await ownSenderKeys(group)).length === 0);
    const later = await send('support', group, 'Is he gone?');
    assert.equal((await ownSenderKeys(group)).length, 1);
    await received(anna, later);
    const ofBen = await inbox(gateway, 'support', ben);
    assert.equal(
      ofBen.some((each) => at(each, 'message_id') === later),
      false,
    );
  });

  test('messages disappear as the group wants it', async () => {
    const group = await foundGroup(gateway, 'support', { creator: anna });
    await act(gateway, group, { by: anna, action: 'ephemeral', value: 86_400 });
    await heard(support, 'group_update', (data) => at(data, 'group') === group && at(data, 'change') === 'ephemeral');
    const id = await send('support', group, 'Until tomorrow');
    const copy = await received(anna, id);
    const raw = JSON.stringify(at(copy, 'raw'));
    assert.match(raw, /"expiration":86400/);
  });

  test('a send to a group of others is refused before it goes out, with the code of WhatsApp', async () => {
    const foreign = await foundGroup(gateway, 'support', { creator: anna });
    await act(gateway, foreign, { by: anna, action: 'remove', participants: [account] });
    const codes = new Map([
      [foreign, '403'],
      ['120363999999999999@g.us', '404'],
    ]);
    for (const [to, code] of codes) {
      const answer = await gateway.post('/sessions/support/messages/text', { to, text: 'Hello?' });
      assert.equal(answer.status, 404, answer.text);
      assert.equal(at(answer.json, 'error', 'type'), 'group_not_found');
      assert.equal(at(answer.json, 'error', 'details', 0, 'received'), code);
    }
  });

  test('in a group in which only admins write WhatsApp refuses the others', async () => {
    const group = await foundGroup(gateway, 'support', { creator: anna });
    await act(gateway, group, { by: anna, action: 'demote', participants: [account] });
    await act(gateway, group, { by: anna, action: 'announce', value: true });
    const answer = await gateway.post('/sessions/support/messages/text', { to: group, text: 'May I?' });
    assert.equal(answer.status, 502, answer.text);
    assert.equal(at(answer.json, 'error', 'type'), 'whatsapp_refused');
    assert.match(String(at(answer.json, 'error', 'details', 0, 'received')), /^4\d\d$/);
  });

  test('a refusal of WhatsApp is passed on with its code, and told', async () => {
    const group = await foundGroup(gateway, 'support');
    await gateway.must(200, '/sessions/support/sandbox/faults', { fault: 'refuse_send', code: 403, count: 1 });
    const answer = await gateway.post('/sessions/support/messages/text', { to: group, text: 'Refused' });
    await clearFaults();
    assert.equal(answer.status, 502, answer.text);
    assert.equal(at(answer.json, 'error', 'details', 0, 'received'), '403');
    const failed = await heard(support, 'message_failed', (data) => at(data, 'chat') === group);
    assert.equal(at(failed, 'code'), '403');
  });

  test('a known group is written to without a question, and an unknown one that nobody tells about is a time-out', async () => {
    const known = await foundGroup(gateway, 'support');
    const unknown = await foundGroup(gateway, 'support');
    await send('support', known, 'Now the members are known');
    await gateway.must(200, '/sessions/support/sandbox/faults', { fault: 'mute_queries' });
    try {
      const id = await send('support', known, 'Without asking');
      await received(anna, id);
      const answer = await gateway.post('/sessions/support/messages/text', { to: unknown, text: 'Who is there?' });
      assert.equal(answer.status, 202, answer.text);
      assert.equal(at(answer.json, 'status'), 'pending');
    } finally {
      await clearFaults();
    }
  });
});
