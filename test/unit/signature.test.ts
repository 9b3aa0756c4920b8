import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Webhook } from 'standardwebhooks';
import { newWebhookSecret } from '../../src/webhooks/secret.ts';
import { isUsableSecret, signatureHeaders, standardKey } from '../../src/webhooks/signature.ts';

describe('the signatures of a webhook', () => {
  const golden = {
    id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    at: 1_614_265_330_000,
    body: Buffer.from('{"test": 2432232314}'),
    secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
    previousSecret: null,
  };

  test('are those of the published vector', () => {
    assert.deepEqual(signatureHeaders(golden), {
      'x-signature': '80ec8a89ce3cd22133a1066caecb4d04fea7467657c8514d717ec42c38a5c94c',
      'x-webhook-signature': 'sha256=80ec8a89ce3cd22133a1066caecb4d04fea7467657c8514d717ec42c38a5c94c',
      'webhook-id': golden.id,
      'webhook-timestamp': '1614265330',
      'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    });
  });

  test('are what the reference library makes, for secrets of every form', () => {
    const body = Buffer.from('{"text":"für 😀"}');
    const at = 1_767_225_600_999;
    const signed = (secret: string): string | undefined =>
      signatureHeaders({ id: 'evt_1', at, body, secret, previousSecret: null })['webhook-signature'];
    for (let round = 0; round < 20; round += 1) {
      const secret = newWebhookSecret();
      assert.equal(signed(secret), new Webhook(secret).sign('evt_1', new Date(at), body));
    }
    for (const secret of ['legacy secret', 'schlüssel-für-alle', 'whsec', 'MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw']) {
      assert.equal(
        signed(secret),
        new Webhook(Buffer.from(secret, 'utf8'), { format: 'raw' }).sign('evt_1', new Date(at), body),
      );
    }
  });

  test('are those of both secrets after a rotation, for receivers that know either of them', () => {
    const secret = newWebhookSecret();
    const headers = { ...signatureHeaders({ ...golden, at: Date.now(), secret, previousSecret: golden.secret }) };
    assert.match(headers['webhook-signature'] ?? '', /^v1,\S+ v1,\S+$/);
    for (const known of [secret, golden.secret]) assert.ok(new Webhook(known).verify(golden.body, headers));
    assert.throws(() => new Webhook(newWebhookSecret()).verify(golden.body, headers));
    const alone = signatureHeaders({ ...golden, at: Date.now(), secret });
    assert.equal(headers['x-signature'], alone['x-signature']);
  });

  test('differ when a single byte of the body does', () => {
    const other = signatureHeaders({ ...golden, body: Buffer.from('{"test": 2432232315}') });
    const same = signatureHeaders(golden);
    for (const header of ['x-signature', 'x-webhook-signature', 'webhook-signature']) {
      assert.notEqual(other[header], same[header]);
    }
  });
});

describe('a webhook secret', () => {
  test('is generated from 32 random bytes', () => {
    const secrets = Array.from({ length: 50 }, newWebhookSecret);
    assert.equal(new Set(secrets).size, 50);
    for (const secret of secrets) assert.equal(standardKey(secret).length, 32);
  });

  test('that claims to be a Standard Webhooks one must be one', () => {
    assert.ok(isUsableSecret('anything at all'));
    assert.ok(isUsableSecret('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'));
    for (const secret of ['whsec_', 'whsec_***', 'whsec_abc', 'whsec_ab=c']) assert.ok(!isUsableSecret(secret), secret);
  });
});
