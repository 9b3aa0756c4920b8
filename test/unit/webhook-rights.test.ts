import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { superadmin, type Principal } from '../../src/api/auth/principal.ts';
import { newWebhook, permittedUrl, urlRights } from '../../src/api/rest/new-webhook.ts';
import { sessionId, hasCode } from '../support/store-fixtures.ts';

const owner: Principal = { id: 'tok_1', scopes: ['read', 'send', 'manage'], sessions: [sessionId('own')] };
const privateUrls = [
  'http://127.0.0.1:3000/',
  'http://localhost/',
  'http://10.1.2.3/',
  'http://[::1]/',
  'http://2130706433/',
];

describe('where a webhook may lead', () => {
  test('is anywhere for the operator', () => {
    const rights = urlRights([])(superadmin);
    for (const url of privateUrls) {
      const webhook = newWebhook({ url }, { rights });
      assert.equal(webhook.url, url);
      assert.equal(webhook.allowPrivate, true);
    }
  });

  test('is no private address for anybody else, and the deliverer is told so', () => {
    for (const principal of [owner, null]) {
      const rights = urlRights([])(principal);
      for (const url of privateUrls)
        assert.throws(() => permittedUrl(url, { field: 'webhook.', rights }), hasCode('invalid_request'), url);
      assert.equal(newWebhook({ url: 'https://example.com/hook' }, { rights }).allowPrivate, false);
    }
  });

  test('is a private address where the operator allows that network', () => {
    const rights = urlRights(['10.0.0.0/8'])(owner);
    const webhook = newWebhook({ url: 'http://10.1.2.3/' }, { rights });
    assert.equal(webhook.allowPrivate, false);
    assert.throws(() => newWebhook({ url: 'http://192.168.0.1/' }, { rights }), hasCode('invalid_request'));
  });
});
