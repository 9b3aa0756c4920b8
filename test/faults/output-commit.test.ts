/** WhatsApp is not told that something has arrived before it is committed. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { at } from '../support/api-client.ts';
import { CrashRig } from '../support/crash-rig.ts';
import { eventually } from '../support/eventually.ts';

const contact = '15551230004';
const session = 'delta';

describe('while the database holds a commit back', () => {
  let rig: CrashRig;
  let group = '';

  before(async () => {
    rig = await CrashRig.start({ sessions: { [session]: '15550060004' } });
    await rig.server.api('POST', '/contacts', { phone: contact, behaviour: 'silent' });
    group = String((await rig.whatsapp(session, '/groups', { subject: 'Held', participants: [contact] }))['jid']);
    await rig.gateway.must(200, `/sessions/${session}/messages/text`, { to: contact, text: 'Hello' });
    const first = await rig.written(session, { from: contact, text: 'Hello, too' });
    await rig.heard(session, first);
  });

  after(() => rig.dispose());

  const unanswered = async (): Promise<number> =>
    Number((await rig.whatsapp(session, '/oracle'))['unacknowledged_stanzas']);

  /**
   * Lets something happen while commits are held, and kills the child before any is made: had WhatsApp been told, it would
   * not say it again, and nobody would ever hear of it.
   */
  const isToldAgain = async (happen: () => Promise<unknown>, name: string, matches: (data: unknown) => boolean) => {
    await eventually(async () => (await unanswered()) === 0, 15_000);
    const pid = await rig.childPid(session);
    rig.proxy.commits.hold('request');
    await happen();
    await eventually(() => rig.proxy.commits.held > 0, 15_000);
    assert.equal(await unanswered(), 1, 'WhatsApp has not been told');
    assert.ok(rig.killChild(pid));
    rig.proxy.commits.drop();
    const told = () => rig.told(session, name).filter((json) => matches(at(json, 'data')));
    await eventually(
      () => told().length > 0,
      30_000,
      () => rig.gateway.output.slice(-3000),
    );
    await rig.connected();
    await eventually(async () => (await unanswered()) === 0, 15_000);
    assert.equal(new Set(told().map((json) => at(json, 'id'))).size, 1);
  };
  const write = (message: Readonly<Record<string, unknown>>) => rig.written(session, { from: contact, ...message });

  test('a message is not confirmed', () =>
    isToldAgain(
      () => write({ text: 'Held one' }),
      'message',
      (data) => at(data, 'body') === 'Held one',
    ));

  test('a message of a group is not confirmed', () =>
    isToldAgain(
      () => write({ text: 'Held two', group }),
      'message',
      (data) => at(data, 'body') === 'Held two',
    ));

  test('an edit and a reaction are not confirmed', async () => {
    const id = await write({ text: 'Before' });
    await rig.heard(session, id);
    await isToldAgain(
      () => write({ edit_of: id, text: 'After' }),
      'message_edited',
      (data) => at(data, 'body') === 'After',
    );
    await isToldAgain(
      () => write({ react_to: id, emoji: '🎉' }),
      'reaction',
      (data) => at(data, 'message_id') === id,
    );
  });

  test('a change of a group is not acknowledged', () =>
    isToldAgain(
      () => rig.server.api('POST', `/groups/${group}/actions`, { by: contact, action: 'subject', value: 'Renamed' }),
      'group_update',
      (data) => at(data, 'value') === 'Renamed',
    ));

  test('a receipt is not acknowledged', async () => {
    const sent = await rig.gateway.must(200, `/sessions/${session}/messages/text`, { to: contact, text: 'Read me' });
    const id = String(at(sent, 'message_id'));
    await isToldAgain(
      () => rig.whatsapp(session, '/receipts', { message_id: id, type: 'read' }),
      'receipt',
      (data) => JSON.stringify(at(data, 'message_ids')) === JSON.stringify([id]),
    );
  });

  test('a call is not acknowledged', () =>
    isToldAgain(
      () => rig.whatsapp(session, '/calls', { from: contact }),
      'call',
      (data) => at(data, 'status') === 'offer',
    ));
});
