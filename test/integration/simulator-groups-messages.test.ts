import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { generateMessageIDV2, type SignalDataSet, type SignalKeyStore } from '@whiskeysockets/baileys';
import { type ClientAuth, memoryAuth } from '../support/baileys-client.ts';
import { eventually } from '../support/eventually.ts';
import { SeenEvents } from '../support/seen-events.ts';
import { contact, type Fields, SimulatedAccount } from '../support/simulated-account.ts';
import { type SimulatorProcess, startSimulator } from '../support/simulator.ts';

const ann = '15550121001';
const ben = '15550121002';
const jidOf = (phone: string) => `${phone}@s.whatsapp.net`;

/** Keys of which the sender keys, or the session's memory of who has its own, can be lost or set back. */
class FragileAuth implements ClientAuth {
  readonly #inner = memoryAuth();
  readonly #ids = new Set<string>();
  readonly creds = this.#inner.creds;
  readonly keys: SignalKeyStore = {
    get: (type, ids) => this.#inner.keys.get(type, ids),
    set: (data: SignalDataSet) => {
      for (const id of Object.keys(data['sender-key'] ?? {})) this.#ids.add(id);
      return this.#inner.keys.set(data);
    },
  };

  async senderKeys(): Promise<SignalDataSet> {
    return { 'sender-key': await this.#inner.keys.get('sender-key', [...this.#ids]) };
  }

  async restore(data: SignalDataSet): Promise<void> {
    await this.#inner.keys.set(data);
  }

  async loseSenderKeys(): Promise<void> {
    await this.restore({ 'sender-key': Object.fromEntries([...this.#ids].map((id) => [id, null])) });
  }
}

describe('messages in groups on the simulated WhatsApp', () => {
  let simulator: SimulatorProcess;
  let alice: SimulatedAccount;
  let bob: SimulatedAccount;
  let aliceKeys: FragileAuth;
  let bobKeys: FragileAuth;
  let atAlice: SeenEvents;
  const state = mkdtempSync(join(tmpdir(), 'warden-simulator-'));

  before(async () => {
    simulator = await startSimulator({ stateDirectory: state });
    aliceKeys = new FragileAuth();
    bobKeys = new FragileAuth();
    alice = new SimulatedAccount(simulator, '15550120001', aliceKeys);
    bob = new SimulatedAccount(simulator, '15550120002', bobKeys);
    await Promise.all([alice.link(), bob.link()]);
    atAlice = new SeenEvents(alice.client.socket);
    await contact(simulator, { phone: ann, name: 'Ann' });
    await contact(simulator, { phone: ben, name: 'Ben' });
  });

  after(async () => {
    await alice.client.close();
    await bob.client.close();
    await simulator.stop();
    rmSync(state, { recursive: true, force: true });
  });

  const found = async (settings: Fields): Promise<string> => {
    const { status, body } = await alice.post('groups', settings);
    assert.equal(status, 201, JSON.stringify(body));
    return String(body['jid']);
  };
  const act = async (jid: string, action: Fields) => {
    const { status, body } = await simulator.api('POST', `/groups/${jid}/actions`, action);
    assert.equal(status, 200, JSON.stringify(body));
  };
  const lidOf = async (phone: string) => String((await simulator.api('GET', `/people/${phone}`)).body['lid']);

  for (const addressing of ['lid', 'pn'] as const) {
    test(`a session's message reaches every member of a group in ${addressing} addressing`, async () => {
      const jid = await found({ subject: 'All of us', participants: [ann, ben, bob.phone], addressing });
      const id = await alice.send(jid, `hello all, ${addressing}`);
      assert.equal((await alice.ack(id))['error'], undefined);
      for (const reader of [jidOf(ann), jidOf(ben), alice.jid, bob.jid]) {
        const copy = await alice.inboxCopy(id, reader);
        assert.deepEqual([copy['chat'], copy['text'], copy['author']], [jid, `hello all, ${addressing}`, alice.jid]);
      }
      const { key } = await bob.received(`hello all, ${addressing}`);
      const lid = await lidOf(alice.phone);
      assert.deepEqual([key.remoteJid, key.id, key.fromMe, key.addressingMode], [jid, id, false, addressing]);
      assert.deepEqual(
        [key.participant, key.participantAlt].map((address) => address?.replace(/:\d+@/, '@')),
        addressing === 'lid' ? [lid, alice.jid] : [alice.jid, lid],
      );
      const again = await alice.send(jid, `and again, ${addressing}`);
      await alice.inboxCopy(again, jidOf(ann));
      await bob.received(`and again, ${addressing}`);
    });

    test(`a contact's message reaches all sessions of a group in ${addressing} addressing`, async () => {
      const jid = await found({ subject: 'From Ann', participants: [ann, bob.phone], addressing });
      const id = await alice.write({ from: ann, group: jid, text: `Ann here, ${addressing}` });
      for (const account of [alice, bob]) {
        const { key, pushName } = await account.received(`Ann here, ${addressing}`);
        assert.deepEqual([key.remoteJid, key.id, key.fromMe, pushName], [jid, id, false, 'Ann']);
        const lid = await lidOf(ann);
        const addresses = addressing === 'lid' ? [lid, jidOf(ann)] : [jidOf(ann), lid];
        assert.deepEqual([key.participant, key.participantAlt], addresses);
      }
      await alice.write({ from: ann, group: jid, text: `Ann again, ${addressing}` });
      await Promise.all([alice.received(`Ann again, ${addressing}`), bob.received(`Ann again, ${addressing}`)]);
    });
  }

  test('receipts tell who of the group has it', async () => {
    await contact(simulator, { phone: ann, behaviour: 'reads' });
    const jid = await found({ subject: 'Receipts', participants: [ann, bob.phone] });
    const id = await alice.send(jid, 'who has read this');
    const lid = await lidOf(ann);
    await eventually(() =>
      atAlice.receipts.some(
        ({ key, receipt }) => key.id === id && receipt.userJid === lid && Number(receipt.readTimestamp) > 0,
      ),
    );
    const { key } = await bob.received('who has read this');
    await bob.client.socket.readMessages([key]);
    const bobsLid = await lidOf(bob.phone);
    await eventually(() =>
      atAlice.receipts.some(
        ({ key: of, receipt }) => of.id === id && receipt.userJid === bobsLid && Number(receipt.readTimestamp) > 0,
      ),
    );
    await contact(simulator, { phone: ann, behaviour: 'delivers' });
    const sent = await alice.post('receipts', { message_id: id, type: 'played', contact: ben });
    assert.equal(sent.status, 404);
  });

  test('somebody who echoes does so in the group', async () => {
    await contact(simulator, { phone: ben, behaviour: 'echoes' });
    const jid = await found({ subject: 'Echo', participants: [ben] });
    await alice.send(jid, 'echo in the group');
    const { key } = await alice.received('echo in the group');
    assert.deepEqual([key.remoteJid, key.participantAlt], [jid, jidOf(ben)]);
    await contact(simulator, { phone: ben, behaviour: 'delivers' });
  });

  test('what the own phone writes into a group is an own message to its session', async () => {
    const jid = await found({ subject: 'Own phone', participants: [ann, bob.phone] });
    const id = await alice.write({ from: 'phone', group: jid, text: 'from my phone' });
    const own = await alice.received('from my phone');
    assert.deepEqual([own.key.remoteJid, own.key.id, own.key.fromMe], [jid, id, true]);
    const other = await bob.received('from my phone');
    assert.deepEqual([other.key.fromMe, other.key.participantAlt], [false, alice.jid]);
  });

  test('two sessions of one account see what the other writes into a group', async () => {
    const jid = await found({ subject: 'Two sessions', participants: [ann] });
    const second = new SimulatedAccount(simulator, alice.phone);
    try {
      await second.link();
      const id = await second.send(jid, 'from the second session');
      const copy = await alice.received('from the second session');
      assert.deepEqual([copy.key.remoteJid, copy.key.id, copy.key.fromMe], [jid, id, true]);
      await second.client.socket.logout();
      await second.client.untilClosed();
    } finally {
      await second.client.close();
    }
  });

  test('group messages are quoted, reacted to, edited and deleted by contacts', async () => {
    const jid = await found({ subject: 'All kinds', participants: [ann, ben] });
    const id = await alice.send(jid, 'say something');
    await alice.inboxCopy(id, jidOf(ann));
    await alice.write({ from: ann, group: jid, text: 'a quote', quoted_id: id });
    const quote = await alice.received('a quote');
    assert.equal(quote.message?.extendedTextMessage?.contextInfo?.stanzaId, id);
    await alice.write({ from: ben, group: jid, react_to: id, emoji: '👍' });
    await eventually(() =>
      alice.client.messages.some(
        ({ key, message }) => key.remoteJid === jid && message?.reactionMessage?.key?.id === id,
      ),
    );
    const first = await alice.write({ from: ben, group: jid, text: 'with a tpyo' });
    await alice.received('with a tpyo');
    await alice.write({ from: ben, group: jid, edit_of: first, text: 'without a typo' });
    await eventually(() => JSON.stringify(alice.client.messageUpdates).includes('without a typo'));
    await alice.write({ from: ben, group: jid, delete_of: first });
    await eventually(() =>
      alice.client.messageUpdates.some(({ key, update }) => key.id === first && update.message === null),
    );
  });

  test('members who join or leave begin or cease to read', async () => {
    const jid = await found({ subject: 'Changing', participants: [ann] });
    await alice.inboxCopy(await alice.send(jid, 'before Ben'), jidOf(ann));
    await act(jid, { by: alice.phone, action: 'add', participants: [ben] });
    const withBen = await alice.send(jid, 'with Ben');
    await alice.inboxCopy(withBen, jidOf(ben));
    await act(jid, { by: alice.phone, action: 'remove', participants: [ben] });
    const without = await alice.send(jid, 'without Ben');
    await alice.inboxCopy(without, jidOf(ann));
    const copies = (await alice.inbox(`?contact=${ben}`)).map((copy) => copy['message_id']);
    assert.deepEqual([copies.includes(withBen), copies.includes(without)], [true, false]);
    const refused = await alice.post('messages', { from: ben, group: jid, text: 'let me in' });
    assert.equal(refused.status, 403);
  });

  test('group messages wait for a session that is away', async () => {
    const jid = await found({ subject: 'Away', participants: [ann, bob.phone] });
    await alice.send(jid, 'Bob has my key');
    await bob.received('Bob has my key');
    await bob.client.close();
    await alice.send(jid, 'while Bob was away');
    await alice.write({ from: ann, group: jid, text: 'Ann, while Bob was away' });
    await bob.client.open();
    await Promise.all([bob.received('while Bob was away'), bob.received('Ann, while Bob was away')]);
  });

  test('messages are refused in groups that are unknown, left, or closed to members', async () => {
    const closed = await found({ subject: 'Closed', participants: [alice.phone], creator: ann });
    const refusal = async (to: string) => (await alice.ack(await alice.send(to, 'may I')))['error'];
    await act(closed, { by: ann, action: 'demote', participants: [alice.phone] });
    await act(closed, { by: ann, action: 'announce', value: true });
    assert.equal(await refusal(closed), '420');
    await alice.write({ from: ann, group: closed, text: 'only admins' });
    await alice.received('only admins');
    const raw = async (to: string) => {
      const id = generateMessageIDV2();
      const attrs = { id, to, type: 'text', addressing_mode: 'lid' };
      await alice.client.socket.sendNode({ tag: 'message', attrs, content: [] });
      return (await alice.ack(id))['error'];
    };
    await act(closed, { by: ann, action: 'remove', participants: [alice.phone] });
    assert.equal(await raw(closed), '403');
    assert.equal(await raw('120363000000000001@g.us'), '404');
    const byPn = await found({ subject: 'By number', participants: [ann], addressing: 'pn' });
    assert.equal(await raw(byPn), '421');
    assert.equal((await alice.post('messages', { from: 'phone', group: closed, text: 'no' })).status, 403);
  });

  test('a contact without the sender key asks, and reads what is sent again', async () => {
    const jid = await found({ subject: 'Forgetful', participants: [ann, bob.phone] });
    await alice.inboxCopy(await alice.send(jid, 'Ann has the key'), jidOf(ann));
    await bob.received('Ann has the key');
    assert.equal((await alice.post('forget', { contact: ann })).status, 200);
    const id = await alice.send(jid, 'Ann has lost the key');
    assert.equal((await alice.inboxCopy(id, jidOf(ann)))['text'], 'Ann has lost the key');
    const next = await alice.send(jid, 'and goes on');
    await alice.inboxCopy(next, jidOf(ann));
    await alice.post('forget', { contact: 'phone' });
    const own = await alice.send(jid, 'my phone has lost it as well');
    assert.equal((await alice.inboxCopy(own, alice.jid))['chat'], jid);
  });

  test('a session without the sender key asks the contact, or the other session, for it', async () => {
    const jid = await found({ subject: 'Forgetful sessions', participants: [ann, bob.phone] });
    await alice.write({ from: ann, group: jid, text: 'Bob knows the key' });
    await alice.send(jid, 'this one, too');
    await Promise.all([bob.received('Bob knows the key'), bob.received('this one, too')]);
    await bobKeys.loseSenderKeys();
    const fromAnn = await alice.write({ from: ann, group: jid, text: 'Bob has lost the key' });
    const fromAlice = await alice.send(jid, 'and that one, too');
    assert.equal((await bob.received('Bob has lost the key')).key.id, fromAnn);
    assert.equal((await bob.received('and that one, too')).key.id, fromAlice);
    await alice.write({ from: ann, group: jid, text: 'now all is well' });
    await bob.received('now all is well');
  });

  test('groups, keys and what waits survive the death of the simulator', async () => {
    const jid = await found({ subject: 'Survivors', participants: [ann, bob.phone] });
    await alice.inboxCopy(await alice.send(jid, 'before the crash'), jidOf(ann));
    await bob.received('before the crash');
    await bob.client.close();
    await alice.send(jid, 'for Bob, later');
    const { wsUrl, controlUrl, token } = simulator;
    await alice.client.close();
    await simulator.kill();
    const port = Number(new URL(wsUrl).port);
    const controlPort = Number(new URL(controlUrl).port);
    simulator = await startSimulator({ stateDirectory: state, port, controlPort, token });
    for (const account of [alice, bob]) {
      account.use(simulator);
      await account.client.open();
    }
    await bob.received('for Bob, later');
    await alice.inboxCopy(await alice.send(jid, 'after the crash'), jidOf(ann));
    await bob.received('after the crash');
    await alice.write({ from: ann, group: jid, text: 'I am back' });
    await bob.received('I am back');
  });

  test('nothing is left unanswered, unknown, or encrypted twice with one key', async () => {
    await alice.assertClean();
    await bob.assertClean();
  });

  test('a message key of a group that is used twice is noticed', async () => {
    const jid = await found({ subject: 'Judged', participants: [ann] });
    await alice.ack(await alice.send(jid, 'gives the key'));
    const saved = await aliceKeys.senderKeys();
    await alice.ack(await alice.send(jid, 'first use'));
    await aliceKeys.restore(saved);
    await alice.ack(await alice.send(jid, 'second use'));
    assert.equal((await alice.oracle())['repeated_ratchet_positions'], 1);
  });
});
