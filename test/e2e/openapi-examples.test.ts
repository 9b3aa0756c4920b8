import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import { after, before, describe, test } from 'node:test';
import { operationNames, operations, type OperationName } from '../../src/contract/index.ts';
import { examplePng } from '../../src/contract/schemas.ts';
import { at, keysOf, type ApiAnswer } from '../support/api-client.ts';
import { eventually } from '../support/eventually.ts';
import { GatewayUnderTest, token, untilConnected, untilStatus } from '../support/gateway.ts';
import { mp4, oggOpus } from '../support/media-files.ts';
import { SseClient } from '../support/sse-client.ts';

const video = mp4({ seconds: 2, width: 64, height: 48 });
const voiceNote = oggOpus(Array.from({ length: 50 }, () => 60));
const report = Buffer.from('%PDF-1.7\n%%EOF\n');
const contact = '15551234567';
const newcomer = '15557654321';
const sentId = '3EB0C431C26A1916E07E';
const receivedId = '3AF00C431C26A1916E07';
const scheduledId = '3EB05C4D1E90A7B2F36C';
const bulkId = 'bulk_01JGQ0000000000000000000';

/** The order that lets each example find what it is about; what the contract adds is run before the last ones. */
const first: readonly OperationName[] = [
  'createSession',
  'getQr',
  'pairByCode',
  'sandboxEnterCode',
  'sandboxCreateContact',
  'sandboxSendMessage',
  'sendText',
];
const last: readonly OperationName[] = [
  'getGroupInvite',
  'changeGroupParticipants',
  'leaveGroup',
  'joinGroup',
  'editMessage',
  'deleteMessage',
  'sandboxCall',
  'sandboxFollowCall',
  'sandboxSetFault',
  'sandboxClearFaults',
  'restartSession',
  'disconnectSession',
  'connectSession',
  'createWebhook',
  'getWebhook',
  'updateWebhook',
  'testWebhook',
  'listDeliveries',
  'getDelivery',
  'replayDelivery',
  'replayDeliveries',
  'rotateWebhookSecret',
  'enableWebhook',
  'deleteWebhook',
  'createToken',
  'listTokens',
  'getToken',
  'updateToken',
  'rotateToken',
  'revokeToken',
  'exportSession',
  'logoutSession',
  'sandboxScan',
  'deleteSession',
];
const ordered = [...first, ...operationNames.filter((name) => ![...first, ...last].includes(name)), ...last];

/** Answers other than success that an example leads to in a sandbox, and why. */
const otherwise: Partial<Record<OperationName, { readonly status: number; readonly why: string }>> = {
  getPicture: { status: 404, why: 'the contact has no picture' },
  importSession: { status: 400, why: 'no document holds a whole session' },
  importBaileysSession: { status: 400, why: 'no document holds a whole session' },
};

