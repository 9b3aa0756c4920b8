import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { at } from '../support/api-client.ts';
import { eventually } from '../support/eventually.ts';
import { GatewayUnderTest } from '../support/gateway.ts';
import { answerWith, startHttpReceiver, type HttpReceiver } from '../support/http-receiver.ts';

describe('a webhook whose receiver is gone', () => {
  let gateway: GatewayUnderTest;
  let gone: HttpReceiver;
  let other: HttpReceiver;

  before(async () => {
    gateway = await GatewayUnderTest.start();
    [gone, other] = await Promise.all([startHttpReceiver(), startHttpReceiver()]);
    gone.answer = answerWith(410);
  });

  after(async () => {
    await gateway.dispose();
    await Promise.all([gone.close(), other.close()]);
  });

  test('gets nothing any more, and the other webhooks of the session are told, once', async () => {
    await gateway.must(201, '/sessions', { id: 'told', sandbox: true, auto_connect: false });
    const webhook = await gateway.must(201, '/sessions/told/webhooks', { url: gone.url });
    await gateway.must(201, '/sessions/told/webhooks', { url: other.url });
    await gateway.must(200, '/sessions/told/connect');
    const told = (): unknown[] =>
      other.requests.filter(({ json }) => at(json, 'event') === 'webhook_disabled').map(({ json }) => at(json, 'data'));
    await eventually(() => told().length > 0, 15_000);
    assert.equal(at(told()[0], 'webhook_id'), at(webhook, 'id'));
    assert.equal(at(told()[0], 'url'), gone.url);
    const listed = (await gateway.get('/sessions/told/webhooks')).json;
    assert.equal(at(listed, 'webhooks', 0, 'enabled'), false);
    const before = gone.requests.length;
    await gateway.must(200, '/sessions/told/sandbox/scan');
    await eventually(() => other.requests.some(({ json }) => at(json, 'event') === 'connected'), 15_000);
    assert.equal(gone.requests.length, before);
    assert.equal(told().length, 1);
  });
});
