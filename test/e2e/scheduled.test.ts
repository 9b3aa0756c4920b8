import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { at, type ApiAnswer } from '../support/api-client.ts';
import { eventually } from '../support/eventually.ts';
import { inbox, untilConnected } from '../support/gateway.ts';
import { oggOpus } from '../support/media-files.ts';
import { postForm } from '../support/media-forms.ts';
import { errorOf, PairedGateway } from '../support/paired-gateway.ts';

const contact = '15551234567';
const voiceNote = oggOpus(Array.from({ length: 50 }, () => 60));

describe('scheduled messages', () => {
  let paired: PairedGateway;

  before(async () => {
    paired = await PairedGateway.start({ MESSAGE_TTL_MS: '20000' });
    await paired.contact(contact);
  });
  after(() => paired.dispose());

  const inMs = (ms: number): string => new Date(Date.now() + ms).toISOString();
  const schedule = async (text: string, delayMs: number): Promise<string> => {
    const answer = await paired.post('/messages/text', { to: contact, text, send_at: inMs(delayMs) });
    assert.deepEqual([answer.status, at(answer.json, 'status')], [202, 'scheduled'], answer.text);
    return String(at(answer.json, 'message_id'));
  };
  const cancel = (id: string): Promise<ApiAnswer> =>
    paired.gateway.delete(`/sessions/support/messages/scheduled/${id}`);
  const received = async (): Promise<readonly unknown[]> => inbox(paired.gateway, 'support', contact);
  const receivedTexts = async () => (await received()).map((each) => String(at(each, 'text')));
  const untilReceived = (id: string): Promise<unknown> =>
    eventually(
      async () => (await received()).find((each) => at(each, 'message_id') === id),
      30_000,
      async () => [(await paired.get(`/messages/${id}`)).text, paired.gateway.output.slice(-2000)],
    );
  const total = async () => at(await paired.ask('/messages/scheduled'), 'total');

  test('arrive at their time and in their order, not in that of the requests', async () => {
    const second = await schedule('Second', 2500);
    const first = await schedule('First', 2000);
    const never = await schedule('Never', 2200);
    const hurried = await schedule('Hurried', 3_600_000);
    assert.equal(await total(), 4);
    assert.equal((await cancel(never)).status, 200);
    const moved = await paired.gateway.api.call('PATCH', `/api/v1/sessions/support/messages/scheduled/${hurried}`, {
      body: { send_at: inMs(1500) },
    });
    assert.equal(moved.status, 200, moved.text);
    await untilReceived(second);
    await untilReceived(hurried);
    assert.deepEqual(
      (await receivedTexts()).filter((text) => text !== 'Hurried'),
      ['First', 'Second'],
    );
    assert.equal(await total(), 0);
    const sent = await paired.event('message_sent', (data) => at(data, 'message_id') === first);
    assert.ok(sent !== undefined);
    assert.equal(errorOf(await cancel(first)), 'message_not_scheduled');
    assert.equal(errorOf(await cancel(never)), 'message_not_found');
    const steps = at(await paired.ask(`/messages/${first}/timeline`), 'events');
    assert.ok(Array.isArray(steps) && steps.some((step: unknown) => at(step, 'status') === 'sent'));
  });

  test('bring their file along, uploaded as a form, over a restart of the gateway', async () => {
    const { status, json } = await postForm(paired.gateway, '/sessions/support/messages/audio', {
      fields: { to: contact, ptt: 'true', send_at: inMs(8000) },
      file: { blob: new Blob([Uint8Array.from(voiceNote)], { type: 'audio/ogg' }), name: 'note.ogg' },
    });
    assert.equal(status, 202, JSON.stringify(json));
    await paired.gateway.stop();
    await paired.gateway.boot();
    const note = await untilReceived(String(at(json, 'message_id')));
    assert.equal(at(note, 'media', 'file_length'), voiceNote.length);
  });

  test('that became due while the gateway was down are sent late, within their time', async () => {
    const id = await schedule('Good morning', 1500);
    const dueBy = Date.now() + 1500;
    await paired.gateway.kill();
    await eventually(() => Date.now() > dueBy);
    await paired.gateway.boot();
    await untilReceived(id);
    assert.equal((await received()).filter((each) => at(each, 'message_id') === id).length, 1);
  });

  test('of a session that is not connected in time fail, and their webhook tells it', async () => {
    await paired.ask('/disconnect', {});
    const id = await schedule('Too late', 300);
    // The time to be sent is over after MESSAGE_TTL_MS.
    const failed = await eventually(
      () => paired.events('message_failed').find((data) => at(data, 'message_id') === id),
      60_000,
      async () => (await paired.get(`/messages/${id}`)).text,
    );
    assert.equal(at(failed, 'code'), 'expired');
    assert.equal(at(await paired.ask(`/messages/${id}`), 'status'), 'failed');
    const ready = await schedule('In time', 300);
    await eventually(async () => at((await paired.get(`/messages/${ready}`)).json, 'status') === 'accepted');
    await paired.ask('/connect', {});
    await untilConnected(paired.gateway, 'support');
    await untilReceived(ready);
    assert.equal((await receivedTexts()).includes('Too late'), false);
  });
});
