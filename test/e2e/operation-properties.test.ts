/**
 * Requests that fit the schemas, of values that nobody would think of, to a gateway with a real child and a real
 * simulator: each is carried out, or refused with an error that its operation has declared.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import fc from 'fast-check';
import { parseParams } from '../../src/api/rest/validation.ts';
import { WardenError } from '../../src/contract/errors.ts';
import { operationNames, operations, type OperationName } from '../../src/contract/index.ts';
import type { Operation } from '../../src/contract/operation.ts';
import { fromPublishedForm } from '../../src/contract/published-forms.ts';
import { at } from '../support/api-client.ts';
import { plausibleParams, type LiveValues } from '../support/arbitrary-params.ts';
import { pairedSession, untilConnected, GatewayUnderTest } from '../support/gateway.ts';
import { operationRequest } from '../support/operation-request.ts';
import { propertyRuns, propertySeed } from '../support/property-runs.ts';

const contact = '15551234567';
const seed = propertySeed();

/** These end, begin or disturb the session that they are asked of, so that one is asked that nobody needs. */
const disturbing: ReadonlySet<OperationName> = new Set<OperationName>([
  'deleteSession',
  'logoutSession',
  'disconnectSession',
  'restartSession',
  'connectSession',
  'updateSession',
  'pairByCode',
  'sandboxScan',
  'sandboxEnterCode',
  'sandboxSetFault',
  'exportSession',
]);

/** What every operation may answer, as its documentation says, and those of a body and a key. */
const common: ReadonlySet<string> = new Set(['invalid_request', 'session_not_found', 'payload_too_large']);

let gateway: GatewayUnderTest;
let live: LiveValues;
before(async () => {
  gateway = await GatewayUnderTest.start({
    env: { SEND_TIMEOUT_MS: '5000', FFMPEG_PATH: 'none', PACING_ENABLED: 'false' },
  });
  await pairedSession(gateway, 'support', { phone: '15550001111' });
  await gateway.must(201, '/sessions/support/sandbox/contacts', { phone: contact });
  const sent = await gateway.must(200, '/sessions/support/messages/text', { to: contact, text: 'Hello' });
  const group = await gateway.must(201, '/sessions/support/groups', { subject: 'Party', participants: [contact] });
  const webhook = await gateway.must(201, '/sessions/support/webhooks', { url: 'https://hooks.invalid/x' });
  live = {
    to: [contact],
    contact: [contact],
    from: [contact, 'phone'],
    by: [contact, '15550001111'],
    group: [at(group, 'jid')],
    jid: [at(group, 'jid'), contact],
    message_id: [at(sent, 'message_id')],
    quoted_id: [at(sent, 'message_id')],
    reply_to: [at(sent, 'message_id')],
    webhook_id: [at(webhook, 'id')],
  };
});
after(() => gateway.dispose());

async function spare(): Promise<string> {
  if ((await gateway.get('/sessions/spare')).status === 404) {
    await gateway.must(201, '/sessions', { id: 'spare', sandbox: true, auto_connect: false });
  }
  return 'spare';
}

/** Waiting is not what is tested. */
function inHaste(name: OperationName, params: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const hasty: Record<string, unknown> = { ...params };
  for (const [field, value] of [
    ['typing_ms', 0],
    ['wait', 0],
    ['duration', 500],
  ] as const) {
    if (field in hasty) hasty[field] = value;
  }
  if (name === 'createSession') return { ...hasty, auto_connect: false };
  return hasty;
}

/** Whether the schema itself takes the params. */
function isUnderstood(name: OperationName, params: unknown): boolean {
  try {
    parseParams(name, fromPublishedForm(name, params));
    return true;
  } catch (error) {
    assert.ok(error instanceof WardenError);
    return false;
  }
}

/** Query parameters come as text, which some schemas read as something else. */
const hasBody = ({ method }: Operation): boolean => method === 'POST' || method === 'PATCH';

describe(`a request that its schema takes (PROPERTY_SEED=${seed})`, () => {
  for (const name of operationNames) {
    const operation: Operation = operations[name];
    test(`to ${name} is answered as its documentation says`, async () => {
      await fc.assert(
        fc.asyncProperty(plausibleParams(name, live), async (written) => {
          const params = inHaste(name, written);
          const session = disturbing.has(name) ? await spare() : 'support';
          const { method, path, raw } = operationRequest(operation, session, params);
          const body = raw === null ? {} : { raw, headers: { 'content-type': 'application/json' } };
          const answer = await gateway.api.call(method, path, body);
          const seen = `${method} ${path} ${(raw ?? '').slice(0, 800)} → ${answer.status} ${answer.text.slice(0, 800)}`;
          const type = at(answer.json, 'error', 'type');
          if (answer.status < 300) {
            if (hasBody(operation)) assert.ok(isUnderstood(name, params), seen);
          } else {
            assert.ok(common.has(String(type)) || operation.errors.some((code) => code === type), seen);
            if (type === 'invalid_request') {
              assert.notEqual(at(answer.json, 'error', 'details', 0, 'field'), undefined, seen);
            }
          }
          if (name === 'createSession' && answer.status === 201) {
            await gateway.delete(`/sessions/${encodeURIComponent(String(at(answer.json, 'id')))}`);
          }
        }),
        { seed, numRuns: propertyRuns(4), endOnFailure: true },
      );
    });
  }

  test('leaves the session connected and able to send', async () => {
    await untilConnected(gateway, 'support');
    await gateway.must(200, '/sessions/support/messages/text', { to: contact, text: 'Still here' });
    assert.doesNotMatch(gateway.output, /request failed inside the gateway|"level":60/);
  });
});
