import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { request, type Agent } from 'undici';
import { WardenError } from '../../src/contract/errors.ts';
import { createGuardedAgent } from '../../src/media/guarded-fetch.ts';
import { createAddressPolicy } from '../../src/media/private-address.ts';
import { startHttpReceiver, type HttpReceiver } from '../support/http-receiver.ts';

let receiver: HttpReceiver;
const agents: Agent[] = [];
before(async () => {
  receiver = await startHttpReceiver();
});
after(async () => {
  await Promise.all(agents.map((agent) => agent.destroy()));
  await receiver.close();
});

function agent(allowCidrs: readonly string[]): Agent {
  const guarded = createGuardedAgent({
    policy: createAddressPolicy(allowCidrs),
    connectTimeoutMs: 1000,
    headersTimeoutMs: 1000,
    bodyTimeoutMs: 1000,
  });
  agents.push(guarded);
  return guarded;
}

const post = (host: string, dispatcher: Agent) =>
  request(`http://${host}:${new URL(receiver.url).port}/`, { method: 'POST', body: '{}', dispatcher });

describe('a guarded request', () => {
  for (const host of [
    '127.0.0.1',
    'localhost',
    '2130706433',
    '0x7f.1',
    '127.1',
    '[::1]',
    '[::ffff:127.0.0.1]',
    '0.0.0.0',
  ]) {
    test(`does not reach ${host}`, async () => {
      const refusal = (error: unknown): boolean => error instanceof WardenError && error.code === 'unprocessable';
      await assert.rejects(post(host, agent([])), refusal);
      assert.equal(receiver.requests.length, 0);
    });
  }

  test('reaches what is named as allowed, as a literal and by name', async () => {
    const dispatcher = agent(['127.0.0.0/8', '::1']);
    for (const host of ['127.0.0.1', 'localhost']) {
      const { statusCode, body } = await post(host, dispatcher);
      await body.dump();
      assert.equal(statusCode, 200);
    }
  });
});
