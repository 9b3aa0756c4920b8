import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import {
  type AnyMessageContent,
  decryptPollVote,
  proto,
  type WAMessage,
  WAMessageStubType,
} from '@whiskeysockets/baileys';
import { eventually } from '../support/eventually.ts';
import { encryptVote, optionHash } from '../../src/simulator/content/poll-votes.ts';
import { contact, type Fields, SimulatedAccount } from '../support/simulated-account.ts';
import { receivedBy, testFile, trustMediaOf } from '../support/simulated-media.ts';
import { type SimulatorProcess, startSimulator } from '../support/simulator.ts';

const ann = '15550307001';
const annJid = `${ann}@s.whatsapp.net`;

describe('kinds of messages on the simulated WhatsApp', () => {
  let simulator: SimulatorProcess;
  let alice: SimulatedAccount;

  before(async () => {
    simulator = await startSimulator();
    trustMediaOf(simulator);
    alice = await new SimulatedAccount(simulator, '15550306001').link();
    await contact(simulator, { phone: ann, name: 'Ann' });
  });

  after(async () => {
    await alice.client.close();
    await simulator.stop();
  });

  async function send(content: AnyMessageContent, options = {}): Promise<WAMessage> {
    const sent = await alice.client.socket.sendMessage(annJid, content, options);
    assert.ok(sent?.key.id);
    assert.equal((await alice.ack(sent.key.id))['error'], undefined);
    return sent;
  }

  const atAnn = ({ key }: WAMessage) => alice.inboxCopy(key.id ?? '', annJid);

  async function fromAnn(message: Fields): Promise<WAMessage> {
    return receivedBy(alice, await alice.write({ from: ann, ...message }));
  }

  /** The update that Baileys makes of an edit or a deletion. */
  const updateOf = (id: string, find: (update: Partial<WAMessage>) => boolean) =>
    eventually(
      () => alice.client.messageUpdates.find(({ key, update }) => key.id === id && find(update)),
      undefined,
      () => alice.client.messageUpdates,
    );

  test('a session reacts to messages of both sides and takes the reaction back', async () => {
    const question = await fromAnn({ text: 'react to me' });
    for (const emoji of ['👍', '']) {
      const reaction = await send({ react: { text: emoji, key: question.key } });
      const copy = await atAnn(reaction);
      assert.deepEqual([copy['type'], copy['reaction']], ['reaction', { emoji, message_id: question.key.id }]);
    }
    const own = await send({ text: 'my own' });
    const copy = await atAnn(await send({ react: { text: '🎉', key: own.key } }));
    assert.deepEqual(copy['reaction'], { emoji: '🎉', message_id: own.key.id });
  });

  test('an edit and a deletion by a session stand beside the message and mark it', async () => {
    const sent = await send({ text: 'first' });
    const edit = await send({ text: 'second', edit: sent.key });
    assert.partialDeepStrictEqual(await atAnn(edit), { type: 'edit', text: 'second', edit_of: sent.key.id });
    const deletion = await send({ delete: sent.key });
    assert.partialDeepStrictEqual(await atAnn(deletion), { type: 'delete', text: null, delete_of: sent.key.id });
    const copy = await atAnn(sent);
    assert.deepEqual([copy['type'], copy['text'], copy['deleted']], ['text', 'first', true]);
    assert.partialDeepStrictEqual(copy, { edits: [{ message_id: edit.key.id, text: 'second' }] });
    const untouched = await atAnn(await send({ text: 'untouched' }));
    assert.deepEqual([untouched['edits'], untouched['deleted']], [undefined, undefined]);
  });

  test('a contact edits, deletes and reacts, and the session hears of it', async () => {
    const written = await fromAnn({ text: 'with an eror' });
    const id = written.key.id ?? '';
    await alice.write({ from: ann, edit_of: id, text: 'with an error' });
    const { update } = await updateOf(id, (each) => each.message?.editedMessage !== undefined);
    assert.equal(update.message?.editedMessage?.message?.conversation, 'with an error');
    const reaction = await fromAnn({ react_to: id, emoji: '😅' });
    assert.partialDeepStrictEqual(reaction.message?.reactionMessage, { text: '😅', key: { id, fromMe: false } });
    await alice.write({ from: ann, delete_of: id });
    const revoked = WAMessageStubType.REVOKE;
    await updateOf(id, (each) => each.messageStubType === revoked && each.message === null);
  });

  test('a contact reacts to what the session has written', async () => {
    const sent = await send({ text: 'nice?' });
    const reaction = await fromAnn({ react_to: sent.key.id, emoji: '❤️' });
    assert.partialDeepStrictEqual(reaction.message?.reactionMessage, {
      text: '❤️',
      key: { id: sent.key.id, fromMe: true },
    });
    assert.equal(reaction.key.fromMe, false);
  });

  test('the own phone reacts to both sides, edits and deletes', async () => {
    const asked = await fromAnn({ text: 'from Ann, for the phone' });
    const onAnns = await receivedBy(
      alice,
      await alice.write({ from: 'phone', to: ann, react_to: asked.key.id, emoji: '👀' }),
    );
    assert.equal(onAnns.key.fromMe, true);
    assert.partialDeepStrictEqual(onAnns.message?.reactionMessage, { key: { id: asked.key.id, fromMe: false } });
    const id = await alice.write({ from: 'phone', to: ann, text: 'by phone' });
    await receivedBy(alice, id);
    await alice.write({ from: 'phone', to: ann, edit_of: id, text: 'by the phone' });
    await updateOf(id, (each) => each.message?.editedMessage?.message?.conversation === 'by the phone');
    await alice.write({ from: 'phone', to: ann, delete_of: id });
    await updateOf(id, (each) => each.message === null);
  });

  test('the caption of an image can be edited', async () => {
    const { bytes } = testFile(500);
    const image = { type: 'image', caption: 'old', file: { base64: bytes.toString('base64') } };
    const { key } = await fromAnn(image);
    await alice.write({ from: ann, edit_of: key.id, text: 'new' });
    const { update } = await updateOf(key.id ?? '', (each) => each.message?.editedMessage !== undefined);
    assert.equal(update.message?.editedMessage?.message?.imageMessage?.caption, 'new');
  });

  test('a poll of a session is read, and a contact votes in it', async () => {
    const values = ['red', 'green', 'blue'];
    const poll = await send({ poll: { name: 'Colour?', values, selectableCount: 2 } });
    const copy = await atAnn(poll);
    assert.equal(copy['type'], 'poll');
    assert.deepEqual(copy['poll'], { question: 'Colour?', options: values, selectable: 2 });
    const vote = await fromAnn({ vote_in: poll.key.id, options: ['red', 'blue'] });
    const { pollUpdateMessage } = vote.message ?? {};
    assert.equal(pollUpdateMessage?.pollCreationMessageKey?.fromMe, true);
    const votes = decryptPollVote(pollUpdateMessage?.vote ?? {}, {
      pollEncKey: poll.message?.messageContextInfo?.messageSecret ?? Buffer.alloc(0),
      pollCreatorJid: alice.client.auth.creds.me?.lid?.replace(/:\d+@/, '@') ?? '',
      pollMsgId: poll.key.id ?? '',
      voterJid: vote.key.remoteJid ?? '',
    });
    const chosen = values.filter((value) => votes.selectedOptions?.some((hash) => optionHash(value).equals(hash)));
    assert.deepEqual(chosen, ['red', 'blue']);
    assert.equal((await alice.post('messages', { from: ann, vote_in: poll.key.id, options: ['pink'] })).status, 400);
  });

  test('a poll of a contact is read by the session, whose vote the contact can read', async () => {
    const poll = await fromAnn({ type: 'poll', question: 'Tea?', options: ['yes', 'no'] });
    assert.partialDeepStrictEqual(poll.message?.pollCreationMessageV3, {
      name: 'Tea?',
      options: [{ optionName: 'yes' }, { optionName: 'no' }],
      selectableOptionsCount: 1,
    });
    const scope = {
      pollId: poll.key.id ?? '',
      creator: annJid,
      voter: alice.jid,
      secret: poll.message?.messageContextInfo?.messageSecret ?? Buffer.alloc(0),
    };
    const selected = proto.Message.PollVoteMessage.encode({ selectedOptions: [optionHash('no')] }).finish();
    const pollUpdateMessage = { pollCreationMessageKey: poll.key, vote: encryptVote(selected, scope) };
    const messageId = '3EB0000000000000000A01';
    await alice.client.socket.relayMessage(annJid, { pollUpdateMessage }, { messageId });
    const copy = await alice.inboxCopy(messageId, annJid);
    assert.deepEqual([copy['type'], copy['vote']], ['poll_vote', { message_id: poll.key.id, options: ['no'] }]);
  });

  test('locations and contact cards go both ways', async () => {
    const place = { degreesLatitude: 52.52, degreesLongitude: 13.405, name: 'Gate', address: 'Square 1' };
    const location = { latitude: 52.52, longitude: 13.405, name: 'Gate', address: 'Square 1' };
    const sentPlace = await atAnn(await send({ location: place }));
    assert.deepEqual([sentPlace['type'], sentPlace['location']], ['location', location]);
    assert.partialDeepStrictEqual((await fromAnn({ type: 'location', ...location })).message?.locationMessage, place);

    const card = { display_name: 'Ben, the baker', phones: ['15550307002'] };
    const received = (await fromAnn({ type: 'contact', contact: card })).message?.contactMessage;
    assert.equal(received?.displayName, card.display_name);
    assert.match(received?.vcard ?? '', /waid=15550307002:\+15550307002/);
    const contacts = [{ displayName: card.display_name, vcard: received?.vcard ?? '' }];
    const sentCard = await atAnn(await send({ contacts: { displayName: card.display_name, contacts } }));
    assert.deepEqual([sentCard['type'], sentCard['contacts']], ['contact', [card]]);
    const two = await fromAnn({
      type: 'contact',
      contacts: [card, { display_name: 'Eve', phones: ['+1 555 030 7003'] }],
    });
    assert.equal(two.message?.contactsArrayMessage?.contacts?.length, 2);
  });

  test('mentions, forwarding, quoting and disappearing are told both ways', async () => {
    const { key, message } = await fromAnn({ type: 'location', latitude: 1, longitude: 2 });
    const mentions = [annJid];
    const copy = await atAnn(await send({ text: '@15550307001 hi', mentions }, { ephemeralExpiration: 86_400 }));
    assert.partialDeepStrictEqual(copy, { mentions, ephemeral_seconds: 86_400 });
    const forwarded = await atAnn(await send({ forward: { key, message: message ?? {} }, force: true }));
    assert.partialDeepStrictEqual(forwarded, { type: 'location', forwarded: true });

    const received = await fromAnn({
      text: 'look',
      mentions: [alice.phone],
      forwarded: true,
      ephemeral_seconds: 604_800,
      quoted_id: key.id,
    });
    const info = received.message?.extendedTextMessage?.contextInfo;
    assert.partialDeepStrictEqual(info, { isForwarded: true, expiration: 604_800, stanzaId: key.id });
    assert.equal(info?.mentionedJid?.length, 1);
    assert.equal(info?.quotedMessage?.locationMessage?.degreesLatitude, 1);
  });

  test('requests that make no sense are refused with the name of the field', async () => {
    const refusals: readonly (readonly [Fields, number, RegExp])[] = [
      [{}, 400, /"text"/],
      [{ type: 'image' }, 400, /"file"/],
      [{ type: 'document', file: { path: '/nowhere/at.all' } }, 400, /"file.path"/],
      [{ type: 'sticker', file: { base64: 'AAAA' }, view_once: true }, 400, /"view_once"/],
      [{ type: 'location', latitude: 1 }, 400, /"longitude"/],
      [{ type: 'poll', question: 'One?', options: ['only'] }, 400, /"options"/],
      [{ react_to: '3EB0' }, 404, /./],
      [{ edit_of: '3EB0', text: 'x' }, 404, /./],
      [{ edit_of: 'a', delete_of: 'b', text: 'x' }, 400, /"edit_of"/],
    ];
    for (const [request, status, message] of refusals) {
      const answer = await alice.post('messages', { from: ann, ...request });
      assert.equal(answer.status, status, JSON.stringify([request, answer.body]));
      assert.match(JSON.stringify(answer.body).replaceAll('\\"', '"'), message);
    }
    const { key } = await fromAnn({ text: 'no poll' });
    assert.equal((await alice.post('messages', { from: ann, vote_in: key.id, options: [] })).status, 400);
    assert.equal((await alice.post('messages', { from: ann, react_to: key.id })).status, 400);
  });

  test('the simulator has nothing to complain about', async () => {
    await alice.assertClean();
  });
});
