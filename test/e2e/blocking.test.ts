import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { at } from '../support/api-client.ts';
import { errorOf, PairedGateway } from '../support/paired-gateway.ts';

const person = '15551230001';
const jid = `${person}@s.whatsapp.net`;

describe('blocking', () => {
  let support: PairedGateway;
  let lid: string;

  before(async () => {
    support = await PairedGateway.start({ QUERY_TIMEOUT_MS: '1500' });
    lid = String(at(await support.contact(person), 'lid'));
  });

  after(() => support.dispose());

  test('a blocked contact is listed by its number and cannot write any more', async () => {
    assert.deepEqual(await support.ask('/blocking/list'), { blocked: [], count: 0 });
    const answer = await support.ask('/blocking/block', { jid: '+1 555-123-0001' });
    assert.equal(at(answer, 'success'), true);
    assert.deepEqual(await support.ask('/blocking/list'), { blocked: [jid], count: 1 });
    for (const asked of [person, encodeURIComponent(jid), encodeURIComponent(lid), '%2B1%20555%20123%200001']) {
      assert.deepEqual(await support.ask(`/blocking/check/${asked}`), { jid, blocked: true, is_blocked: true });
    }
    await support.post('/sandbox/messages', { from: person, text: 'Can you hear me?' });
    await support.ask('/blocking/unblock', { jid });
    assert.deepEqual(await support.ask('/blocking/list'), { blocked: [], count: 0 });
    await support.ask('/sandbox/messages', { from: person, text: 'And now?' });
    await support.event('message', (data) => at(data, 'body') === 'And now?');
    assert.ok(!support.events('message').some((data) => at(data, 'body') === 'Can you hear me?'));
  });

  test('a LID is blocked and unblocked like its number', async () => {
    await support.ask('/blocking/block', { jid: lid });
    assert.deepEqual(await support.ask('/blocking/list'), { blocked: [jid], count: 1 });
    await support.ask('/blocking/unblock', { jid: lid });
    assert.deepEqual(await support.ask(`/blocking/check/${person}`), { jid, blocked: false, is_blocked: false });
  });

  test('nobody can be blocked but somebody', async () => {
    for (const path of ['/blocking/block', '/blocking/unblock']) {
      const nobody = await support.post(path, { jid: '15559999999' });
      assert.deepEqual([nobody.status, errorOf(nobody)], [404, 'recipient_not_on_whatsapp']);
      const group = await support.post(path, { jid: '120363000000000001@g.us' });
      assert.deepEqual([group.status, at(group.json, 'error', 'details', 0, 'field')], [400, 'jid']);
    }
    const undisclosed = String(at(await support.contact('15551230007'), 'lid'));
    const answer = await support.post('/blocking/block', { jid: undisclosed });
    assert.deepEqual([answer.status, errorOf(answer)], [422, 'unprocessable']);
  });

  test('when WhatsApp does not answer it is a time-out, not an empty list', async () => {
    await support.fault({ fault: 'mute_queries' });
    const list = await support.get('/blocking/list');
    assert.deepEqual([list.status, errorOf(list)], [504, 'whatsapp_timeout']);
    const block = await support.post('/blocking/block', { jid: person });
    assert.deepEqual([block.status, errorOf(block)], [504, 'whatsapp_timeout']);
    await support.clearFaults();
    assert.deepEqual(await support.ask('/blocking/list'), { blocked: [], count: 0 });
  });
});
