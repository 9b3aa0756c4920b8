import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { contact, SimulatedAccount } from '../support/simulated-account.ts';
import { type SimulatorProcess, startSimulator } from '../support/simulator.ts';

const ann = '15550101001';
const annJid = `${ann}@s.whatsapp.net`;
const delivered = 3;
const read = 4;
const played = 5;

describe('messages on the simulated WhatsApp', () => {
  let simulator: SimulatorProcess;
  let alice: SimulatedAccount;
  let bob: SimulatedAccount;

  before(async () => {
    simulator = await startSimulator();
    alice = new SimulatedAccount(simulator, '15550100001');
    bob = new SimulatedAccount(simulator, '15550100002');
    await Promise.all([alice.link(), bob.link()]);
    await contact(simulator, { phone: ann, name: 'Ann', behaviour: 'delivers' });
  });

  after(async () => {
    await alice.client.close();
    await bob.client.close();
    await simulator.stop();
  });

  test('a text is acknowledged, delivered, and read by the contact and by the own phone', async () => {
    const id = await alice.send(annJid, 'hello Ann');
    assert.equal((await alice.ack(id))['error'], undefined);
    await alice.untilStatus(id, delivered);
    const copy = await alice.inboxCopy(id, annJid);
    assert.deepEqual(
      { ...copy, at: 0 },
      {
        message_id: id,
        to: annJid,
        chat: annJid,
        type: 'text',
        text: 'hello Ann',
        caption: null,
        quoted_id: null,
        at: 0,
        raw: { conversation: 'hello Ann' },
      },
    );
    const ownCopy = await alice.inboxCopy(id, alice.jid);
    assert.deepEqual([ownCopy['chat'], ownCopy['text']], [annJid, 'hello Ann']);
    assert.deepEqual(
      (await alice.inbox(`?contact=%2B${ann}`)).map((entry) => entry['to']).filter((to) => to !== annJid),
      [],
    );
    assert.deepEqual(await alice.inbox(`?since=${Number(copy['at']) + 1000}`), []);
    assert.deepEqual(await bob.inbox(), []);
  });

  test('contacts write from their LID, or from their number where they are set so', async () => {
    await alice.write({ from: ann, text: 'from the LID' });
    const byLid = await alice.received('from the LID');
    assert.match(byLid.key.remoteJid ?? '', /@lid$/);
    assert.equal(byLid.key.remoteJidAlt, annJid);
    assert.equal(byLid.pushName, 'Ann');

    const ben = '15550101002';
    await contact(simulator, { phone: ben, name: 'Ben', addressing: 'pn' });
    await alice.write({ from: ben, text: 'from the number' });
    const byPn = await alice.received('from the number');
    assert.equal(byPn.key.remoteJid, `${ben}@s.whatsapp.net`);
    assert.match(byPn.key.remoteJidAlt ?? '', /@lid$/);
  });

  test('somebody who does not exist yet is created by writing', async () => {
    const id = await alice.write({ from: '+1 555 010 1003', text: 'who am I', message_id: '3A00000000000000AA01' });
    assert.equal(id, '3A00000000000000AA01');
    const message = await alice.received('who am I');
    assert.deepEqual([message.key.id, message.key.remoteJidAlt], [id, '15550101003@s.whatsapp.net']);
  });

  test('a conversation goes on both ways over one session, with quotes', async () => {
    const asked = await alice.write({ from: ann, text: 'a question' });
    const question = await alice.received('a question');
    const quoted = { quoted: question };
    const answer = await alice.client.socket.sendMessage(annJid, { text: 'an answer' }, quoted);
    const copy = await alice.inboxCopy(answer?.key.id ?? '', annJid);
    assert.deepEqual([copy['text'], copy['quoted_id']], ['an answer', asked]);
    await alice.write({ from: ann, text: 'thanks', quoted_id: answer?.key.id ?? '' });
    const thanks = await alice.received('thanks');
    const context = thanks.message?.extendedTextMessage?.contextInfo;
    assert.equal(context?.stanzaId, answer?.key.id);
    assert.match(context?.participant ?? '', /@lid$/);
    assert.equal(context?.quotedMessage?.extendedTextMessage?.text, 'an answer');
  });

  test('what the own phone writes arrives as an own message, and the contact reacts to it', async () => {
    await contact(simulator, { phone: ann, behaviour: 'reads' });
    const id = await alice.write({ from: 'phone', to: ann, text: 'typed on the phone' });
    const message = await alice.received('typed on the phone');
    assert.deepEqual([message.key.fromMe, message.key.id, message.key.remoteJidAlt], [true, id, annJid]);
    await alice.untilStatus(id, read);
    const missing = await alice.post('messages', { from: 'phone', text: 'to nobody' });
    assert.equal(missing.status, 400);
  });

  test('two sessions write to each other, end to end, with delivery and read receipts', async () => {
    const there = await alice.send(bob.jid, 'Alice to Bob');
    const atBob = await bob.received('Alice to Bob');
    assert.deepEqual([atBob.key.id, atBob.key.remoteJidAlt], [there, alice.jid]);
    await alice.untilStatus(there, delivered);
    await bob.client.socket.readMessages([atBob.key]);
    await alice.untilStatus(there, read);
    const back = await bob.send(atBob.key.remoteJid ?? '', 'Bob to Alice');
    const atAlice = await alice.received('Bob to Alice');
    assert.deepEqual([atAlice.key.id, atAlice.key.fromMe], [back, false]);
    await bob.untilStatus(back, delivered);
    // Bob's phone has a copy of its own, which Alice's session made for it.
    assert.equal((await alice.inboxCopy(there, bob.jid))['text'], 'Alice to Bob');
  });

  test('two sessions of one account see what the other sends and reads', async () => {
    const second = new SimulatedAccount(simulator, alice.phone);
    try {
      await second.link();
      const id = await second.send(annJid, 'from the second session');
      const copy = await alice.received('from the second session');
      assert.deepEqual([copy.key.fromMe, copy.key.id, copy.key.remoteJidAlt], [true, id, annJid]);
      await alice.write({ from: ann, text: 'to both sessions' });
      const atFirst = await alice.received('to both sessions');
      await second.received('to both sessions');
      await alice.client.socket.readMessages([atFirst.key]);
      await second.untilStatus(atFirst.key.id ?? '', read);
      await second.client.socket.logout();
      await second.client.untilClosed();
    } finally {
      await second.client.close();
    }
  });

  test('people behave as they are set: silent, reading, echoing', async () => {
    const silent = await contact(simulator, { phone: '15550101010', behaviour: 'silent' });
    const reading = await contact(simulator, { phone: '15550101011', behaviour: 'reads' });
    const echoing = await contact(simulator, { phone: '15550101012', behaviour: 'echoes' });
    const unheard = await alice.send(silent, 'is anybody there');
    const heard = await alice.send(reading, 'read me');
    await alice.send(echoing, 'echo me');
    await alice.untilStatus(heard, read);
    const echo = await alice.received('echo me');
    assert.equal(echo.key.remoteJidAlt, echoing);
    await alice.inboxCopy(unheard, silent);
    assert.equal(
      alice.client.messageUpdates.some(({ key }) => key.id === unheard),
      false,
    );
  });

  test('receipts can be sent by hand for a message by its id', async () => {
    const quiet = await contact(simulator, { phone: '15550101013', behaviour: 'silent' });
    const id = await alice.send(quiet, 'listen to this');
    await alice.inboxCopy(id, quiet);
    for (const [type, status] of [
      ['delivered', delivered],
      ['read', read],
      ['played', played],
    ] as const) {
      const sent = await alice.post('receipts', { message_id: id, type });
      assert.deepEqual([sent.status, sent.body['success']], [200, true]);
      await alice.untilStatus(id, status);
    }
    const unknown = await alice.post('receipts', { message_id: 'NOSUCHMESSAGE', type: 'read' });
    assert.equal(unknown.status, 404);
  });

  test("the session's own receipts are kept", async () => {
    const id = await alice.write({ from: ann, text: 'please read' });
    const message = await alice.received('please read');
    await alice.client.socket.readMessages([message.key]);
    const types = await eventually(async () => {
      const seen = (await alice.receipts(id)).map((receipt) => receipt['type']);
      return seen.includes('read') ? seen : null;
    });
    assert.deepEqual(types, ['inactive', 'read']);
  });

  test('typing and presence are accepted and kept', async () => {
    const { me } = alice.client.auth.creds;
    assert.ok(me);
    // Without a name clients keep their presence to themselves.
    alice.client.socket.ev.emit('creds.update', { me: { ...me, name: 'Alice' } });
    await alice.client.socket.sendPresenceUpdate('composing', annJid);
    await alice.client.socket.sendPresenceUpdate('recording', annJid);
    await alice.client.socket.presenceSubscribe(annJid);
    await eventually(async () => {
      const { body } = await simulator.api('GET', `/accounts/${alice.phone}/chat-states`);
      const text = JSON.stringify(body);
      return ['composing', 'recording', 'subscribe'].every((state) => text.includes(state));
    });
  });

  test('a number that is not on WhatsApp gets nothing', async () => {
    const gone = await contact(simulator, { phone: '15550101014', registered: false });
    const id = await alice.send(gone, 'into the void');
    assert.equal((await alice.ack(id))['error'], undefined);
    await alice.inboxCopy(id, alice.jid);
    assert.deepEqual(await alice.inbox('?contact=15550101014'), []);
  });

  test('messages without recipients and to groups that do not exist are refused', async () => {
    for (const [id, to, code] of [
      ['3EB0000000000000AA01', annJid, '400'],
      ['3EB0000000000000AA02', '120363000000000001@g.us', '404'],
    ] as const) {
      await alice.client.socket.sendNode({ tag: 'message', attrs: { id, to, type: 'text' }, content: [] });
      assert.equal((await alice.ack(id))['error'], code);
    }
  });

  test('nothing is left unanswered, unknown, or encrypted twice with one key', async () => {
    await alice.assertClean();
    await bob.assertClean();
  });
});
