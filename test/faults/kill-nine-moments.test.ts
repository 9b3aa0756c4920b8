/** Kill -9 at moments that chance would rarely hit: at each commit of a send and of a message that comes in. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { at } from '../support/api-client.ts';
import { CrashRig } from '../support/crash-rig.ts';
import { eventually } from '../support/eventually.ts';
import { listAt } from '../support/group-gateway.ts';

const contact = '15551230003';
const session = 'gamma';

describe('a session whose process dies', () => {
  let rig: CrashRig;
  let group = '';

  before(async () => {
    rig = await CrashRig.start({ sessions: { [session]: '15550060003' }, env: { UNDECRYPTABLE_PATIENCE_MS: '6000' } });
    await rig.server.api('POST', '/contacts', { phone: contact });
    group = String((await rig.whatsapp(session, '/groups', { subject: 'Moments', participants: [contact] }))['jid']);
    await rig.gateway.must(200, `/sessions/${session}/messages/text`, { to: contact, text: 'Hello' });
  });

  after(async () => {
    const oracle = await rig.whatsapp(session, '/oracle');
    await rig.dispose();
    assert.deepEqual(oracle['unknown_stanzas'], []);
    assert.equal(oracle['repeated_ratchet_positions'], 0, 'no ratchet position is used twice');
    assert.equal(oracle['unfounded_confirmations'], 0);
  });

  const send = (text: string, to = contact): Promise<unknown> =>
    rig.gateway.post(`/sessions/${session}/messages/text`, { to, text }).catch(() => null);
  const copiesOf = async (text: string): Promise<number> =>
    (await rig.inbox(session, contact)).filter((copy) => at(copy, 'text') === text).length;
  const statusOf = async (text: string): Promise<unknown> =>
    (await rig.database.query("select status from messages where params->>'text' = $1", [text]))[0]?.['status'];
  const receiptsOf = async (id: string): Promise<readonly unknown[]> =>
    listAt(await rig.whatsapp(session, `/receipts?message_id=${id}`), 'receipts');

  /** Kills the child and lets the database go on; `isLost`: what was held is not committed. */
  const killHere = async (isLost: boolean): Promise<void> => {
    const pid = await rig.childPid(session);
    assert.ok(rig.killChild(pid));
    if (isLost) rig.proxy.commits.drop();
    else rig.proxy.commits.release();
    await eventually(async () => (await rig.childPid(session)) !== pid, 20_000);
    await rig.connected();
  };

  /** Waits until a commit is held; false when the work is over without one. */
  const isHeld = async (isOver: () => Promise<boolean>): Promise<boolean> => {
    await eventually(async () => rig.proxy.commits.held > 0 || (await isOver()), 15_000);
    return rig.proxy.commits.held > 0;
  };

  const untilOnce = async (text: string): Promise<void> => {
    await eventually(
      async () => (await copiesOf(text)) === 1 && ['sent', 'delivered', 'read'].includes(String(await statusOf(text))),
      30_000,
      async () => ({
        copies: await copiesOf(text),
        status: await statusOf(text),
        log: rig.gateway.output.slice(-2000),
      }),
    );
  };

  for (const place of ['request', 'answer'] as const) {
    test(`at any commit of a send, ${place === 'request' ? 'before it is made' : 'before it is known'}, sends it once`, async () => {
      for (let passing = 0, isOver = false; !isOver; passing++) {
        const text = `${place} ${passing}`;
        rig.proxy.commits.hold(place, passing);
        const answered = send(text, passing % 2 === 0 ? contact : group);
        const isDone = async () => ['delivered', 'read'].includes(String(await statusOf(text)));
        isOver = !(await isHeld(isDone));
        if (isOver) rig.proxy.commits.release();
        else await killHere(place === 'request');
        await answered;
        await untilOnce(text);
        assert.ok(passing < 20, 'a send has fewer commits than that');
      }
    });

    test(`at any commit of a message that comes in, ${place === 'request' ? 'before it is made' : 'before it is known'}, tells it once`, async () => {
      for (let passing = 0, isOver = false; !isOver; passing++) {
        const where = passing % 2 === 0 ? {} : { group };
        rig.proxy.commits.hold(place, passing);
        const id = await rig.written(session, { from: contact, text: `in at ${place} ${passing}`, ...where });
        const isTold = async () =>
          rig.told(session, 'message').some((json) => at(json, 'data', 'message_id') === id) &&
          (await receiptsOf(id)).length > 0;
        isOver = !(await isHeld(isTold));
        if (!isOver && passing === 0)
          assert.deepEqual(await receiptsOf(id), [], 'WhatsApp hears of it after the commit');
        if (isOver) rig.proxy.commits.release();
        else await killHere(place === 'request');
        assert.equal((await rig.heard(session, id)).length, 1);
        assert.ok(passing < 20, 'a message has fewer commits than that');
      }
    });
  }

  test('between the wire and the ack sends it once, and the ack of the repetition counts', async () => {
    // A receipt would say as much as an ack.
    await rig.server.api('POST', '/contacts', { phone: contact, behaviour: 'silent' });
    await rig.whatsapp(session, '/faults', { fault: 'slow_acks', delay_ms: 60_000 });
    const answered = send('unacknowledged');
    await eventually(async () => (await copiesOf('unacknowledged')) === 1, 15_000);
    assert.equal(await statusOf('unacknowledged'), 'accepted');
    await rig.server.api('DELETE', `/accounts/${rig.phoneOf(session)}/faults`);
    await killHere(false);
    await answered;
    await untilOnce('unacknowledged');
  });

  test('between the webhook request and its outcome: the gateway that comes next repeats it under the same id', async () => {
    const held = Promise.withResolvers<void>();
    const { receiver } = rig;
    const before = receiver.answer;
    receiver.answer = () => held.promise;
    const id = await rig.written(session, { from: contact, text: 'Told twice' });
    await rig.heard(session, id);
    await rig.gateway.kill();
    receiver.answer = before;
    held.resolve();
    await rig.gateway.boot();
    const requests = () => rig.told(session, 'message').filter((json) => at(json, 'data', 'message_id') === id);
    await eventually(async () => {
      await rig.lapseLeases();
      return requests().length > 1;
    }, 30_000);
    assert.equal(new Set(requests().map((json) => at(json, 'id'))).size, 1);
    await rig.connected();
  });

  test('while it waits for a message that it could not decrypt, tells of it all the same, once', async () => {
    await rig.whatsapp(session, '/faults', { fault: 'garble', count: 100 });
    const id = await rig.written(session, { from: contact, text: 'Nobody can read this' });
    await eventually(
      async () =>
        (await rig.database.query('select 1 from signal_keys where id like $1', [`${id}%undecryptable`])).length > 0,
      15_000,
    );
    await killHere(false);
    const told = () =>
      rig.told(session, 'message_undecryptable').filter((json) => at(json, 'data', 'message_id') === id);
    await eventually(() => told().length > 0, 30_000);
    await rig.server.api('DELETE', `/accounts/${rig.phoneOf(session)}/faults`);
    const again = await rig.written(session, { from: contact, text: 'Everybody can read this' });
    await rig.heard(session, again);
    assert.equal(new Set(told().map((json) => at(json, 'id'))).size, 1);
  });
});
