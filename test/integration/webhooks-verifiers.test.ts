import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { newWebhookSecret } from '../../src/webhooks/secret.ts';
import { eventually } from '../support/eventually.ts';
import { runNode, runPython, verifierCode, type VerifierCase } from '../support/verifiers.ts';
import { WebhookRig } from '../support/webhook-rig.ts';

const secrets = { generated: newWebhookSecret(), legacy: 'schlüssel, wie er ist' };
const rotated = newWebhookSecret();

/** What the gateway really sends, with a secret of each kind, and after a rotation. */
const deliveries = new Map<string, VerifierCase>();

const rig = WebhookRig.forTests();

beforeEach(async () => {
  if (deliveries.size > 0) return;
  const receive = async (name: string, secret: string, isRotated = false): Promise<void> => {
    const { session, webhook } = await rig.hook({ secret });
    const change = { secret: rotated, overlapMs: 60_000 };
    if (isRotated) await rig.store.webhooks.rotateSecret(session, webhook.id, change);
    const before = rig.receiver.requests.length;
    await rig.say(session, '15550100001@s.whatsapp.net', 'für 😀 {"a": 1}');
    const request = await eventually(() => rig.receiver.requests[before]);
    deliveries.set(name, { secret, headers: request.headers, body: Buffer.from(request.body, 'utf8') });
  };
  rig.dispatch();
  await receive('a generated secret', secrets.generated);
  await receive('a secret of the old form', secrets.legacy);
  await receive('the secret before a rotation', secrets.generated, true);
});

const delivery = (name = 'a generated secret'): VerifierCase => {
  const found = deliveries.get(name);
  assert.ok(found !== undefined);
  return found;
};

function without(name: string): VerifierCase {
  const { headers, ...rest } = delivery();
  return { ...rest, headers: Object.fromEntries(Object.entries(headers).filter(([key]) => key !== name)) };
}

const withHeader = (name: string, value: string): VerifierCase => {
  const given = delivery();
  return { ...given, headers: { ...given.headers, [name]: value } };
};

for (const [language, run] of Object.entries({ Node: runNode, Python: runPython })) {
  describe(`the verifier for ${language}`, () => {
    test('accepts what the gateway sends, with secrets of every kind', async () => {
      for (const name of deliveries.keys()) assert.equal(await run(delivery(name)), null, name);
      const afterRotation = delivery('the secret before a rotation');
      assert.equal(await run({ ...afterRotation, secret: rotated }), null);
    });

    test('refuses a body that was changed by a byte', async () => {
      const body = Buffer.from(delivery().body);
      body.writeUInt8(body.readUInt8(body.length - 2) ^ 1, body.length - 2);
      assert.equal(await run({ ...delivery(), body }), 'no signature matches');
    });

    test('refuses another secret, and none', async () => {
      assert.equal(await run({ ...delivery(), secret: newWebhookSecret() }), 'no signature matches');
      assert.equal(await run({ ...delivery(), secret: '' }), 'a signature header is missing');
      for (const secret of ['whsec_', 'whsec_***']) assert.notEqual(await run({ ...delivery(), secret }), null, secret);
    });

    test('refuses a delivery that is too old, too new, or of no time at all', async () => {
      const sent = Number(delivery().headers['webhook-timestamp']);
      for (const timestamp of [String(sent - 301), String(sent + 400), 'now', '-1', '1e9']) {
        const said = await run(withHeader('webhook-timestamp', timestamp));
        assert.equal(said, 'the timestamp is too old or too new', timestamp);
      }
    });

    test('refuses a timestamp or an id that was not signed', async () => {
      const sent = Number(delivery().headers['webhook-timestamp']);
      assert.equal(await run(withHeader('webhook-timestamp', String(sent - 60))), 'no signature matches');
      assert.equal(await run(withHeader('webhook-id', 'evt_other')), 'no signature matches');
    });

    test('refuses when a header is missing', async () => {
      for (const name of ['webhook-id', 'webhook-timestamp', 'webhook-signature'])
        assert.equal(await run(without(name)), 'a signature header is missing', name);
    });

    test('refuses signatures of other versions, other lengths and other forms', async () => {
      const right = (delivery().headers['webhook-signature'] ?? '').slice('v1,'.length);
      for (const value of [`v2,${right}`, right, 'v1,', 'v1,AAAA', `v1${right}`, ' ', 'v1,ünd'])
        assert.notEqual(await run(withHeader('webhook-signature', value)), null, value);
    });
  });
}

test('there is a verifier for PHP and one for Go, which use constant-time comparisons', () => {
  assert.match(verifierCode('php'), /hash_equals\(\$expected/);
  assert.match(verifierCode('go'), /hmac\.Equal\(given, expected\)/);
});
