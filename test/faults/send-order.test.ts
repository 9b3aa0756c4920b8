/** What becomes of accepted messages that cannot go out at once: order, repetition, deadline, and unsure acceptance. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { at } from '../support/api-client.ts';
import { CrashRig } from '../support/crash-rig.ts';
import { eventually } from '../support/eventually.ts';

const [contact, other] = ['15551230005', '15551230006'] as const;
const session = 'epsilon';

describe('accepted messages', () => {
  let rig: CrashRig;

  before(async () => {
    rig = await CrashRig.start({
      sessions: { [session]: '15550060005' },
      env: { SEND_TIMEOUT_MS: '1000', MESSAGE_TTL_MS: '12000' },
    });
    for (const phone of [contact, other]) {
      // A receipt would say as much as an ack.
      await rig.server.api('POST', '/contacts', { phone, behaviour: 'silent' });
      await rig.gateway.must(200, `/sessions/${session}/messages/text`, { to: phone, text: 'Hello' });
    }
  });

  after(() => rig.dispose());

  const send = (to: string, text: string) => rig.gateway.post(`/sessions/${session}/messages/text`, { to, text });
  const textsAt = async (phone: string): Promise<readonly string[]> =>
    (await rig.inbox(session, phone)).map((copy) => String(at(copy, 'text')));
  const statusOf = async (text: string): Promise<unknown> =>
    (await rig.database.query("select status from messages where params->>'text' = $1", [text]))[0]?.['status'];
  const fault = (body: object) => rig.whatsapp(session, '/faults', body);
  const clear = () => rig.server.api('DELETE', `/accounts/${rig.phoneOf(session)}/faults`);
  const until = (probe: () => Promise<boolean>) =>
    eventually(probe, 40_000, async () => ({ texts: await textsAt(contact), log: rig.gateway.output.slice(-2000) }));

  test('keep their order in a chat when the first has to be repeated, and other chats do not wait', async () => {
    await fault({ fault: 'drop_acks', count: 1 });
    const first = await send(contact, 'one');
    assert.equal(first.status, 202);
    // The first is unacknowledged: whatever comes later waits behind it, and is told so.
    const [second, third, elsewhere] = await Promise.all([
      send(contact, 'two'),
      send(contact, 'three'),
      send(other, 'elsewhere'),
    ]);
    assert.deepEqual([second.status, third.status, elsewhere.status], [202, 202, 200]);
    await until(async () => (await statusOf('three')) === 'sent');
    const texts = (await textsAt(contact)).filter((text) => ['one', 'two', 'three'].includes(text));
    assert.equal(texts[0], 'one');
    assert.deepEqual(
      texts.toSorted((a, b) => a.localeCompare(b)),
      ['one', 'three', 'two'],
    );
    assert.equal(await statusOf('one'), 'sent');
    const { repeated_messages: repeated } = await rig.whatsapp(session, '/oracle');
    assert.equal(repeated, 1, 'the first was sent again under its id');
  });

  test('of one chat go out in the order of their acceptance after the process died', async () => {
    await fault({ fault: 'deaf' });
    const texts = ['a', 'b', 'c', 'd'].map((name) => `after death ${name}`);
    const answers: Promise<unknown>[] = [];
    for (const text of texts) {
      answers.push(send(contact, text));
      await until(async () => (await statusOf(text)) === 'accepted');
    }
    assert.ok(rig.killChild(await rig.childPid(session)));
    await Promise.all(answers);
    await clear();
    await rig.connected();
    // A new one does not overtake them.
    const late = await send(contact, 'after death e');
    assert.ok([200, 202].includes(late.status));
    const all = [...texts, 'after death e'];
    await until(async () => (await textsAt(contact)).filter((text) => all.includes(text)).length === all.length);
    assert.deepEqual(
      (await textsAt(contact)).filter((text) => all.includes(text)),
      all,
    );
  });

  test('that WhatsApp never acknowledges fail at their deadline, with an event, and the chat goes on', async () => {
    await fault({ fault: 'deaf' });
    const answer = await send(contact, 'into the void');
    assert.equal(answer.status, 202);
    const id = at(answer.json, 'message_id');
    await until(async () => (await statusOf('into the void')) === 'failed');
    await clear();
    await eventually(
      () => rig.told(session, 'message_failed').some((json) => at(json, 'data', 'message_id') === id),
      15_000,
    );
    await rig.connected();
    await until(async () => (await send(contact, 'goes on')).status === 200);
    assert.equal((await textsAt(contact)).filter((text) => text === 'into the void').length, 0);
  });

  test('of a session that is stopped fail at their deadline, too', async () => {
    await fault({ fault: 'deaf' });
    assert.equal((await send(contact, 'stopped')).status, 202);
    assert.equal((await rig.gateway.post(`/sessions/${session}/disconnect`)).status, 200);
    await clear();
    await rig.killGateway();
    await eventually(
      () => rig.told(session, 'message_failed').some((json) => String(at(json, 'data', 'code')) === 'expired'),
      60_000,
    );
    await until(async () => (await statusOf('stopped')) === 'failed');
    assert.equal((await rig.gateway.post(`/sessions/${session}/connect`)).status, 200);
    await rig.connected();
  });

  test('go out when the client that asked for them has gone, and while the session is restarted', async () => {
    const { baseUrl } = rig.gateway;
    const gone = new AbortController();
    await fault({ fault: 'slow_acks', delay_ms: 500 });
    const asked = fetch(`${baseUrl}/api/v1/sessions/${session}/messages/text`, {
      method: 'POST',
      headers: { authorization: 'Bearer test-superadmin-token-0123456789', 'content-type': 'application/json' },
      body: JSON.stringify({ to: contact, text: 'nobody listens' }),
      signal: gone.signal,
    }).catch(() => null);
    await until(async () => (await statusOf('nobody listens')) === 'accepted');
    gone.abort();
    await asked;
    const answered = send(contact, 'while restarting');
    await until(async () => (await statusOf('while restarting')) === 'accepted');
    assert.equal((await rig.gateway.post(`/sessions/${session}/restart`)).status, 200);
    await answered;
    await clear();
    await rig.connected();
    for (const text of ['nobody listens', 'while restarting']) {
      await until(async () => (await statusOf(text)) === 'sent');
      assert.equal((await textsAt(contact)).filter((each) => each === text).length, 1);
    }
  });

  test('whose acceptance the database did not tell are refused, and do not surprise anybody later', async () => {
    // While it is unsure, what waits in the store is looked through for another chat.
    await fault({ fault: 'drop_acks', count: 1 });
    assert.equal((await send(other, 'to be repeated')).status, 202);
    // The statement reaches the database, its answer does not come back.
    rig.proxy.commits.hold('answer', 0, 'where not exists (select from scheduled_messages');
    const asked = send(contact, 'half accepted');
    await until(async () => (await statusOf('half accepted')) === 'accepted');
    const answer = await asked;
    assert.deepEqual([answer.status, at(answer.json, 'error', 'type')], [503, 'storage_unavailable']);
    rig.proxy.commits.drop();
    await until(async () => (await statusOf('to be repeated')) === 'sent');
    await until(async () => (await statusOf('half accepted')) === undefined);
    await until(async () => (await send(contact, 'wholly accepted')).status === 200);
    assert.ok(!(await textsAt(contact)).includes('half accepted'));
  });
});