describe('every example of the OpenAPI document', () => {
  let gateway: GatewayUnderTest;
  let files: Server;
  /** What an example names → what it is here. */
  const names = new Map<string, string>();

  before(async () => {
    files = createServer((request, response) => {
      const file = request.url?.endsWith('.mp4') ? video : request.url?.endsWith('.ogg') ? voiceNote : report;
      response.end(file);
    });
    await new Promise<void>((resolve) => files.listen(0, '127.0.0.1', resolve));
    const address = files.address();
    assert.ok(address !== null && typeof address === 'object');
    for (const file of ['clip.mp4', 'voice.ogg', 'report.pdf']) {
      names.set(`https://example.com/${file}`, `http://127.0.0.1:${address.port}/${file}`);
    }
    gateway = await GatewayUnderTest.start({ env: { OUTBOUND_ALLOW_CIDR: '127.0.0.0/8' } });
  });

  after(async () => {
    await gateway.dispose();
    files.close();
  });

  test('is about an operation of the contract, each once', () => {
    assert.deepEqual(ordered.toSorted(), operationNames.toSorted());
  });

  for (const name of ordered) {
    test(`works in the sandbox: ${name}`, async () => {
      if (operations[name].runs === 'stream') {
        await readStream(name);
        return;
      }
      await prepare(name);
      const answer = await run(name);
      const expected = otherwise[name]?.status ?? operations[name].status;
      assert.equal(answer.status, expected, `${answer.text}\n${gateway.output.slice(-1500)}`);
      await follow(name, answer);
    });
  }

  /** Opens the stream, reads the event that the document shows, and leaves. */
  async function readStream(name: OperationName): Promise<void> {
    const { path, example, result } = operations[name];
    const query = new URLSearchParams(Object.entries(example.params).map(([key, value]) => [key, String(value)]));
    const url = `${gateway.baseUrl}/api/v1${path.replace(':id', 'support')}?${query.toString()}`;
    const client = await SseClient.open(url, { token });
    try {
      assert.equal(client.status, 200, client.text);
      await eventually(() => client.lastId !== '');
      await gateway.must(200, '/sessions/support/messages/text', { to: contact, text: 'for the stream' });
      const { id, data } = await client.message(String(at(example.result, 'event')));
      assert.match(id ?? '', /^[0-9a-f]{8}-\d+$/);
      assert.ok(result.safeParse(data).success);
      assert.deepEqual(keysOf(at(data, 'data')), keysOf(at(example.result, 'data')));
    } finally {
      client.close();
    }
  }

  async function run(name: OperationName): Promise<ApiAnswer> {
    const { method, path, example } = operations[name];
    const params: Record<string, unknown> = Object.fromEntries(
      Object.entries(example.params).map(([key, value]) => [key, here(value)]),
    );
    // The text is sent with the id that other examples name.
    if (name === 'sendText') params['message_id'] = sentId;
    if (name === 'sandboxSendMessage') params['message_id'] = receivedId;
    const url = path.replace(':id', 'support').replace(/:(\w+)/g, (_, key: string) => {
      const value = String(params[key]);
      delete params[key];
      return encodeURIComponent(value);
    });
    if (method !== 'GET' && method !== 'DELETE') return gateway.api.call(method, `/api/v1${url}`, { body: params });
    const query = new URLSearchParams(Object.entries(params).map(([key, value]) => [key, String(value)]));
    return gateway.api.call(method, `/api/v1${url}?${query.toString()}`);
  }

  function here(value: unknown): unknown {
    return typeof value === 'string' ? (names.get(value) ?? value) : value;
  }

  /** What must be there before an example can work. */
  async function prepare(name: OperationName): Promise<void> {
    switch (name) {
      case 'getQr':
        await untilStatus(gateway, 'support', 'waiting_for_qr');
        break;
      case 'downloadMedia':
      case 'getMessageMedia':
      case 'sandboxExpireMedia':
        names.set(receivedId, await receivedImage());
        break;
      case 'rescheduleMessage': {
        const sendAt = new Date(Date.now() + 3_600_000).toISOString();
        names.set('2027-01-31T09:30:00+01:00', sendAt);
        const body = { to: contact, text: 'Good morning', message_id: scheduledId, send_at: sendAt };
        await gateway.must(202, '/sessions/support/messages/text', body);
        break;
      }
      case 'answerJoinRequests':
        await requestToJoin();
        break;
      case 'sandboxReceipt':
        await eventually(
          async () => at((await gateway.get(`/sessions/support/messages/${sentId}`)).json, 'status') !== 'accepted',
        );
        break;
      case 'pauseBulk':
        names.set(bulkId, await waitingBulk());
        break;
      case 'getDevice':
      case 'logoutSession':
      case 'sandboxSetFault':
        await untilConnected(gateway, 'support');
        break;
      default:
        break;
    }
  }

  /** What an answer means to the examples that come after it. */
  async function follow(name: OperationName, answer: ApiAnswer): Promise<void> {
    switch (name) {
      case 'pairByCode':
        names.set('ABCD-EFGH', String(at(answer.json, 'code')));
        break;
      case 'sandboxEnterCode': {
        await untilConnected(gateway, 'support');
        await gateway.must(201, '/sessions/support/sandbox/contacts', { phone: newcomer });
        await gateway.must(201, '/sessions/support/sandbox/contacts', { phone: contact });
        const group = await gateway.must(201, '/sessions/support/sandbox/groups', {
          subject: 'Examples',
          participants: [contact],
        });
        names.set('120363000000000000@g.us', String(at(group, 'jid')));
        break;
      }
      case 'createBulk':
        names.set(bulkId, String(at(answer.json, 'bulk_id')));
        break;
      case 'getGroupInvite':
        names.set('AbCdEf123456', String(at(answer.json, 'code')));
        break;
      case 'createWebhook':
        names.set('wh_01JGQ0000000000000000000', String(at(answer.json, 'id')));
        break;
      case 'testWebhook':
        names.set('evt_01JGQ0000000000000000000', String(at(answer.json, 'delivery_id')));
        break;
      case 'createToken':
        names.set('5d0c1f7a9be24683', String(at(answer.json, 'id')));
        break;
      case 'sandboxCall':
        names.set('0A1B2C3D4E5F60718293A4B5C6D7E8F9', String(at(answer.json, 'call_id')));
        break;
      case 'downloadMedia':
      case 'getMessageMedia':
      case 'sandboxExpireMedia':
        names.delete(receivedId);
        break;
      case 'restartSession':
      case 'connectSession':
      case 'sandboxClearFaults':
        await untilConnected(gateway, 'support');
        break;
      case 'exportSession':
        await gateway.must(200, '/sessions/support/connect', { take_back: true });
        await untilConnected(gateway, 'support');
        break;
      case 'logoutSession':
        await gateway.must(200, '/sessions/support/connect');
        break;
      default:
        break;
    }
  }

  /** A bulk that does not end before it is paused. */
  async function waitingBulk(): Promise<string> {
    const body = {
      message: { type: 'text', text: 'Tomorrow' },
      recipients: [contact],
      start_at: Math.floor(Date.now() / 1000) + 86_400,
    };
    return String(at(await gateway.must(202, '/sessions/support/messages/bulk', body), 'bulk_id'));
  }

  async function receivedImage(): Promise<string> {
    const file = { base64: examplePng.split(',')[1] };
    const body = { from: contact, type: 'image', file, mimetype: 'image/png' };
    const id = String(at(await gateway.must(201, '/sessions/support/sandbox/messages', body), 'message_id'));
    await eventually(async () => (await gateway.get(`/sessions/support/messages/${id}`)).status === 200);
    return id;
  }

  async function requestToJoin(): Promise<void> {
    const jid = encodeURIComponent(names.get('120363000000000000@g.us') ?? '');
    const settings = await gateway.api.call('PATCH', `/api/v1/sessions/support/groups/${jid}/settings`, {
      body: { join_approval: true },
    });
    assert.equal(settings.status, 200, settings.text);
    await gateway.must(200, `/sessions/support/sandbox/groups/${jid}/actions`, {
      by: newcomer,
      action: 'request_join',
    });
    await eventually(
      async () => at((await gateway.get(`/sessions/support/groups/${jid}/requests`)).json, 'total') === 1,
    );
  }
});
