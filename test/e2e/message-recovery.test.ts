import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { at } from '../support/api-client.ts';
import { eventually } from '../support/eventually.ts';
import { untilConnected } from '../support/gateway.ts';
import { PairedGateway } from '../support/paired-gateway.ts';

const contact = '15551234567';
const rounds = 4;

describe('a session whose process is killed while people edit, delete, react and vote', () => {
  let paired: PairedGateway;

  before(async () => {
    paired = await PairedGateway.start();
    await paired.contact(contact);
  });

  after(() => paired.dispose());

  const write = async (body: object): Promise<string> =>
    String(at(await paired.ask('/sandbox/messages', { from: contact, ...body }), 'message_id'));
  const childPid = async (): Promise<number> =>
    Number(at((await paired.gateway.get('/sessions/support')).json, 'child', 'pid'));

  test('tells everything once, and the store is right', async () => {
    const poll = String(
      at(await paired.ask('/messages/poll', { to: contact, question: 'Which?', options: ['A', 'B'] }), 'message_id'),
    );
    const edited: string[] = [];
    const deleted: string[] = [];
    const reacted: string[] = [];
    for (let round = 0; round < rounds; round++) {
      const pid = await childPid();
      const [toEdit, toDelete, toLike] = [
        await write({ text: 'x' }),
        await write({ text: 'y' }),
        await write({ text: 'z' }),
      ];
      const changes = Promise.all([
        write({ edit_of: toEdit, text: `edited ${round}` }),
        write({ delete_of: toDelete }),
        write({ react_to: toLike, emoji: '👍' }),
        write({ vote_in: poll, options: [round % 2 === 0 ? 'A' : 'B'] }),
      ]);
      // Somewhere between decryption and commit, another place in each round.
      if (round % 2 === 0) await changes;
      process.kill(pid, 'SIGKILL');
      await changes;
      edited.push(toEdit);
      deleted.push(toDelete);
      reacted.push(toLike);
      await eventually(async () => (await childPid()) !== pid, 20_000);
      await untilConnected(paired.gateway, 'support');
    }
    const told = (name: string, id: string) =>
      paired.events(name).filter((data) => at(data, 'message_id') === id).length;
    const counts = () => ({
      messages: [...edited, ...deleted, ...reacted].map((id) => told('message', id)),
      edits: edited.map((id) => told('message_edited', id)),
      deletions: deleted.map((id) => told('message_deleted', id)),
      reactions: reacted.map((id) => told('reaction', id)),
      votes: told('poll_vote', poll),
    });
    const expected = {
      messages: Array.from({ length: rounds * 3 }, () => 1),
      edits: Array.from({ length: rounds }, () => 1),
      deletions: Array.from({ length: rounds }, () => 1),
      reactions: Array.from({ length: rounds }, () => 1),
      votes: rounds,
    };
    await eventually(() => JSON.stringify(counts()) === JSON.stringify(expected), 40_000, counts);
    for (const [round, id] of edited.entries()) {
      assert.equal(at(await paired.ask(`/messages/${id}`), 'body'), `edited ${round}`);
    }
    for (const id of deleted) assert.equal(at(await paired.ask(`/messages/${id}`), 'body'), null);
  });
});
