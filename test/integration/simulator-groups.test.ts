import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type proto, WAMessageStubType } from '@whiskeysockets/baileys';
import { eventually } from '../support/eventually.ts';
import { SeenEvents } from '../support/seen-events.ts';
import { contact, type Fields, SimulatedAccount } from '../support/simulated-account.ts';
import { type SimulatorProcess, startSimulator } from '../support/simulator.ts';

const ann = '15550111001';
const ben = '15550111002';
const shy = '15550111003';
const nobody = '15550111004';
const jidOf = (phone: string) => `${phone}@s.whatsapp.net`;

describe('groups on the simulated WhatsApp', () => {
  let simulator: SimulatorProcess;
  let alice: SimulatedAccount;
  let bob: SimulatedAccount;
  let atAlice: SeenEvents;
  let atBob: SeenEvents;

  before(async () => {
    simulator = await startSimulator();
    alice = new SimulatedAccount(simulator, '15550110001');
    bob = new SimulatedAccount(simulator, '15550110002');
    await Promise.all([alice.link(), bob.link()]);
    atAlice = new SeenEvents(alice.client.socket);
    atBob = new SeenEvents(bob.client.socket);
    await contact(simulator, { phone: ann, name: 'Ann' });
    await contact(simulator, { phone: ben, name: 'Ben' });
    await contact(simulator, { phone: shy, name: 'Shy', forbids_group_add: true });
    await contact(simulator, { phone: nobody, registered: false });
  });

  after(async () => {
    await alice.client.close();
    await bob.client.close();
    await simulator.stop();
  });

  const groupOf = async (jid: string): Promise<Fields> => {
    const { status, body } = await simulator.api('GET', `/groups/${jid}`);
    assert.equal(status, 200, JSON.stringify(body));
    return body;
  };
  const act = async (jid: string, action: Fields) => {
    const { status, body } = await simulator.api('POST', `/groups/${jid}/actions`, action);
    assert.equal(status, 200, JSON.stringify(body));
    return body;
  };
  const found = async (settings: Fields): Promise<string> => {
    const { status, body } = await alice.post('groups', settings);
    assert.equal(status, 201, JSON.stringify(body));
    return String(body['jid']);
  };
  const lidOf = async (phone: string) => String((await simulator.api('GET', `/people/${phone}`)).body['lid']);
  const stub = (account: SimulatedAccount, jid: string, type: proto.WebMessageInfo.StubType) =>
    account.client.messages.find(({ key, messageStubType }) => key.remoteJid === jid && messageStubType === type);
  const codeOf = (error: unknown) =>
    typeof error === 'object' && error !== null && 'data' in error ? error.data : error;
  const refusal = (code: number) => (error: unknown) => codeOf(error) === code;

  test('a session founds a group, and the sessions of its members learn of it', async () => {
    const group = await alice.client.socket.groupCreate('Friends', [jidOf(ann), bob.jid, jidOf(shy), jidOf(nobody)]);
    assert.equal(group.subject, 'Friends');
    assert.equal(group.addressingMode, 'lid');
    const upserted = await eventually(() => atBob.groupsUpserted.find(({ id }) => id === group.id));
    assert.deepEqual([upserted.subject, upserted.ownerPn], ['Friends', alice.jid]);
    await eventually(() => stub(bob, group.id, WAMessageStubType.GROUP_CREATE));
    const { participants } = await groupOf(group.id);
    assert.deepEqual(participants, [
      { jid: alice.jid, lid: await lidOf(alice.phone), role: 'superadmin' },
      { jid: jidOf(ann), lid: await lidOf(ann), role: 'member' },
      { jid: bob.jid, lid: await lidOf(bob.phone), role: 'member' },
    ]);
  });

  test('metadata and the list of groups are complete, in LID and in number addressing', async () => {
    const byLid = await found({ subject: 'By LID', participants: [ann, bob.phone] });
    const byPn = await found({ subject: 'By number', participants: [ann], addressing: 'pn' });
    await alice.client.socket.groupUpdateDescription(byLid, 'what it is about');
    const lid = await alice.client.socket.groupMetadata(byLid);
    assert.equal(lid.addressingMode, 'lid');
    assert.equal(lid.desc, 'what it is about');
    assert.deepEqual(
      lid.participants.map(({ id, phoneNumber, admin }) => ({ id, phoneNumber, admin })),
      [
        { id: await lidOf(alice.phone), phoneNumber: alice.jid, admin: 'superadmin' },
        { id: await lidOf(ann), phoneNumber: jidOf(ann), admin: null },
        { id: await lidOf(bob.phone), phoneNumber: bob.jid, admin: null },
      ],
    );
    const pn = await alice.client.socket.groupMetadata(byPn);
    assert.equal(pn.addressingMode, 'pn');
    assert.deepEqual(
      [pn.owner, pn.participants[1]?.id, pn.participants[1]?.lid],
      [alice.jid, jidOf(ann), await lidOf(ann)],
    );
    const all = await alice.client.socket.groupFetchAllParticipating();
    assert.deepEqual(
      [all[byLid]?.subject, all[byLid]?.desc, all[byPn]?.subject],
      ['By LID', 'what it is about', 'By number'],
    );
    assert.equal(all[byLid]?.participants.length, 3);
    assert.equal((await bob.client.socket.groupFetchAllParticipating())[byPn], undefined);
    await assert.rejects(alice.client.socket.groupMetadata('120363999999999999@g.us'), refusal(404));
    await assert.rejects(bob.client.socket.groupMetadata(byPn), refusal(403));
  });

  test('people are added, with an error for each that cannot be', async () => {
    const jid = await found({ subject: 'Adding', participants: [bob.phone] });
    const wanted = [jidOf(ann), bob.jid, jidOf(shy), jidOf(nobody)];
    const results = await alice.client.socket.groupParticipantsUpdate(jid, wanted, 'add');
    assert.deepEqual(
      results.map(({ status, jid: who }) => [status, who]),
      [
        ['200', await lidOf(ann)],
        ['409', await lidOf(bob.phone)],
        ['403', await lidOf(shy)],
        ['404', jidOf(nobody)],
      ],
    );
    const request = results[2]?.content.content;
    assert.ok(Array.isArray(request));
    assert.equal(request[0]?.tag, 'add_request');
    assert.ok((request[0]?.attrs['code'] ?? '').length > 10);
    const added = await eventually(() => atBob.participants.find(({ id, action }) => id === jid && action === 'add'));
    assert.deepEqual(
      added.participants.map(({ id, phoneNumber }) => [id, phoneNumber]),
      [[await lidOf(ann), jidOf(ann)]],
    );
  });

  test('who must be asked first joins with the personal invite', async () => {
    await contact(simulator, { phone: bob.phone, forbids_group_add: true });
    const jid = await found({ subject: 'Invited', participants: [ann] });
    const [result] = await alice.client.socket.groupParticipantsUpdate(jid, [bob.jid], 'add');
    const request = Array.isArray(result?.content.content) ? result.content.content[0] : undefined;
    const { code = '', expiration = '0' } = request?.attrs ?? {};
    const invite = { groupJid: jid, inviteCode: code, inviteExpiration: Number(expiration) };
    const from: unknown = await bob.client.socket.groupAcceptInviteV4(alice.jid, invite);
    assert.equal(from, jid);
    assert.equal((await bob.client.socket.groupMetadata(jid)).subject, 'Invited');
    await assert.rejects(bob.client.socket.groupAcceptInviteV4(alice.jid, invite), refusal(409));
    await contact(simulator, { phone: bob.phone, forbids_group_add: false });
  });

  test('roles change, members are removed, and everybody is told, the removed ones too', async () => {
    const jid = await found({ subject: 'Roles', participants: [ann, bob.phone] });
    const { socket } = alice.client;
    await socket.groupParticipantsUpdate(jid, [bob.jid], 'promote');
    await eventually(() => atBob.participants.some(({ id, action }) => id === jid && action === 'promote'));
    await bob.client.socket.groupUpdateSubject(jid, 'Bob may');
    await eventually(() => stub(alice, jid, WAMessageStubType.GROUP_CHANGE_SUBJECT));
    await socket.groupParticipantsUpdate(jid, [bob.jid], 'demote');
    await eventually(() => atBob.participants.some(({ id, action }) => id === jid && action === 'demote'));
    const refused = await socket.groupParticipantsUpdate(jid, [jidOf(ben)], 'promote');
    assert.equal(refused[0]?.status, '404');
    await assert.rejects(bob.client.socket.groupParticipantsUpdate(jid, [jidOf(ann)], 'remove'), refusal(403));
    await socket.groupParticipantsUpdate(jid, [bob.jid], 'remove');
    const removed = await eventually(() =>
      atBob.participants.find(({ id, action }) => id === jid && action === 'remove'),
    );
    assert.equal(removed.author, await lidOf(alice.phone));
    await assert.rejects(bob.client.socket.groupMetadata(jid), refusal(403));
  });

  test('who leaves is told so, and a group without admin gets one', async () => {
    const jid = await found({ subject: 'Leaving', participants: [bob.phone, ann] });
    await alice.client.socket.groupLeave(jid);
    await eventually(() => stub(bob, jid, WAMessageStubType.GROUP_PARTICIPANT_LEAVE));
    await eventually(() => atBob.participants.some(({ id, action }) => id === jid && action === 'promote'));
    const { participants } = await groupOf(jid);
    assert.deepEqual(participants, [
      { jid: bob.jid, lid: await lidOf(bob.phone), role: 'admin' },
      { jid: jidOf(ann), lid: await lidOf(ann), role: 'member' },
    ]);
    await assert.rejects(alice.client.socket.groupLeave(jid), refusal(403));
  });

  test('settings are kept, obeyed and told', async () => {
    const jid = await found({ subject: 'Settings', participants: [bob.phone] });
    const { socket } = alice.client;
    await socket.groupSettingUpdate(jid, 'locked');
    await eventually(() => atBob.groupsUpdated.some(({ id, restrict }) => id === jid && restrict === true));
    await assert.rejects(bob.client.socket.groupUpdateSubject(jid, 'not mine to change'), refusal(403));
    await socket.groupSettingUpdate(jid, 'announcement');
    await eventually(() => stub(bob, jid, WAMessageStubType.GROUP_CHANGE_ANNOUNCE));
    await socket.groupToggleEphemeral(jid, 86_400);
    await eventually(() =>
      bob.client.messages.find(
        ({ key, message }) => key.remoteJid === jid && message?.protocolMessage?.ephemeralExpiration === 86_400,
      ),
    );
    await socket.groupMemberAddMode(jid, 'all_member_add');
    await eventually(() => atBob.groupsUpdated.some(({ id, memberAddMode }) => id === jid && memberAddMode === true));
    await bob.client.socket.groupParticipantsUpdate(jid, [jidOf(ann)], 'add');
    const metadata = await socket.groupMetadata(jid);
    assert.deepEqual(
      [
        metadata.restrict,
        metadata.announce,
        metadata.ephemeralDuration,
        metadata.memberAddMode,
        metadata.participants.length,
      ],
      [true, true, 86_400, true, 3],
    );
    await socket.groupSettingUpdate(jid, 'unlocked');
    await socket.groupSettingUpdate(jid, 'not_announcement');
    await socket.groupToggleEphemeral(jid, 0);
    await socket.groupMemberAddMode(jid, 'admin_add');
    const after = await socket.groupMetadata(jid);
    assert.deepEqual(
      [after.restrict, after.announce, after.ephemeralDuration, after.memberAddMode],
      [false, false, undefined, false],
    );
    await assert.rejects(bob.client.socket.groupSettingUpdate(jid, 'locked'), refusal(403));
  });

  test('descriptions are set, changed and removed', async () => {
    const jid = await found({ subject: 'Described', participants: [bob.phone] });
    await bob.client.socket.groupUpdateDescription(jid, 'by Bob');
    const { desc, descOwnerPn } = await alice.client.socket.groupMetadata(jid);
    assert.deepEqual([desc, descOwnerPn], ['by Bob', bob.jid]);
    const told = await eventually(() => stub(alice, jid, WAMessageStubType.GROUP_CHANGE_DESCRIPTION));
    assert.deepEqual(told.messageStubParameters, ['by Bob']);
    await alice.client.socket.groupUpdateDescription(jid);
    assert.equal((await bob.client.socket.groupMetadata(jid)).desc, undefined);
  });

  test('a link lets strangers look and join, until it is revoked', async () => {
    const jid = await found({ subject: 'Linked', participants: [ann] });
    const { socket } = alice.client;
    const code = await socket.groupInviteCode(jid);
    assert.ok(code);
    const info = await bob.client.socket.groupGetInviteInfo(code);
    assert.deepEqual([info.id, info.subject, info.size], [jid, 'Linked', 2]);
    assert.equal(await bob.client.socket.groupAcceptInvite(code), jid);
    await eventually(() => atAlice.participants.some(({ id, action }) => id === jid && action === 'add'));
    await assert.rejects(bob.client.socket.groupAcceptInvite(code), refusal(409));
    await assert.rejects(bob.client.socket.groupInviteCode(jid), refusal(403));
    const renewed = await socket.groupRevokeInvite(jid);
    assert.notEqual(renewed, code);
    await assert.rejects(bob.client.socket.groupGetInviteInfo(code), refusal(410));
    await assert.rejects(bob.client.socket.groupGetInviteInfo('nosuchcode'), refusal(404));
  });

  test('where admins decide, joining is a request that they approve or reject', async () => {
    const jid = await found({ subject: 'Closed', participants: [ann] });
    const { socket } = alice.client;
    await socket.groupJoinApprovalMode(jid, 'on');
    const code = (await socket.groupInviteCode(jid)) ?? '';
    assert.equal(await bob.client.socket.groupAcceptInvite(code), undefined);
    const asked = await eventually(() => atAlice.joinRequests.find(({ id }) => id === jid));
    assert.deepEqual([asked.participantPn, asked.action, asked.method], [bob.jid, 'created', 'invite_link']);
    const requests = await socket.groupRequestParticipantsList(jid);
    assert.deepEqual(
      requests.map(({ jid: who, phone_number: phone }) => [who, phone]),
      [[await lidOf(bob.phone), bob.jid]],
    );
    const rejected = await socket.groupRequestParticipantsUpdate(jid, [bob.jid], 'reject');
    assert.deepEqual(
      rejected.map(({ status }) => status),
      ['200'],
    );
    await eventually(() => atAlice.joinRequests.some(({ id, action }) => id === jid && action === 'rejected'));
    await act(jid, { by: ben, action: 'request_join' });
    assert.equal(await bob.client.socket.groupAcceptInvite(code), undefined);
    const approved = await socket.groupRequestParticipantsUpdate(jid, [bob.jid, jidOf(shy)], 'approve');
    assert.deepEqual(
      approved.map(({ status }) => status),
      ['200', '404'],
    );
    await eventually(() => atBob.groupsUpserted.some(({ id }) => id === jid));
    await act(jid, { by: ben, action: 'withdraw_request' });
    await eventually(() => atAlice.joinRequests.some(({ id, action }) => id === jid && action === 'revoked'));
    assert.deepEqual((await groupOf(jid))['requests'], []);
  });

  test('contacts change the group as their role allows', async () => {
    const jid = await found({ subject: 'Theirs', participants: [bob.phone], creator: ann });
    await act(jid, { by: ann, action: 'subject', value: 'Hers' });
    await eventually(() => atAlice.groupsUpdated.some(({ id, subject }) => id === jid && subject === 'Hers'));
    await act(jid, { by: ann, action: 'description', value: 'about it' });
    await act(jid, { by: ann, action: 'add', participants: [ben] });
    await eventually(() => atAlice.participants.some(({ id, action }) => id === jid && action === 'add'));
    const { status } = await simulator.api('POST', `/groups/${jid}/actions`, {
      by: ben,
      action: 'locked',
      value: true,
    });
    assert.equal(status, 403);
    await act(jid, { by: ann, action: 'announce', value: true });
    await eventually(() => stub(alice, jid, WAMessageStubType.GROUP_CHANGE_ANNOUNCE));
    await act(jid, { by: ben, action: 'leave' });
    await eventually(() => stub(bob, jid, WAMessageStubType.GROUP_PARTICIPANT_LEAVE));
    await act(jid, { by: ann, action: 'remove', participants: [alice.phone] });
    const removed = await eventually(() =>
      atAlice.participants.find(({ id, action, author }) => id === jid && action === 'remove' && author !== undefined),
    );
    assert.ok(removed);
    const missing = await simulator.api('POST', '/groups/120363000000000000@g.us/actions', {
      by: ann,
      action: 'leave',
    });
    assert.equal(missing.status, 404);
  });

  test('a session learns of changes that happened while it was away, in order', async () => {
    const jid = await found({ subject: 'Away', participants: [bob.phone] });
    await eventually(() => atBob.groupsUpserted.some(({ id }) => id === jid));
    await bob.client.close();
    const seen = bob.client.messages.length;
    for (const value of ['one', 'two', 'three']) await act(jid, { by: alice.phone, action: 'subject', value });
    await bob.client.open();
    atBob = new SeenEvents(bob.client.socket);
    const told = await eventually(() => {
      const stubs = bob.client.messages.slice(seen).filter(({ key }) => key.remoteJid === jid);
      return stubs.length >= 3 ? stubs : null;
    });
    assert.deepEqual(
      told.map(({ messageStubParameters: values }): unknown => (Array.isArray(values) ? values[0] : null)),
      ['one', 'two', 'three'],
    );
  });

  test('nothing is left unanswered or unknown', async () => {
    await alice.assertClean();
    await bob.assertClean();
  });
});
