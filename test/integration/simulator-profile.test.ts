import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import sharp from 'sharp';
import { eventually } from '../support/eventually.ts';
import { SeenEvents } from '../support/seen-events.ts';
import { contact, type Fields, SimulatedAccount } from '../support/simulated-account.ts';
import { type SimulatorProcess, startSimulator } from '../support/simulator.ts';

const ann = '15550141001';
const ben = '15550141002';
const jidOf = (phone: string) => `${phone}@s.whatsapp.net`;

describe('profiles, blocking and privacy on the simulated WhatsApp', () => {
  let simulator: SimulatorProcess;
  let alice: SimulatedAccount;
  let bob: SimulatedAccount;
  let atAlice: SeenEvents;
  let atBob: SeenEvents;
  let jpeg: Buffer;

  before(async () => {
    simulator = await startSimulator();
    alice = new SimulatedAccount(simulator, '15550140001');
    bob = new SimulatedAccount(simulator, '15550140002');
    await Promise.all([alice.link(), bob.link()]);
    atAlice = new SeenEvents(alice.client.socket);
    atBob = new SeenEvents(bob.client.socket);
    await contact(simulator, { phone: ann, name: 'Ann' });
    await contact(simulator, { phone: ben, name: 'Ben' });
    const blank = { width: 64, height: 64, channels: 3 as const, background: '#204060' };
    jpeg = await sharp({ create: blank }).jpeg().toBuffer();
  });

  after(async () => {
    await alice.client.close();
    await bob.client.close();
    await simulator.stop();
  });

  const person = async (phone: string): Promise<Fields> => (await simulator.api('GET', `/people/${phone}`)).body;
  const refusal = (code: number) => (error: unknown) =>
    typeof error === 'object' && error !== null && 'data' in error && error.data === code;
  const fetched = async (url: string | undefined) => {
    assert.ok(url);
    const response = await fetch(url);
    assert.deepEqual([response.status, response.headers.get('content-type')], [200, 'image/jpeg']);
    return Buffer.from(await response.arrayBuffer());
  };

  test('pictures of contacts are seen, unless there is none or they are hidden', async () => {
    const { socket } = alice.client;
    await assert.rejects(socket.profilePictureUrl(jidOf(ann)), refusal(404));
    await contact(simulator, { phone: ann, picture: jpeg.toString('base64') });
    assert.deepEqual(await fetched(await socket.profilePictureUrl(jidOf(ann), 'image')), jpeg);
    await contact(simulator, { phone: ann, picture_hidden: true });
    await assert.rejects(socket.profilePictureUrl(jidOf(ann)), refusal(401));
    await contact(simulator, { phone: ann, picture_hidden: false, picture: null });
    await assert.rejects(socket.profilePictureUrl(jidOf(ann)), refusal(404));
    assert.equal((await fetch(`${simulator.controlUrl}/pictures/nosuchpicture`)).status, 404);
  });

  test('a session that knows a contact is told of a new picture', async () => {
    await alice.write({ from: ann, text: 'you know me' });
    await alice.received('you know me');
    await contact(simulator, { phone: ann, picture: jpeg.toString('base64') });
    const { lid } = await person(ann);
    await eventually(() => atAlice.contacts.some(({ id, imgUrl }) => id === lid && imgUrl === 'changed'));
    await contact(simulator, { phone: ann, picture: null });
    await eventually(() => atAlice.contacts.some(({ id, imgUrl }) => id === lid && imgUrl === 'removed'));
    assert.equal(
      atBob.contacts.some(({ imgUrl }) => imgUrl !== undefined),
      false,
    );
  });

  test('a session sets and removes its own picture, and that of a group', async () => {
    const { socket } = alice.client;
    await socket.updateProfilePicture(alice.jid, jpeg);
    const seen = await fetched(await bob.client.socket.profilePictureUrl(alice.jid));
    assert.equal((await sharp(seen).metadata()).format, 'jpeg');
    await socket.removeProfilePicture(alice.jid);
    await assert.rejects(bob.client.socket.profilePictureUrl(alice.jid), refusal(404));
    const group = await socket.groupCreate('Pictured', [bob.jid]);
    await socket.updateProfilePicture(group.id, jpeg);
    await eventually(() => atBob.contacts.some(({ id, imgUrl }) => id === group.id && imgUrl === 'changed'));
    await fetched(await bob.client.socket.profilePictureUrl(group.id));
    await socket.groupSettingUpdate(group.id, 'locked');
    await assert.rejects(bob.client.socket.removeProfilePicture(group.id), refusal(403));
    await assert.rejects(socket.updateProfilePicture(jidOf(ann), jpeg), refusal(403));
    await socket.removeProfilePicture(group.id);
    await assert.rejects(socket.profilePictureUrl(group.id), refusal(404));
  });

  test('"about" texts are read and set, unless hidden', async () => {
    const about = async (jid: string) => {
      const found: unknown = (await alice.client.socket.fetchStatus(jid))?.[0]?.['status'];
      return typeof found === 'object' && found !== null && 'status' in found ? found.status : null;
    };
    await contact(simulator, { phone: ann, about: 'at sea' });
    assert.equal(await about(jidOf(ann)), 'at sea');
    await contact(simulator, { phone: ann, about_hidden: true });
    assert.equal(await about(jidOf(ann)), '');
    await bob.client.socket.updateProfileStatus('on land');
    assert.equal(await about(bob.jid), 'on land');
    assert.equal((await person(bob.phone))['about'], 'on land');
  });

  test('businesses have a profile, others have none', async () => {
    const business = {
      description: 'Fine breads',
      address: 'Main Street 1',
      email: 'shop@example.com',
      category: 'Bakery',
    };
    await contact(simulator, { phone: ben, is_business: true, business });
    const profile = await alice.client.socket.getBusinessProfile(jidOf(ben));
    assert.ok(profile !== undefined);
    assert.deepEqual(
      [profile.wid, profile.description, profile.address, profile.email, profile.category],
      [jidOf(ben), 'Fine breads', 'Main Street 1', 'shop@example.com', 'Bakery'],
    );
    assert.equal(await alice.client.socket.getBusinessProfile(jidOf(ann)), undefined);
    await contact(simulator, { phone: ben, is_business: false });
    assert.equal(await alice.client.socket.getBusinessProfile(jidOf(ben)), undefined);
  });

  test('one query tells business, picture and about together', async () => {
    await contact(simulator, {
      phone: ben,
      is_business: true,
      business: { name: 'Bens' },
      picture: jpeg.toString('base64'),
    });
    const answer: unknown = await alice.client.socket.query({
      tag: 'iq',
      attrs: { to: '@s.whatsapp.net', type: 'get', xmlns: 'usync' },
      content: [
        {
          tag: 'usync',
          attrs: { sid: '1', mode: 'query', context: 'interactive', last: 'true', index: '0' },
          content: [
            {
              tag: 'query',
              attrs: {},
              content: ['business', 'picture', 'status'].map((tag) => ({ tag, attrs: {} })),
            },
            { tag: 'list', attrs: {}, content: [{ tag: 'user', attrs: { jid: jidOf(ben) } }] },
          ],
        },
      ],
    });
    const text = JSON.stringify(answer);
    for (const tag of ['verified_name', 'picture', 'status']) assert.ok(text.includes(`"tag":"${tag}"`), text);
  });

  test('who is blocked is not heard, under the number and under the LID', async () => {
    const { socket } = alice.client;
    await socket.onWhatsApp(ben);
    await alice.send(jidOf(ben), 'so that the LID is known');
    await socket.updateBlockStatus(jidOf(ben), 'block');
    const { lid } = await person(ben);
    await eventually(() => atAlice.blocklist.some(({ blocklist, type }) => type === 'add' && blocklist[0] === lid));
    assert.deepEqual(await socket.fetchBlocklist(), [lid]);
    for (const addressing of ['lid', 'pn']) {
      await contact(simulator, { phone: ben, addressing });
      await alice.write({ from: ben, text: `can you hear me, ${addressing}` });
    }
    const call = await alice.post('calls', { from: ben });
    assert.equal(call.body['status'], 'blocked');
    await socket.updateBlockStatus(String(lid), 'unblock');
    await eventually(() => atAlice.blocklist.some(({ type }) => type === 'remove'));
    assert.deepEqual(await socket.fetchBlocklist(), []);
    await alice.write({ from: ben, text: 'and now' });
    await alice.received('and now');
    assert.equal(JSON.stringify(alice.client.messages).includes('can you hear me'), false);
    assert.deepEqual(atAlice.calls, []);
  });

  test('a session that another account has blocked writes in vain', async () => {
    await bob.send(alice.jid, 'before');
    const { key } = await alice.received('before');
    await alice.client.socket.updateBlockStatus(key.remoteJid ?? '', 'block');
    const id = await bob.send(alice.jid, 'in vain');
    assert.equal((await bob.ack(id))['error'], undefined);
    await alice.client.socket.updateBlockStatus(key.remoteJid ?? '', 'unblock');
    await bob.send(alice.jid, 'heard again');
    await alice.received('heard again');
    assert.equal(JSON.stringify(alice.client.messages).includes('in vain'), false);
  });

  test('privacy settings are kept and obeyed', async () => {
    const { socket } = bob.client;
    assert.equal((await socket.fetchPrivacySettings(true))['last'], 'all');
    await socket.updateLastSeenPrivacy('contacts');
    await socket.updateGroupsAddPrivacy('contact_blacklist');
    await socket.updateProfilePicturePrivacy('none');
    await socket.updateStatusPrivacy('none');
    const settings = await socket.fetchPrivacySettings(true);
    assert.deepEqual(
      [settings['last'], settings['groupadd'], settings['profile'], settings['status']],
      ['contacts', 'contact_blacklist', 'none', 'none'],
    );
    await socket.updateProfilePicture(bob.jid, jpeg);
    await assert.rejects(alice.client.socket.profilePictureUrl(bob.jid), refusal(401));
    await fetched(await socket.profilePictureUrl(bob.jid));
  });

  test('the life of messages in new chats is kept and told to all sessions', async () => {
    await bob.client.socket.updateDefaultDisappearingMode(86_400);
    const told = await alice.client.socket.fetchDisappearingDuration(bob.jid);
    assert.ok(JSON.stringify(told).includes('86400'));
    await eventually(
      () => bob.client.auth.creds.accountSettings.defaultDisappearingMode?.ephemeralExpiration === 86_400,
    );
  });

  test('a contact with a new phone has a new identity, and goes on writing and reading', async () => {
    await alice.inboxCopy(await alice.send(jidOf(ann), 'to the old phone'), jidOf(ann));
    await alice.write({ from: ann, text: 'from the old phone' });
    await alice.received('from the old phone');
    const { status } = await simulator.api('POST', `/contacts/${ann}/reinstall`);
    assert.equal(status, 200);
    const id = await alice.send(jidOf(ann), 'to the new phone');
    await alice.inboxCopy(id, jidOf(ann));
    await alice.write({ from: ann, text: 'from the new phone' });
    await alice.received('from the new phone');
    assert.equal((await simulator.api('POST', `/contacts/${alice.phone}/reinstall`)).status, 422);
  });

  test('restrictions and quotas of an account are asked for and told', async () => {
    const { socket } = alice.client;
    assert.equal((await socket.fetchAccountReachoutTimelock()).isActive, false);
    await alice.post('restriction', { active: true, seconds: 3600, type: 'BIZ_QUALITY' });
    await eventually(() => atAlice.connection.some(({ reachoutTimeLock }) => reachoutTimeLock?.isActive === true));
    const { isActive, enforcementType } = await socket.fetchAccountReachoutTimelock();
    assert.deepEqual([isActive, enforcementType], [true, 'BIZ_QUALITY']);
    await alice.post('restriction', { active: false });
    await eventually(() => atAlice.connection.at(-1)?.reachoutTimeLock?.isActive === false);
    await alice.post('quota', { total: 10, used: 10 });
    await eventually(() => atAlice.capping.some((info) => info.used_quota === 10));
    assert.equal((await socket.fetchNewChatMessageCap()).capping_status, 'CAPPED');
  });

  test('a session that is told that its groups have changed asks for them', async () => {
    await alice.client.socket.groupCreate('Dirty', [jidOf(ann)]);
    const before = atAlice.groupsUpdated.length;
    await alice.post('dirty', { type: 'groups' });
    await eventually(() => atAlice.groupsUpdated.slice(before).some(({ subject }) => subject === 'Dirty'));
    await alice.post('dirty', { type: 'account_sync' });
    await eventually(() => alice.client.auth.creds.lastAccountSyncTimestamp !== undefined);
  });

  test('nothing is left unanswered or unknown', async () => {
    await alice.assertClean();
    await bob.assertClean();
  });
});
