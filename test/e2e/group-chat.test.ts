import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { at } from '../support/api-client.ts';
import { eventually } from '../support/eventually.ts';
import { anna, ben, foundGroup, jidOf } from '../support/group-gateway.ts';
import { errorOf, ownPhone, PairedGateway } from '../support/paired-gateway.ts';
import { receivedBy } from '../support/received.ts';

for (const addressing of ['lid', 'pn'] as const) {
  describe(`what is said about messages in a group that addresses by ${addressing}`, () => {
    let paired: PairedGateway;
    let group = '';

    before(async () => {
      paired = await PairedGateway.start();
      await paired.contact(anna, { addressing });
      await paired.contact(ben, { addressing });
      group = await foundGroup(paired.gateway, 'support', { participants: [anna, ben], addressing });
    });

    after(() => paired.dispose());

    const sendText = async (text: string, options: object = {}): Promise<string> =>
      String(at(await paired.ask('/messages/text', { to: group, text, ...options }), 'message_id'));
    const write = async (from: string, body: object): Promise<string> =>
      String(at(await paired.ask('/sandbox/messages', { from, group, ...body }), 'message_id'));
    const about = (id: string) => (data: unknown) => at(data, 'message_id') === id;
    const written = async (from: string, body: object): Promise<string> => {
      const id = await write(from, body);
      await paired.event('message', about(id));
      return id;
    };
    const mentionsOf = (copy: unknown): readonly unknown[] => {
      const mentions: unknown = at(copy, 'mentions');
      return Array.isArray(mentions) ? mentions : [];
    };

    test('somebody is mentioned as the group knows them, and named so in the text', async () => {
      const id = await sendText(`Welcome @${ben}`, { mentions: [`+${ben}`] });
      const copy = await receivedBy(paired, { by: anna, id });
      const [mentioned] = mentionsOf(copy);
      assert.match(String(mentioned), addressing === 'lid' ? /@lid$/ : /@s\.whatsapp\.net$/);
      assert.equal(at(copy, 'text'), `Welcome @${String(mentioned).split('@')[0]}`);
    });

    test('everybody else is mentioned by "all"', async () => {
      const copy = await receivedBy(paired, { by: anna, id: await sendText('Hear, hear', { mentions: 'all' }) });
      assert.equal(mentionsOf(copy).length, 2);
    });

    test('mentions and quotes of members are told by phone number', async () => {
      const own = await sendText('A question');
      const event = await paired.event(
        'message',
        about(await write(anna, { text: 'Ask them', quoted_id: own, mentions: [ben] })),
      );
      assert.deepEqual(at(event, 'mentions'), [jidOf(ben)]);
      assert.deepEqual(at(event, 'quoted'), { message_id: own, from: jidOf(ownPhone), body: 'A question' });
      assert.equal(at(event, 'participant'), jidOf(anna));
    });

    test('everybody’s receipts are told with the member that they are from', async () => {
      const id = await sendText('Who has it?');
      for (const member of [anna, ben]) {
        const receipt = (status: string) => (data: unknown) =>
          at(data, 'from') === jidOf(member) &&
          at(data, 'status') === status &&
          JSON.stringify(at(data, 'message_ids')).includes(id);
        assert.equal(at(await paired.event('receipt', receipt('delivered')), 'chat'), group);
        await paired.ask('/sandbox/receipts', { message_id: id, type: 'read', contact: member });
        await paired.event('receipt', receipt('read'));
        assert.equal(paired.events('receipt').filter(receipt('read')).length, 1);
      }
      assert.equal(at(await paired.ask(`/messages/${id}`), 'status'), 'read');
    });

    test('members edit, delete and react, and it is told by whom', async () => {
      const id = await written(anna, { text: 'Helo' });
      await write(anna, { edit_of: id, text: 'Hello' });
      const edit = await paired.event('message_edited', about(id));
      assert.deepEqual([at(edit, 'from'), at(edit, 'chat'), at(edit, 'body')], [jidOf(anna), group, 'Hello']);
      await write(ben, { react_to: id, emoji: '👍' });
      assert.equal(at(await paired.event('reaction', about(id)), 'from'), jidOf(ben));
      await write(anna, { delete_of: id });
      assert.equal(at(await paired.event('message_deleted', about(id)), 'from'), jidOf(anna));
    });

    test('members vote in polls of the session', async () => {
      const sent = await paired.ask('/messages/poll', { to: group, question: 'When?', options: ['Now', 'Later'] });
      const id = String(at(sent, 'message_id'));
      await receivedBy(paired, { by: ben, id });
      await write(ben, { vote_in: id, options: ['Later'] });
      const vote = await paired.event('poll_vote', about(id));
      assert.deepEqual([at(vote, 'from'), at(vote, 'selected')], [jidOf(ben), ['Later']]);
    });

    test('members vote in polls of each other', async () => {
      const id = await written(anna, { type: 'poll', question: 'Where?', options: ['Here', 'There'] });
      await write(ben, { vote_in: id, options: ['There'] });
      assert.deepEqual(at(await paired.event('poll_vote', about(id)), 'selected'), ['There']);
    });

    test('the session reacts, replies, edits, reads, and deletes as an admin', async () => {
      const id = await written(anna, { text: 'Spam' });
      await paired.ask('/messages/react', { to: group, message_id: id, emoji: '👎' });
      const reply = await receivedBy(paired, { by: ben, id: await sendText('No spam here', { reply_to: id }) });
      assert.equal(at(reply, 'quoted_id'), id);
      await paired.ask('/messages/read', { chat: group, message_ids: [id] });
      const own = await sendText('Old');
      await paired.ask('/messages/edit', { to: group, message_id: own, text: 'New' });
      await receivedBy(paired, { by: ben, id: own, matches: (copy) => at(copy, 'edits', 0, 'text') === 'New' });
      const deletion = await paired.ask('/messages/delete', { to: group, message_id: id });
      assert.equal(at(deletion, 'status'), 'sent');
      await eventually(async () => at(await paired.ask(`/messages/${id}`), 'deleted_at') !== null);
    });

    test('a message of a group is none of a chat of two', async () => {
      const id = await written(anna, { text: 'In the group' });
      const answer = await paired.post('/messages/react', { to: anna, message_id: id, emoji: '👍' });
      assert.equal(answer.status, 404);
      assert.equal(errorOf(answer), 'message_not_found');
    });
  });
}
