import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type BinaryNode, proto } from '@whiskeysockets/baileys';
import { eventually } from '../support/eventually.ts';
import { contact, SimulatedAccount, textOf } from '../support/simulated-account.ts';
import { type SimulatorProcess, startSimulator } from '../support/simulator.ts';

const ann = '15550102001';
const annJid = `${ann}@s.whatsapp.net`;
const delivered = 3;

describe('what the simulated WhatsApp keeps for a session until it is answered', () => {
  let simulator: SimulatorProcess;
  let alice: SimulatedAccount;
  let bob: SimulatedAccount;

  before(async () => {
    simulator = await startSimulator();
    alice = new SimulatedAccount(simulator, '15550100011');
    bob = new SimulatedAccount(simulator, '15550100012');
    await Promise.all([alice.link(), bob.link()]);
    await contact(simulator, { phone: ann, name: 'Ann' });
  });

  after(async () => {
    await alice.client.close();
    await bob.client.close();
    await simulator.stop();
  });

  /** Every message stanza that reaches the client from now on, whether it can use it or not. */
  const messageStanzas = (account: SimulatedAccount): BinaryNode[] => {
    const stanzas: BinaryNode[] = [];
    account.client.socket.ws.on('CB:message', (node: BinaryNode) => stanzas.push(node));
    return stanzas;
  };

  test('messages and receipts that come while a session is away wait for it, in order', async () => {
    const silent = await contact(simulator, { phone: '15550102002', behaviour: 'silent' });
    const asked = await alice.send(silent, 'are you there');
    await alice.inboxCopy(asked, silent);
    await alice.client.close();
    const texts = Array.from({ length: 25 }, (_, index) => `while you were out ${index}`);
    for (const text of texts) await alice.write({ from: ann, text });
    await alice.post('receipts', { message_id: asked, type: 'read' });
    await bob.send(alice.jid, 'from a session, too');
    await alice.client.open();
    await alice.received('from a session, too');
    const got = alice.client.messages.map(({ message }) => textOf(message)).filter((text) => text?.startsWith('while'));
    assert.deepEqual(got, texts);
    await alice.untilStatus(asked, 4);
    await alice.write({ from: ann, text: 'and now live' });
    await alice.received('and now live');
    await alice.assertClean();
  });

  test('a message that was received and not confirmed comes again at the next login', async () => {
    await alice.post('faults', { fault: 'deaf' });
    const id = await alice.write({ from: ann, text: 'did you get this' });
    await alice.received('did you get this');
    assert.equal((await alice.oracle())['unacknowledged_stanzas'], 1);
    await alice.client.close();
    await alice.clearFaults();
    alice.client.connect();
    const stanzas = messageStanzas(alice);
    await alice.client.untilOpen();
    const again = await eventually(() => stanzas.find(({ attrs }) => attrs['id'] === id));
    assert.ok(again.attrs['offline']);
    await alice.assertClean();
  });

  test('a confirmed message can be delivered once more', async () => {
    const id = await alice.write({ from: ann, text: 'twice' });
    await alice.received('twice');
    await alice.assertClean();
    const stanzas = messageStanzas(alice);
    assert.equal((await alice.post('redeliver', { message_id: id })).status, 200);
    await eventually(() => stanzas.some(({ attrs }) => attrs['id'] === id));
    assert.equal((await alice.post('redeliver', { message_id: 'NOSUCHMESSAGE' })).status, 404);
    await alice.assertClean();
  });

  test('a message that is sent again under its id is acknowledged and shown once', async () => {
    const id = await alice.send(annJid, 'only once');
    await alice.ack(id);
    await alice.send(annJid, 'only once', id);
    await eventually(() => alice.client.acks.filter((ack) => ack.attrs['id'] === id).length === 2);
    await alice.inboxCopy(id, annJid);
    assert.equal((await alice.inbox('?contact=15550102001')).filter((copy) => copy['message_id'] === id).length, 1);
  });

  test('refused messages reach nobody, and the refusal is used up', async () => {
    await alice.post('faults', { fault: 'refuse_send', code: 463, count: 1 });
    const refused = await alice.send(annJid, 'refuse me');
    assert.equal((await alice.ack(refused))['error'], '463');
    const accepted = await alice.send(annJid, 'take me');
    assert.equal((await alice.ack(accepted))['error'], undefined);
    await alice.inboxCopy(accepted, annJid);
    assert.deepEqual(
      (await alice.inbox()).filter((copy) => copy['message_id'] === refused),
      [],
    );
    await alice.clearFaults();
  });

  test('a dropped acknowledgement does not stop the message', async () => {
    await alice.post('faults', { fault: 'drop_acks', count: 1 });
    const id = await alice.send(annJid, 'no answer');
    await alice.untilStatus(id, delivered);
    const next = await alice.send(annJid, 'an answer again');
    await alice.ack(next);
    assert.deepEqual(
      alice.client.acks.filter((ack) => ack.attrs['id'] === id),
      [],
    );
    await alice.clearFaults();
  });

  test('late acknowledgements come late, and nothing else does', async () => {
    await alice.post('faults', { fault: 'slow_acks', delay_ms: 600 });
    const start = performance.now();
    const id = await alice.send(annJid, 'take your time');
    await alice.untilStatus(id, delivered);
    assert.deepEqual(
      alice.client.acks.filter((ack) => ack.attrs['id'] === id),
      [],
    );
    await alice.ack(id);
    assert.ok(performance.now() - start >= 590);
    await alice.clearFaults();
  });

  test('nothing is left over at the end', async () => {
    await alice.assertClean();
    await bob.assertClean();
  });
});

describe('a simulator that is killed and started again', () => {
  test('keeps sessions, queues, the inbox and how people behave', async () => {
    const stateDirectory = await mkdtemp(join(tmpdir(), 'simulator-'));
    let simulator = await startSimulator({ stateDirectory });
    const alice = new SimulatedAccount(simulator, '15550100021');
    try {
      await alice.link();
      const echo = await contact(simulator, { phone: ann, name: 'Ann', behaviour: 'echoes' });
      const before = await alice.send(echo, 'before');
      await alice.received('before');
      await alice.client.close();
      const waiting = await alice.write({ from: ann, text: 'waiting for you' });
      const ports = {
        port: Number(new URL(simulator.wsUrl).port),
        controlPort: Number(new URL(simulator.controlUrl).port),
      };
      await simulator.kill();
      simulator = await startSimulator({ stateDirectory, ...ports });
      alice.use(simulator);
      await alice.client.open();
      assert.equal((await alice.received('waiting for you')).key.id, waiting);
      await alice.inboxCopy(before, echo);
      // The sessions of both sides go on where they were: no retry, no second session.
      const after = await alice.send(echo, 'after');
      await alice.received('after');
      assert.equal((await alice.inboxCopy(after, echo))['text'], 'after');
      assert.equal(
        alice.client.messages.some(
          ({ messageStubType }) => messageStubType === proto.WebMessageInfo.StubType.CIPHERTEXT,
        ),
        false,
      );
      await alice.assertClean();
    } finally {
      await alice.client.close();
      await simulator.stop();
      await rm(stateDirectory, { recursive: true, force: true });
    }
  });
});
