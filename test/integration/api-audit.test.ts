import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { AuditLog } from '../../src/api/audit/audit-log.ts';
import { systemClock } from '../../src/clock.ts';
import { logger } from '../../src/log.ts';
import { Janitor } from '../../src/store/janitor.ts';
import type { AuditEntry } from '../../src/store/audit-store.ts';
import { at, type ApiAnswer } from '../support/api-client.ts';
import { startApi, testToken, type ApiUnderTest } from '../support/api-under-test.ts';
import { eventually } from '../support/eventually.ts';

let api: ApiUnderTest;
before(async () => {
  api = await startApi({ dashboardAuth: 'login' });
});
after(() => api.close());

const list = (query = ''): Promise<ApiAnswer> => api.client.call('GET', `/api/v1/audit?${query}`);

/** The entries of a query as soon as there are so many. */
async function entries(query: string, count: number): Promise<readonly unknown[]> {
  let found: readonly unknown[] = [];
  await eventually(
    async () => {
      const listed = at((await list(query)).json, 'entries');
      found = Array.isArray(listed) ? listed : [];
      return found.length >= count;
    },
    10_000,
    () => found,
  );
  assert.equal(found.length, count);
  return found;
}

function entry(change: Partial<AuditEntry> = {}): Omit<AuditEntry, 'at'> {
  return {
    principal: 'superadmin',
    operation: 'deleteSession',
    session: 'many',
    target: null,
    address: '127.0.0.1',
    requestId: 'req_1',
    status: 200,
    ...change,
  };
}

