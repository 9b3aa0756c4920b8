import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { at } from '../support/api-client.ts';
import { eventually } from '../support/eventually.ts';
import { GatewayUnderTest } from '../support/gateway.ts';

let gateway: GatewayUnderTest;
before(async () => {
  // Set to nothing: as a fresh gateway has them.
  const env = { RATE_LIMIT_PER_SECOND: '', SESSION_RATE_LIMIT_PER_SECOND: '', TRUST_PROXY: '127.0.0.1' };
  gateway = await GatewayUnderTest.start({ env });
});
after(() => gateway.dispose());

test('a token that floods the gateway is slowed down, others are not, and it may go on in a second', async () => {
  const created = await gateway.api.call('POST', '/api/v1/tokens', {
    body: { name: 'Other', role: 'viewer', sessions: '*' },
  });
  const other = String(at(created.json, 'token'));
  const flood = await Promise.all(
    Array.from({ length: 400 }, () => gateway.api.call('GET', '/api/v1/sessions/nobody')),
  );
  const served = flood.filter(({ status }) => status === 404).length;
  const refused = flood.filter(({ status }) => status === 429);
  assert.equal(served + refused.length, 400);
  assert.ok(served >= 119 && refused.length > 0, `${served} served`);
  for (const { headers } of refused) {
    assert.equal(headers['retry-after'], '1');
    assert.equal(headers['ratelimit-policy'], '"token";q=120;w=2');
    assert.equal(headers['ratelimit'], '"token";r=0;t=1');
  }
  assert.equal((await gateway.api.call('GET', '/api/v1/sessions', { token: other })).status, 200);
  await eventually(async () => (await gateway.api.call('GET', '/api/v1/sessions')).status === 200);
});

test('the address that a trusted proxy names is the one that is held to', async () => {
  const guess = (address: string, attempt: number) =>
    gateway.api.call('GET', '/api/v1/sessions', {
      token: `guess-${attempt}`,
      headers: { 'x-forwarded-for': `10.0.0.1, ${address}` },
    });
  for (let attempt = 0; attempt < 10; attempt += 1) assert.equal((await guess('203.0.113.9', attempt)).status, 401);
  assert.equal((await guess('203.0.113.9', 10)).status, 429);
  assert.equal((await guess('203.0.113.10', 11)).status, 401);
});
