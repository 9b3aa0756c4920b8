import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { at } from '../support/api-client.ts';
import { eventually } from '../support/eventually.ts';
import { GatewayUnderTest, pairedSession, requireCleanOracle, untilConnected } from '../support/gateway.ts';
import { account, act, anna, ben, countHeard, foundGroup, heard, jidOf } from '../support/group-gateway.ts';
import { startHttpReceiver, type HttpReceiver } from '../support/http-receiver.ts';

const groups = '/sessions/support/groups';

describe('group events', () => {
  let gateway: GatewayUnderTest;
  let receiver: HttpReceiver;

  before(async () => {
    gateway = await GatewayUnderTest.start({ env: { RESTART_BASE_MS: '100' } });
    receiver = await startHttpReceiver();
    await pairedSession(gateway, 'support', { phone: account, webhook: { url: receiver.url } });
    for (const phone of [anna, ben]) await gateway.must(201, '/sessions/support/sandbox/contacts', { phone });
  });

  after(async () => {
    try {
      await requireCleanOracle(gateway, 'support');
    } finally {
      await gateway.dispose();
      await receiver.close();
    }
  });

  const change = (group: string, name: string, value?: unknown) => (data: unknown) =>
    at(data, 'group') === group && at(data, 'change') === name && (value === undefined || at(data, 'value') === value);
  const action = (group: string, name: string) => (data: unknown) =>
    at(data, 'group') === group && at(data, 'action') === name;
  /** A group in which Anna is an admin, as the session is. */
  const annasGroup = (options: { readonly addressing?: 'lid' | 'pn' } = {}): Promise<string> =>
    foundGroup(gateway, 'support', { creator: anna, participants: [ben], ...options });

  for (const addressing of ['lid', 'pn'] as const) {
    test(`every change by an admin is told once, by number, in a group that addresses by ${addressing}`, async () => {
      const group = await annasGroup({ addressing });
      const by = { by: anna };
      await act(gateway, group, { ...by, action: 'subject', value: 'New subject' });
      await act(gateway, group, { ...by, action: 'description', value: 'New description' });
      await act(gateway, group, { ...by, action: 'announce', value: true });
      await act(gateway, group, { ...by, action: 'locked', value: true });
      await act(gateway, group, { ...by, action: 'ephemeral', value: 86_400 });
      await act(gateway, group, { ...by, action: 'all_may_add', value: true });
      await act(gateway, group, { ...by, action: 'approval', value: true });
      await act(gateway, group, { ...by, action: 'revoke_invite' });
      await act(gateway, group, { ...by, action: 'picture', value: '/9j/4AAQSkZJRg==' });
      const told: readonly [string, string | undefined][] = [
        ['subject', 'New subject'],
        ['description', 'New description'],
        ['announce', 'on'],
        ['locked', 'on'],
        ['ephemeral', '86400'],
        ['member_add', 'all'],
        ['join_approval', 'on'],
        ['invite', undefined],
        ['picture', undefined],
      ];
      for (const [name, value] of told) {
        const data = await heard(receiver, 'group_update', change(group, name, value));
        assert.equal(at(data, 'by'), jidOf(anna), name);
        assert.equal(typeof at(data, 'timestamp'), 'number');
        assert.equal(countHeard(receiver, 'group_update', change(group, name)), 1, name);
      }
    });

    test(`everybody who comes, goes or is promoted is told by number, with ${addressing} addressing`, async () => {
      const group = await annasGroup({ addressing });
      const own = await heard(receiver, 'group_participants', action(group, 'promote'));
      assert.equal(at(own, 'participants', 0, 'jid'), jidOf(account));
      for (const name of ['promote', 'demote', 'remove', 'add'] as const) {
        await act(gateway, group, { by: anna, action: name, participants: [ben] });
        const isBen = (data: unknown): boolean =>
          action(group, name)(data) && at(data, 'participants', 0, 'phone_number') === ben;
        const data = await heard(receiver, 'group_participants', isBen);
        assert.equal(at(data, 'by'), jidOf(anna));
        assert.equal(at(data, 'participants', 0, 'jid'), jidOf(ben));
        assert.match(String(at(data, 'participants', 0, 'lid')), /^\d+@lid$/);
      }
      await act(gateway, group, { by: ben, action: 'leave' });
      const left = await heard(receiver, 'group_participants', action(group, 'leave'));
      assert.equal(at(left, 'participants', 0, 'jid'), jidOf(ben));
    });
  }

  test('an account that is added to a group is told who added it', async () => {
    const group = await annasGroup();
    await act(gateway, group, { by: anna, action: 'remove', participants: [account] });
    await heard(receiver, 'group_participants', action(group, 'remove'));
    await act(gateway, group, { by: anna, action: 'add', participants: [account] });
    const isOwn = (data: unknown): boolean =>
      action(group, 'add')(data) && at(data, 'participants', 0, 'jid') === jidOf(account);
    assert.equal(at(await heard(receiver, 'group_participants', isOwn), 'by'), jidOf(anna));
  });

  test("a new group and the account's own changes are told as its own", async () => {
    const created = await gateway.must(201, groups, { subject: 'Founded', participants: [anna] });
    const group = String(at(created, 'jid'));
    const founded = await heard(receiver, 'group_update', change(group, 'created', 'Founded'));
    assert.equal(at(founded, 'by'), jidOf(account));
    await gateway.must(200, `${groups}/${group}/subject`, { subject: 'Renamed' });
    assert.equal(at(await heard(receiver, 'group_update', change(group, 'subject')), 'by'), jidOf(account));
  });

  test('requests to join are told when they are made, withdrawn and rejected', async () => {
    const group = await foundGroup(gateway, 'support', { participants: [] });
    await gateway.api.call('PATCH', `/api/v1${groups}/${group}/settings`, { body: { join_approval: true } });
    const request = (jid: string, name: string) => (data: unknown) =>
      action(group, name)(data) && at(data, 'jid') === jidOf(jid);
    await act(gateway, group, { by: anna, action: 'request_join' });
    await heard(receiver, 'group_join_request', request(anna, 'created'));
    await act(gateway, group, { by: anna, action: 'withdraw_request' });
    await heard(receiver, 'group_join_request', request(anna, 'revoked'));
    await act(gateway, group, { by: ben, action: 'request_join' });
    await heard(receiver, 'group_join_request', request(ben, 'created'));
    await gateway.must(200, `${groups}/${group}/requests`, { action: 'reject', participants: [ben] });
    await heard(receiver, 'group_join_request', request(ben, 'rejected'));
  });

  test('what changed while the session was away is told when it is back', async () => {
    const group = await annasGroup();
    await heard(receiver, 'group_participants', action(group, 'promote'));
    await gateway.must(200, '/sessions/support/disconnect');
    await act(gateway, group, { by: anna, action: 'subject', value: 'Meanwhile' });
    await act(gateway, group, { by: anna, action: 'announce', value: true });
    await act(gateway, group, { by: anna, action: 'remove', participants: [ben] });
    await gateway.must(200, '/sessions/support/connect');
    await untilConnected(gateway, 'support');
    await heard(receiver, 'group_update', change(group, 'subject', 'Meanwhile'));
    await heard(receiver, 'group_update', change(group, 'announce', 'on'));
    await heard(receiver, 'group_participants', action(group, 'remove'));
  });

  test('a change that arrives when the process dies is told once', async () => {
    const group = await annasGroup();
    await heard(receiver, 'group_participants', action(group, 'promote'));
    const subjects = ['First', 'Second', 'Third'];
    for (const value of subjects) {
      const pid = Number(at((await gateway.get('/sessions/support')).json, 'child', 'pid'));
      await act(gateway, group, { by: anna, action: 'subject', value });
      process.kill(pid, 'SIGKILL');
      await eventually(
        async () => {
          const session = (await gateway.get('/sessions/support')).json;
          return at(session, 'status') === 'connected' && at(session, 'child', 'pid') !== pid;
        },
        30_000,
        () => gateway.output.slice(-3000),
      );
    }
    for (const value of subjects) await heard(receiver, 'group_update', change(group, 'subject', value));
    assert.equal(countHeard(receiver, 'group_update', change(group, 'subject')), subjects.length);
  });
});