describe('the audit log', () => {
  test('tells who changed what, from where, under which request, and how it ended', async () => {
    const body = { id: 'watched', auto_connect: false, name: 'a-name-that-stays-out' };
    await api.client.call('POST', '/api/v1/sessions', { body, headers: { 'x-request-id': 'trace-1' } });
    await api.client.call('POST', '/api/v1/sessions', { body });
    const hook = await api.client.call('POST', '/api/v1/sessions/watched/webhooks', {
      body: { url: 'https://example.com/hook', secret: 'a-secret-that-stays-out' },
    });
    const id = String(at(hook.json, 'id'));
    await api.client.call('DELETE', `/api/v1/sessions/watched/webhooks/${id}`);
    await api.client.call('PATCH', '/api/v1/sessions/watched', { body: { memory_cap_mb: -1 } });
    const found = await entries('session=watched', 5);
    const facts = found.map((each) => [at(each, 'operation'), at(each, 'target'), at(each, 'status')]);
    assert.deepEqual(facts, [
      ['updateSession', null, 400],
      ['deleteWebhook', id, 200],
      ['createWebhook', id, 201],
      ['createSession', null, 409],
      ['createSession', null, 201],
    ]);
    const first = found.at(-1);
    assert.equal(at(first, 'request_id'), 'trace-1');
    assert.equal(at(first, 'principal'), 'superadmin');
    assert.equal(at(first, 'address'), '127.0.0.1');
    const kept = JSON.stringify(await api.database.query('select a::text from audit a'));
    assert.doesNotMatch(kept, /stays-out|example\.com/);
    assert.ok(!kept.includes(testToken));
  });

  test('holds nothing of questions, whatever their method', async () => {
    await api.client.call('POST', '/api/v1/sessions', { body: { id: 'asked', auto_connect: false } });
    await entries('session=asked', 1);
    await api.client.call('GET', '/api/v1/sessions/asked');
    await api.client.call('POST', '/api/v1/sessions/asked/contacts/check', { body: { phones: ['15550001111'] } });
    await api.client.call('DELETE', '/api/v1/sessions/asked');
    const found = await entries('session=asked', 2);
    assert.deepEqual(
      found.map((each) => at(each, 'operation')),
      ['deleteSession', 'createSession'],
    );
  });

  test('names tokens, and holds what they were refused', async () => {
    const made = await api.client.call('POST', '/api/v1/tokens', {
      body: { name: 'Curious', role: 'viewer', sessions: '*' },
    });
    const [token, id] = [String(at(made.json, 'token')), String(at(made.json, 'id'))];
    await api.client.call('DELETE', '/api/v1/sessions/watched', { token });
    await api.client.call('POST', '/api/v1/tokens', { token, body: { name: 'More', role: 'admin', sessions: '*' } });
    const found = await entries(`principal=${id}`, 2);
    assert.deepEqual(
      found.map((each) => [
        at(each, 'operation'),
        at(each, 'session_id'),
        at(each, 'status'),
        at(each, 'principal_name'),
      ]),
      [
        ['createToken', null, 403, 'Curious'],
        ['deleteSession', 'watched', 403, 'Curious'],
      ],
    );
    assert.equal((await api.client.call('GET', '/api/v1/audit', { token })).status, 403);
    assert.deepEqual(at((await entries('operation=createToken&limit=1', 1))[0], 'principal'), id);
  });

  test('holds forms of the dashboard, sign-ins, and that the superadmin token was shown', async () => {
    const type = { 'sec-fetch-site': 'same-origin', 'content-type': 'application/x-www-form-urlencoded' };
    const submit = (path: string, fields: Readonly<Record<string, string>>, cookie = ''): Promise<ApiAnswer> =>
      api.client.call('POST', path, {
        token: null,
        raw: new URLSearchParams(fields).toString(),
        headers: { ...type, cookie },
      });
    await submit('/dashboard/login', { token: 'wrong' });
    const signedIn = await submit('/dashboard/login', { token: testToken });
    const cookie = /^([^;]*)/.exec(signedIn.headers['set-cookie'] ?? '')?.[1] ?? '';
    const page = await api.client.call('GET', '/dashboard/settings', { token: null, headers: { cookie } });
    const csrf = /name="form-token" content="([^"]+)"/.exec(page.text)?.[1] ?? '';
    await submit('/dashboard/sessions/new', { csrf, id: 'by-form' }, cookie);
    await submit('/dashboard/sessions/by-form/actions', { csrf, action: 'disconnect' }, cookie);
    await submit('/dashboard/settings/superadmin-token', { csrf }, cookie);
    const signIns = await entries('operation=signIn', 2);
    assert.deepEqual(
      signIns.map((each) => [at(each, 'principal'), at(each, 'status')]),
      [
        ['superadmin', 303],
        [null, 401],
      ],
    );
    const forms = await entries('session=by-form', 2);
    assert.deepEqual(
      forms.map((each) => at(each, 'operation')),
      ['disconnectSession', 'createSession'],
    );
    const shown = await entries('operation=revealSuperadminToken', 1);
    assert.equal(at(shown[0], 'principal'), 'superadmin');
  });

  test('is paged by a cursor and bounded in time', async () => {
    const audit = new AuditLog({ store: api.store.audit, clock: systemClock, log: logger('audit') });
    for (let number = 0; number < 1200; number += 1) audit.record(entry({ target: String(number) }));
    await audit.stop();
    const seen: unknown[] = [];
    let cursor = '';
    do {
      const { json } = await list(`session=many&limit=200${cursor}`);
      const page = at(json, 'entries');
      assert.ok(Array.isArray(page));
      assert.equal(at(json, 'total'), 1200);
      seen.push(...page.map((each: unknown) => at(each, 'target')));
      const next = at(json, 'next_cursor');
      cursor = typeof next === 'string' ? `&cursor=${next}` : '';
    } while (cursor !== '');
    assert.deepEqual(
      seen,
      Array.from({ length: 1200 }, (_, index) => String(1199 - index)),
    );
    const now = Math.floor(Date.now() / 1000);
    assert.equal(at((await list(`session=many&to=${now - 3600}`)).json, 'total'), 0);
    assert.equal(at((await list(`session=many&from=${now - 3600}&to=${now + 3600}`)).json, 'total'), 1200);
    assert.equal((await list('cursor=made-up')).status, 400);
  });

  test('survives a database that is away for a while, and keeps nobody waiting', async () => {
    let isAway = true;
    let attempts = 0;
    const written: AuditEntry[] = [];
    const append = async (batch: readonly AuditEntry[]): Promise<void> => {
      attempts += 1;
      if (isAway) throw new Error('away');
      written.push(...batch);
    };
    const audit = new AuditLog({ store: { append }, clock: systemClock, log: logger('audit') });
    for (let number = 0; number < 30_000; number += 1) audit.record(entry({ target: String(number) }));
    await eventually(() => attempts > 0);
    assert.equal(written.length, 0);
    isAway = false;
    await audit.stop();
    assert.equal(written.length, 20_000, 'memory is bounded: the latest are dropped');
    assert.equal(written[0]?.target, '0');
  });

  test('forgets what is older than it has to be kept', async () => {
    const { audit } = api.store;
    const old = Date.now() - 10 * 86_400_000;
    await audit.append([
      { ...entry({ session: 'aged' }), at: old },
      { ...entry({ session: 'aged' }), at: Date.now() },
    ]);
    const janitor = new Janitor({
      ...api.store,
      retention: { messagesMs: null, eventsMs: null, deadDeliveriesMs: null, auditMs: 5 * 86_400_000 },
      clock: systemClock,
      log: logger('janitor'),
    });
    janitor.start();
    await eventually(async () => at((await list('session=aged')).json, 'total') === 1);
    await janitor.stop();
  });
});
