/** Names, texts, files and groups of people who mean harm: told as what they are, and never as anything else. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { at } from '../support/api-client.ts';
import { CrashRig } from '../support/crash-rig.ts';
import { eventually } from '../support/eventually.ts';
import { token } from '../support/gateway.ts';
import { messagesOf, worstTexts, writeAll } from '../support/hostile-people.ts';
import { commands } from '../support/hostile-text.ts';
import { SseClient } from '../support/sse-client.ts';

const contact = '15551234567';
const session = 'support';
const account = '15550001111';
const deadlineMs = 60_000;

let rig: CrashRig;
let stream: SseClient;
before(async () => {
  rig = await CrashRig.start({ sessions: { [session]: account }, env: { LOG_LEVEL: 'trace', FFMPEG_PATH: 'none' } });
  await rig.whatsapp(session, '/contacts', { phone: contact, name: '<img src=x onerror="window.hacked=true">' });
  stream = await SseClient.open(`${rig.gateway.baseUrl}/api/v1/sessions/${session}/events`, { token });
});
after(async () => {
  stream.close();
  await rig.dispose();
});

/** As Postgres and UTF-8 can keep it. */
const kept = (text: string): string => text.replaceAll('\u0000', '\ufffd').toWellFormed();
const messages = (): readonly unknown[] => rig.told(session, 'message');
const dataOf = (id: string): unknown =>
  at(
    messages().find((json) => at(json, 'data', 'message_id') === id),
    'data',
  );

describe('a person who means harm', () => {
  test('is told of as they wrote, in every kind of message', async () => {
    const written = await writeAll(rig, session, { from: contact, texts: [...worstTexts, 'the last'] });
    for (const { id, text } of written) {
      await eventually(
        () => dataOf(id) !== undefined,
        deadlineMs,
        () => ({ text, output: rig.gateway.output.slice(-3000) }),
      );
      const data = dataOf(id);
      const shown = JSON.stringify(data);
      if (at(data, 'type') === 'text') assert.equal(kept(String(at(data, 'body'))), kept(text), shown);
      const answer = await rig.gateway.get(`/sessions/${session}/messages/${id}`);
      assert.equal(answer.status, 200, answer.text);
    }
    assert.equal((await rig.gateway.get(`/sessions/${session}/messages?limit=200`)).status, 200);
    assert.equal((await rig.gateway.get(`/sessions/${session}/chats`)).status, 200);
  });

  test('is told of although each text is of a megabyte, and the next message comes as ever', async () => {
    const huge = `quagga-${'ab<>"\u202e'.repeat(150_000)}`;
    const large = 'é'.repeat(100_000);
    for (const body of [...messagesOf(large), ...messagesOf(huge)]) {
      const id = await rig.written(session, { from: contact, ...body });
      await eventually(
        () => dataOf(id) !== undefined,
        deadlineMs,
        () => ({ type: body['type'], output: rig.gateway.output.slice(-3000) }),
      );
    }
    await rig.whatsapp(session, '/contacts', { phone: contact, name: huge });
    const id = await rig.written(session, { from: contact, text: 'after it' });
    await eventually(
      () => dataOf(id) !== undefined,
      deadlineMs,
      () => rig.gateway.output.slice(-3000),
    );
    assert.ok(String(at(dataOf(id), 'push_name')).length <= 1024);
    assert.equal((await rig.gateway.get(`/sessions/${session}/messages?limit=200`)).status, 200);
    const children = await rig.gateway.get(`/sessions/${session}/children`);
    assert.deepEqual(at(children.json, 'exits'), [], 'no child has ended over it');
  });

  test('founds a group whose subject and description are as bad', async () => {
    const subjects = worstTexts.filter((text, index) => index % 3 === 0 && text.trim() !== '' && text.length <= 100);
    for (const subject of subjects) {
      const group = await rig.whatsapp(session, '/groups', { subject, creator: contact, participants: [account] });
      const jid = String(group['jid']);
      const change = { by: contact, action: 'description', value: subject.repeat(10) };
      const changed = await rig.server.api('POST', `/groups/${jid}/actions`, change);
      assert.equal(changed.status, 200, JSON.stringify(changed.body));
      const id = await rig.written(session, { from: contact, group: jid, text: subject });
      await eventually(
        () => dataOf(id) !== undefined,
        deadlineMs,
        () => rig.gateway.output.slice(-3000),
      );
      const seen = await rig.gateway.get(`/sessions/${session}/groups/${encodeURIComponent(jid)}`);
      assert.equal(seen.status, 200, seen.text);
    }
    assert.equal((await rig.gateway.get(`/sessions/${session}/groups`)).status, 200);
  });

  test('has a name that changes, and that people hear of', async () => {
    for (const name of worstTexts.filter((text) => text.trim() !== '' && text.length <= 100)) {
      await rig.whatsapp(session, '/contacts', { phone: contact, name });
      const id = await rig.written(session, { from: contact, text: 'it is me' });
      await eventually(
        () => dataOf(id) !== undefined,
        deadlineMs,
        () => rig.gateway.output.slice(-3000),
      );
    }
  });
});

describe('what was told', () => {
  test('came to the webhook as JSON, each under a name of ours', () => {
    for (const { json } of rig.receiver.requests) assert.ok(typeof at(json, 'event') === 'string');
    assert.ok(!rig.receiver.requests.some(({ json }) => at(json, 'hacked') !== undefined));
  });

  test('came by the stream as whole events, none of them of a stranger', async () => {
    const told = new Set(messages().map((json) => String(at(json, 'id'))));
    const missing = (): readonly string[] => {
      const streamed = new Set(stream.messages.map(({ data }) => String(at(data, 'id'))));
      return [...told].filter((id) => !streamed.has(id));
    };
    await eventually(
      () => missing().length === 0,
      30_000,
      () => ({ missing: missing(), isEnded: stream.isEnded, told: told.size }),
    );
    for (const { event, data } of stream.messages) {
      assert.ok(event !== null && /^[a-z_]+$/.test(event), String(event));
      assert.equal(at(data, 'hacked'), undefined);
      assert.equal(at(data, 'event'), event);
    }
  });

  test('left a log of whole lines, with nothing in it that a terminal would carry out', () => {
    const lines = rig.gateway.output.split('\n');
    for (const line of lines) {
      assert.doesNotMatch(line, commands, JSON.stringify(line.slice(0, 300)));
      if (line.startsWith('{')) assert.equal(typeof at(JSON.parse(line), 'level'), 'number');
      assert.doesNotMatch(line, /window\.hacked|quagga-/);
    }
  });

  test('left the session as it was', async () => {
    assert.equal(at((await rig.gateway.get(`/sessions/${session}`)).json, 'status'), 'connected');
    assert.doesNotMatch(rig.gateway.output, /"level":(?:50|60)/);
  });
});
