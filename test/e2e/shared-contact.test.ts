import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { at } from '../support/api-client.ts';
import { eventually } from '../support/eventually.ts';
import { GatewayUnderTest, inbox, pairedSession, requireCleanOracle } from '../support/gateway.ts';

const contact = '15551234567';
const ids = ['one', 'two', 'three', 'four'];
const rounds = 5;
const perRound = 4;

describe('sessions that share a process', () => {
  let gateway: GatewayUnderTest;

  before(async () => {
    gateway = await GatewayUnderTest.start({ env: { SESSIONS_PER_CHILD: String(ids.length) } });
    for (const [index, id] of ids.entries()) {
      await pairedSession(gateway, id, { phone: `1555008000${index}` });
      await gateway.must(201, `/sessions/${id}/sandbox/contacts`, { phone: contact });
    }
  });

  after(() => gateway.dispose());

  test('write to the same person at the same time: every message arrives once, and no key is used twice', async () => {
    const sent: { readonly id: string; readonly text: string }[] = [];
    for (let round = 0; round < rounds; round++) {
      await Promise.all(
        ids.flatMap((id) =>
          Array.from({ length: perRound }, async (_, n) => {
            const text = `${id} ${round}.${n}`;
            sent.push({ id, text });
            await gateway.must(200, `/sessions/${id}/messages/text`, { to: contact, text });
          }),
        ),
      );
    }
    const missing = async (): Promise<readonly string[]> => {
      const received = await Promise.all(
        ids.map(async (id) => (await inbox(gateway, id, contact)).map((each) => at(each, 'text'))),
      );
      return sent
        .map(({ text }) => text)
        .filter((text) => received.flat().filter((each) => each === text).length !== 1);
    };
    await eventually(async () => (await missing()).length === 0, 10_000, missing);
    for (const id of ids) await requireCleanOracle(gateway, id);
    assert.equal(sent.length, ids.length * rounds * perRound);
  });
});
