import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { BinaryNode, SignalDataSet, SignalKeyStore } from '@whiskeysockets/baileys';
import { type ClientAuth, memoryAuth } from '../support/baileys-client.ts';
import { eventually } from '../support/eventually.ts';
import { contact, SimulatedAccount } from '../support/simulated-account.ts';
import { type SimulatorProcess, startSimulator } from '../support/simulator.ts';

const ann = '15550103001';
const annJid = `${ann}@s.whatsapp.net`;
const ben = '15550103002';

/** Keys whose Signal sessions can be lost, or set back as by a crash between sending and saving. */
class FragileAuth implements ClientAuth {
  readonly #inner = memoryAuth();
  readonly #sessionIds = new Set<string>();
  readonly creds = this.#inner.creds;
  readonly keys: SignalKeyStore = {
    get: (type, ids) => this.#inner.keys.get(type, ids),
    set: (data: SignalDataSet) => {
      for (const id of Object.keys(data.session ?? {})) this.#sessionIds.add(id);
      return this.#inner.keys.set(data);
    },
  };

  async sessions(): Promise<SignalDataSet> {
    return { session: await this.#inner.keys.get('session', [...this.#sessionIds]) };
  }

  async restore(data: SignalDataSet): Promise<void> {
    await this.#inner.keys.set(data);
  }

  async loseSessions(): Promise<void> {
    await this.restore({ session: Object.fromEntries([...this.#sessionIds].map((id) => [id, null])) });
  }
}

describe('messages that cannot be read', () => {
  let simulator: SimulatorProcess;
  let alice: SimulatedAccount;
  let bob: SimulatedAccount;
  let aliceKeys: FragileAuth;
  let bobKeys: FragileAuth;

  before(async () => {
    simulator = await startSimulator();
    aliceKeys = new FragileAuth();
    bobKeys = new FragileAuth();
    alice = new SimulatedAccount(simulator, '15550100031', aliceKeys);
    bob = new SimulatedAccount(simulator, '15550100032', bobKeys);
    await Promise.all([alice.link(), bob.link()]);
    await contact(simulator, { phone: ann, name: 'Ann' });
  });

  after(async () => {
    await alice.client.close();
    await bob.client.close();
    await simulator.stop();
  });

  /** Both sides have sent and received, so that messages are no pre-key messages any more. */
  const warmUp = async (text: string) => {
    const id = await alice.send(annJid, text);
    await alice.inboxCopy(id, annJid);
    await alice.write({ from: ann, text: `${text}, too` });
    await alice.received(`${text}, too`);
  };

  test('a contact that lost its session asks again, and reads what the session encrypts anew', async () => {
    await warmUp('warm');
    assert.equal((await alice.post('forget', { contact: ann })).status, 200);
    const id = await alice.send(annJid, 'after the loss');
    assert.equal((await alice.inboxCopy(id, annJid))['text'], 'after the loss');
    await alice.untilStatus(id, 3);
    const next = await alice.send(annJid, 'and the next one');
    await alice.inboxCopy(next, annJid);
    assert.equal((await alice.post('forget', { contact: '15559999999' })).status, 404);
  });

  test('the own phone that lost its session asks again', async () => {
    await alice.write({ from: 'phone', to: ann, text: 'phone has a session' });
    await alice.received('phone has a session');
    await alice.inboxCopy(await alice.send(annJid, 'both have one'), alice.jid);
    await alice.post('forget', { contact: 'phone' });
    const id = await alice.send(annJid, 'for my phone as well');
    const copy = await alice.inboxCopy(id, alice.jid);
    assert.deepEqual([copy['text'], copy['chat']], ['for my phone as well', annJid]);
  });

  test('a session that lost its keys asks again, and a contact encrypts anew under the same id', async () => {
    await warmUp('warm again');
    await aliceKeys.loseSessions();
    const id = await alice.write({ from: ann, text: 'can you read this' });
    const message = await alice.received('can you read this');
    assert.equal(message.key.id, id);
    await alice.write({ from: ann, text: 'and this' });
    await alice.received('and this');
  });

  test('a request for a new copy between two sessions reaches the sender, which sends again', async () => {
    await alice.send(bob.jid, 'to Bob');
    const first = await bob.received('to Bob');
    await bob.send(first.key.remoteJid ?? '', 'to Alice');
    await alice.received('to Alice');
    await bobKeys.loseSessions();
    const id = await alice.send(bob.jid, 'to a Bob without keys');
    const message = await bob.received('to a Bob without keys');
    assert.deepEqual([message.key.id, message.key.fromMe], [id, false]);
    await alice.untilStatus(id, 3);
  });

  test('nothing is left unanswered, and no key was used twice', async () => {
    await alice.assertClean();
    await bob.assertClean();
  });
});

describe('the judge of ratchet positions', () => {
  let simulator: SimulatorProcess;

  before(async () => {
    simulator = await startSimulator();
    await contact(simulator, { phone: ben, behaviour: 'silent' });
  });

  after(async () => {
    await simulator.stop();
  });

  const benJid = `${ben}@s.whatsapp.net`;
  const repeats = async (account: SimulatedAccount) => {
    const { repeated_ratchet_positions: repeated, resent_ciphertexts: resent } = await account.oracle();
    return { repeated, resent };
  };

  test('a message key that is used for two messages is noticed, for each copy', async () => {
    const keys = new FragileAuth();
    const account = new SimulatedAccount(simulator, '15550100041', keys);
    try {
      await account.link();
      await account.ack(await account.send(benJid, 'opens the sessions'));
      const saved = await keys.sessions();
      await account.ack(await account.send(benJid, 'first use'));
      assert.deepEqual(await repeats(account), { repeated: 0, resent: 0 });
      await keys.restore(saved);
      await account.ack(await account.send(benJid, 'second use'));
      // One copy for the contact, one for the own phone.
      assert.deepEqual(await repeats(account), { repeated: 2, resent: 0 });
    } finally {
      await account.client.close();
    }
  });

  test('a copy for another session is judged as well, although nobody here can read it', async () => {
    const keys = new FragileAuth();
    const sender = new SimulatedAccount(simulator, '15550100042', keys);
    const receiver = new SimulatedAccount(simulator, '15550100043');
    try {
      await Promise.all([sender.link(), receiver.link()]);
      await sender.send(receiver.jid, 'opens the sessions');
      await receiver.received('opens the sessions');
      const saved = await keys.sessions();
      await sender.ack(await sender.send(receiver.jid, 'first use'));
      await keys.restore(saved);
      await sender.ack(await sender.send(receiver.jid, 'second use'));
      // The other session, the other phone, the own phone.
      assert.deepEqual(await repeats(sender), { repeated: 3, resent: 0 });
    } finally {
      await sender.client.close();
      await receiver.client.close();
    }
  });

  test('the same bytes again are told apart from a reused key', async () => {
    const account = new SimulatedAccount(simulator, '15550100044');
    try {
      await account.link();
      await account.ack(await account.send(benJid, 'opens the sessions'));
      const { socket } = account.client;
      const { nodes } = await socket.createParticipantNodes([benJid], { conversation: 'sent twice' });
      const id = '3EB0000000000000BB01';
      const stanza: BinaryNode = {
        tag: 'message',
        attrs: { id, to: benJid, type: 'text' },
        content: [{ tag: 'participants', attrs: {}, content: nodes }],
      };
      await socket.sendNode(stanza);
      await account.inboxCopy(id, benJid);
      await socket.sendNode(stanza);
      await eventually(
        async () => (await repeats(account)).resent === 1,
        undefined,
        () => repeats(account),
      );
      assert.equal((await repeats(account)).repeated, 0);
      assert.equal((await account.inbox(`?contact=${ben}`)).filter((copy) => copy['message_id'] === id).length, 1);
    } finally {
      await account.client.close();
    }
  });
});
