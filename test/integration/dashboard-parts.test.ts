/** Pages that are open renew their parts by themselves, also after what they show is gone. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { createLoginCookie } from '../../src/api/auth/login-cookie.ts';
import { createViews } from '../../src/api/dashboard/views.ts';
import { servedPages } from '../../src/api/dashboard/dashboard-routes.ts';
import { createOperationRunner } from '../../src/api/rest/operation-runner.ts';
import { systemClock } from '../../src/clock.ts';
import { startApi, type ApiUnderTest } from '../support/api-under-test.ts';

let api: ApiUnderTest;
before(async () => {
  api = await startApi();
  const created = await api.client.call('POST', '/api/v1/sessions', { body: { id: 'open', sandbox: true } });
  assert.equal(created.status, 201, created.text);
});
after(() => api.close());

const gone = '01JZZZZZZZZZZZZZZZZZZZZZZZ';
const queries = {
  'without anything chosen': {},
  'of what is gone': {
    webhook: gone,
    delivery: gone,
    chat: '15551230009@s.whatsapp.net',
    message: gone,
    group: '120363000000000001@g.us',
    contact: '15551230009',
  },
};

describe('every part of every page of a session', () => {
  for (const [what, query] of Object.entries(queries)) {
    test(`is shown alone ${what}`, async () => {
      const pages = servedPages({
        ...api.dependencies,
        render: createViews(systemClock),
        run: createOperationRunner(api.dependencies),
        cookie: createLoginCookie(api.baseUrl),
      });
      const { headers } = await api.client.call('GET', '/dashboard/sessions', { token: null });
      const cookie = /^[^;]*/.exec(headers['set-cookie'] ?? '')?.[0] ?? '';
      const ofSession = pages.filter(({ path }) => path.startsWith('/dashboard/sessions/:id'));
      assert.ok(ofSession.length >= 7);
      for (const { path, parts } of ofSession) {
        for (const part of [null, ...parts]) {
          const search = new URLSearchParams({ ...query, ...(part === null ? {} : { part }) });
          const address = `${path.replace(':id', 'open')}?${search.toString()}`;
          const { status, text } = await api.client.call('GET', address, { token: null, headers: { cookie } });
          assert.equal(status, 200, `${address}: ${text}`);
        }
      }
    });
  }
});
