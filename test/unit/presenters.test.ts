import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isAllowed, superadmin } from '../../src/api/auth/principal.ts';
import { curlExample } from '../../src/api/curl-example.ts';
import { presentDevice, presentSession, presentStatus } from '../../src/api/presenters/session.ts';
import { presentNewWebhook, presentWebhook } from '../../src/api/presenters/webhook.ts';
import { freshHealth } from '../../src/webhooks/breaker.ts';
import type { SessionView } from '../../src/api/supervisor-port.ts';
import { parseSessionId, type SessionId } from '../../src/contract/ids.ts';
import { operations } from '../../src/contract/index.ts';
import type { SessionRow } from '../../src/store/store.ts';
import { emptyLink } from '../support/fake-supervisor.ts';

function sessionId(text: string): SessionId {
  const id = parseSessionId(text);
  if (id === null) throw new Error('not a session id');
  return id;
}

const id = sessionId('demo');
const device = {
  jid: '15550001111@s.whatsapp.net',
  lid: '100000000000001@lid',
  deviceId: 3,
  phoneNumber: '15550001111',
  pushName: 'Support',
  platform: 'smba',
  appVersion: '2.3000.1',
};
const row: SessionRow = {
  id,
  name: null,
  sandbox: false,
  desired: 'running',
  memoryCapMb: null,
  isolated: null,
  pacing: null,
  pacingBackoff: null,
  link: { state: 'connected', reason: 'x', until: null },
  isPaired: true,
  device,
  createdAt: 1_767_225_600_999,
  updatedAt: 1_767_225_601_000,
  lastConnectedAt: null,
  linkedAt: 1_767_225_602_500,
  exportedAt: null,
};
const stopped: SessionView = { link: null, child: null, status: 'disconnected', statusReason: 'It is stopped.' };

describe('what is told of a session', () => {
  test('comes from the store while nothing runs', () => {
    const resource = presentSession(row, stopped);
    assert.equal(resource.phone_number, '15550001111');
    assert.equal(resource.is_logged_in, true);
    assert.equal(resource.child, null);
    assert.equal(resource.created_at, 1_767_225_600);
    assert.equal(resource.last_connected_at, null);
  });

  test('comes from the link once there is one: a logged-out session has no phone any more', () => {
    const view: SessionView = { ...stopped, link: emptyLink(id), status: 'logged_out' };
    const resource = presentSession(row, view);
    assert.equal(resource.phone_number, null);
    assert.equal(resource.is_logged_in, false);
    assert.throws(() => presentDevice(row, view), { code: 'not_paired' });
  });

  test('is exactly what the contract names', () => {
    const extra = { ...row, creds: 'secret' };
    const { getSession, getSessionStatus, getDevice } = operations;
    assert.deepEqual(getSession.result.parse(presentSession(extra, stopped)), presentSession(row, stopped));
    assert.doesNotMatch(JSON.stringify(presentSession(extra, stopped)), /secret/);
    getSessionStatus.result.parse(presentStatus(row, stopped));
    assert.equal(getDevice.result.parse(presentDevice(row, stopped)).is_business, true);
  });
});

describe('what is told of a webhook', () => {
  test('holds the secret at its creation only', () => {
    const secret = 'hush, this is a secret';
    const webhook = {
      id: 'wh_1',
      url: 'https://a.example',
      secret,
      events: ['all'],
      conditions: null,
      ordered: false,
      allowPrivate: false,
      session: id,
      enabled: true,
      disabledReason: null,
      previousSecretUntil: null,
      createdAt: 1_767_225_600_000,
    };
    const view = { webhook, health: freshHealth, queueDepth: 0, oldestPendingAt: null, now: 0 };
    assert.doesNotMatch(JSON.stringify(presentWebhook(view)), /hush/);
    assert.equal(presentNewWebhook(webhook, secret).secret, secret);
  });
});

describe('who may do what', () => {
  test('is denied unless it is granted, for the scope and for the session', () => {
    const other = sessionId('other');
    const reader = { id: 'tok_1', scopes: ['read'] as const, sessions: [id] };
    assert.ok(isAllowed(reader, 'read', id));
    assert.ok(!isAllowed(reader, 'send', id));
    assert.ok(!isAllowed(reader, 'read', other));
    assert.ok(!isAllowed(reader, 'read', null));
    assert.ok(isAllowed(superadmin, 'admin', null) && isAllowed(superadmin, 'manage', other));
  });
});

describe('a curl example', () => {
  test('quotes what it sends and fills in its path', () => {
    const { deleteWebhook, sandboxInbox, sandboxSendMessage } = operations;
    assert.equal(
      curlExample(deleteWebhook, 'http://localhost:3451'),
      `curl -X DELETE 'http://localhost:3451/api/v1/sessions/support/webhooks/wh_01JGQ0000000000000000000' \\\n  -H "Authorization: Bearer $TOKEN"`,
    );
    assert.match(curlExample(sandboxInbox, ''), /inbox\?contact=15551234567'/);
    const quoted = curlExample(
      { ...sandboxSendMessage, example: { ...sandboxSendMessage.example, params: { text: "it's" } } },
      '',
    );
    assert.match(quoted, /-d '\{"text":"it'\\''s"\}'$/);
  });
});
