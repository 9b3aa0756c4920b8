import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { SeenEvents } from '../support/seen-events.ts';
import { contact, SimulatedAccount } from '../support/simulated-account.ts';
import { type SimulatorProcess, startSimulator } from '../support/simulator.ts';

const ann = '15550131001';
const annJid = `${ann}@s.whatsapp.net`;

describe('presence, typing and calls on the simulated WhatsApp', () => {
  let simulator: SimulatorProcess;
  let alice: SimulatedAccount;
  let bob: SimulatedAccount;
  let atAlice: SeenEvents;
  let atBob: SeenEvents;

  before(async () => {
    simulator = await startSimulator();
    alice = new SimulatedAccount(simulator, '15550130001');
    bob = new SimulatedAccount(simulator, '15550130002');
    await Promise.all([alice.link(), bob.link()]);
    atAlice = new SeenEvents(alice.client.socket);
    atBob = new SeenEvents(bob.client.socket);
    await contact(simulator, { phone: ann, name: 'Ann' });
    for (const [account, name] of [
      [alice, 'Alice'],
      [bob, 'Bob'],
    ] as const) {
      const { me } = account.client.auth.creds;
      assert.ok(me);
      // Without a name clients keep their presence to themselves.
      account.client.socket.ev.emit('creds.update', { me: { ...me, name } });
    }
  });

  after(async () => {
    await alice.client.close();
    await bob.client.close();
    await simulator.stop();
  });

  const lidOf = async (phone: string) => String((await simulator.api('GET', `/people/${phone}`)).body['lid']);
  const presenceOf = (seen: SeenEvents, chat: string, who = chat) =>
    seen.presences.findLast(({ id, presences }) => id === chat && presences[who] !== undefined)?.presences[who];
  const untilPresence = (seen: SeenEvents, where: string | { chat: string; who: string }, state: string) => {
    const { chat, who } = typeof where === 'string' ? { chat: where, who: where } : where;
    return eventually(
      () => {
        const presence = presenceOf(seen, chat, who);
        return presence?.lastKnownPresence === state ? presence : null;
      },
      undefined,
      () => seen.presences,
    );
  };
  const chatStates = async (account: SimulatedAccount) =>
    JSON.stringify((await simulator.api('GET', `/accounts/${account.phone}/chat-states`)).body);

  test('a session that is not online itself is told nothing', async () => {
    const body = { contact: ann, status: 'available' };
    await alice.client.socket.presenceSubscribe(annJid);
    await eventually(async () => (await chatStates(alice)).includes('subscribe'));
    assert.equal((await alice.post('presence', body)).body['sessions'], 0);
    assert.equal((await alice.post('typing', { contact: ann, state: 'composing' })).body['sessions'], 0);
    await alice.client.socket.sendPresenceUpdate('available');
    await eventually(async () => (await alice.post('presence', body)).body['sessions'] === 1);
    await untilPresence(atAlice, annJid, 'available');
  });

  test('who subscribes learns at once how it stands, under the address it asked for', async () => {
    const lid = await lidOf(ann);
    await alice.post('presence', { contact: ann, status: 'unavailable', last_seen: 1_700_000_000 });
    await alice.client.socket.presenceSubscribe(lid);
    const presence = await untilPresence(atAlice, lid, 'unavailable');
    assert.equal(presence.lastSeen, 1_700_000_000);
    await alice.post('presence', { contact: ann, status: 'unavailable', last_seen: null });
    await eventually(() => {
      const last = presenceOf(atAlice, lid);
      return last?.lastKnownPresence === 'unavailable' && last.lastSeen === undefined;
    });
  });

  test('typing, recording and pausing of contacts arrive, also in groups', async () => {
    const lid = await lidOf(ann);
    for (const state of ['composing', 'recording'] as const) {
      await alice.post('typing', { contact: ann, state });
      await untilPresence(atAlice, lid, state);
    }
    await alice.post('typing', { contact: ann, state: 'paused' });
    await untilPresence(atAlice, lid, 'available');
    const { body } = await alice.post('groups', { subject: 'Typing', participants: [ann, bob.phone] });
    const group = String(body['jid']);
    await alice.post('typing', { contact: ann, group, state: 'composing' });
    await untilPresence(atAlice, { chat: group, who: lid }, 'composing');
    assert.equal((await alice.post('typing', { contact: '15550139999', group, state: 'composing' })).status, 403);
    await bob.client.socket.sendPresenceUpdate('available');
    await alice.client.socket.sendPresenceUpdate('recording', group);
    await untilPresence(atBob, { chat: group, who: await lidOf(alice.phone) }, 'recording');
  });

  test('sessions see presence and typing of each other', async () => {
    await bob.client.socket.sendPresenceUpdate('available');
    await bob.client.socket.presenceSubscribe(alice.jid);
    await untilPresence(atBob, alice.jid, 'available');
    await alice.client.socket.sendPresenceUpdate('composing', bob.jid);
    await untilPresence(atBob, await lidOf(alice.phone), 'composing');
    await alice.client.socket.sendPresenceUpdate('unavailable');
    const away = await untilPresence(atBob, alice.jid, 'unavailable');
    assert.ok(away.lastSeen);
    assert.equal((await simulator.api('GET', `/people/${alice.phone}`)).body['name'], 'Alice');
    await alice.client.socket.sendPresenceUpdate('available');
    await untilPresence(atBob, alice.jid, 'available');
  });

  test('a call rings, and is accepted elsewhere, not answered, or ended', async () => {
    const ring = async (call: Readonly<Record<string, unknown>>) => {
      const { status, body } = await alice.post('calls', { from: ann, ...call });
      assert.equal(status, 201, JSON.stringify(body));
      return String(body['call_id']);
    };
    const told = (id: string, status: string) =>
      eventually(
        () => atAlice.calls.find((call) => call.id === id && call.status === status),
        undefined,
        () => atAlice.calls,
      );
    const voice = await ring({});
    const offer = await told(voice, 'offer');
    assert.deepEqual(
      [offer.from, offer.callerPn, offer.isVideo, offer.isGroup],
      [await lidOf(ann), annJid, false, false],
    );
    await alice.post('calls', { call_id: voice, action: 'accept' });
    await told(voice, 'accept');
    const video = await ring({ video: true });
    assert.equal((await told(video, 'offer')).isVideo, true);
    await alice.post('calls', { call_id: video, action: 'timeout' });
    await told(video, 'timeout');
    const group = String((await alice.post('groups', { subject: 'Calling', participants: [ann] })).body['jid']);
    const inGroup = await ring({ group });
    const groupOffer = await told(inGroup, 'offer');
    assert.deepEqual([groupOffer.isGroup, groupOffer.groupJid], [true, group]);
    await alice.post('calls', { call_id: inGroup, action: 'terminate' });
    await told(inGroup, 'terminate');
    const { calls } = (await simulator.api('GET', `/accounts/${alice.phone}/calls`)).body;
    assert.ok(Array.isArray(calls));
    assert.deepEqual(
      calls.map((call: { status: string }) => call.status),
      ['accepted', 'timed_out', 'ended'],
    );
  });

  test('a session rejects a call', async () => {
    const id = String((await bob.post('calls', { from: ann })).body['call_id']);
    const offer = await eventually(() => atBob.calls.find((call) => call.id === id));
    await bob.client.socket.rejectCall(id, offer.from);
    const { calls } = (await simulator.api('GET', `/accounts/${bob.phone}/calls`)).body;
    assert.ok(Array.isArray(calls));
    assert.deepEqual(
      calls.map((call: { call_id: string; status: string }) => [call.call_id, call.status]),
      [[id, 'rejected']],
    );
    assert.equal((await bob.post('calls', { call_id: 'NONE', action: 'accept' })).status, 404);
    assert.ok(await bob.client.socket.createCallLink('video'));
  });

  test('a call that came while the session was away is told at its next login', async () => {
    await bob.client.close();
    const id = String((await bob.post('calls', { from: ann })).body['call_id']);
    bob.client.connect();
    atBob = new SeenEvents(bob.client.socket);
    const call = await eventually(() => atBob.calls.find((candidate) => candidate.id === id));
    assert.equal(call.offline, true);
    await bob.client.untilOpen();
  });

  test('nothing is left unanswered or unknown', async () => {
    await alice.assertClean();
    await bob.assertClean();
  });
});
