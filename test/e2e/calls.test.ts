import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { at } from '../support/api-client.ts';
import { PairedGateway } from '../support/paired-gateway.ts';

const person = '15551230001';
const jid = `${person}@s.whatsapp.net`;

describe('calls', () => {
  let support: PairedGateway;

  before(async () => {
    support = await PairedGateway.start();
    await support.contact(person);
  });

  after(() => support.dispose());

  const ring = async (body: Readonly<Record<string, unknown>> = {}): Promise<string> =>
    String(at(await support.ask('/sandbox/calls', { from: person, ...body }), 'call_id'));
  const follow = (id: string, action: string) => support.ask(`/sandbox/calls/${id}`, { action });
  const told = (id: string, status: string) =>
    support.event('call', (data) => at(data, 'call_id') === id && at(data, 'status') === status);
  const statuses = (id: string) =>
    support
      .events('call')
      .filter((data) => at(data, 'call_id') === id)
      .map((data) => at(data, 'status'));

  test("a call is told with the caller's number, and so is its end, each once", async () => {
    const id = await ring();
    const offer = await told(id, 'offer');
    assert.deepEqual(
      { ...Object(offer), timestamp: 0 },
      { call_id: id, from: jid, status: 'offer', is_video: false, is_group: false, timestamp: 0 },
    );
    await follow(id, 'terminate');
    await follow(id, 'terminate');
    const end = await told(id, 'terminate');
    assert.equal(at(end, 'from'), jid);
    const last = await ring();
    await told(last, 'offer');
    assert.deepEqual(statuses(id), ['offer', 'terminate']);
  });

  test('a video call stays one until its end, which says how it came', async () => {
    const answered = await ring({ video: true });
    await follow(answered, 'accept');
    assert.equal(at(await told(answered, 'accept'), 'is_video'), true);
    const missed = await ring();
    await follow(missed, 'timeout');
    assert.equal(at(await told(missed, 'timeout'), 'is_video'), false);
    assert.deepEqual(statuses(missed), ['offer', 'timeout']);
  });

  test('a call that does not exist does not go on', async () => {
    const answer = await support.post('/sandbox/calls/ABCDEF', { action: 'accept' });
    assert.equal(answer.status, 404);
  });
});
