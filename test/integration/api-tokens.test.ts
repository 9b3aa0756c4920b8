import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { parseSessionId } from '../../src/contract/ids.ts';
import { at, type ApiAnswer } from '../support/api-client.ts';
import { startApi, testToken, type ApiUnderTest } from '../support/api-under-test.ts';
import { eventually } from '../support/eventually.ts';

let api: ApiUnderTest;
before(async () => {
  api = await startApi({ dashboardAuth: 'login' });
  for (const id of ['one', 'two', 'three']) await must(201, 'POST /sessions', { id, auto_connect: false });
});
after(() => api.close());

/** `route` as in `GET /tokens`. */
async function must(status: number, route: string, body?: unknown): Promise<ApiAnswer> {
  const answer = await as(testToken, route, body);
  assert.equal(answer.status, status, answer.text);
  return answer;
}

interface Made {
  readonly id: string;
  readonly value: string;
}

async function make(grant: Readonly<Record<string, unknown>> = {}): Promise<Made> {
  const { json } = await must(201, 'POST /tokens', { name: 'Test', role: 'viewer', sessions: '*', ...grant });
  return { id: String(at(json, 'id')), value: String(at(json, 'token')) };
}

function as(token: string, route: string, body?: unknown): Promise<ApiAnswer> {
  const [method = '', path = ''] = route.split(' ');
  return api.client.call(method, `/api/v1${path}`, body === undefined ? { token } : { token, body });
}
const inSeconds = (seconds: number): number => Math.floor(Date.now() / 1000) + seconds;

function details(answer: ApiAnswer): unknown {
  const found = at(answer.json, 'error', 'details');
  return Array.isArray(found) ? found.map((each: unknown) => at(each, 'field')) : found;
}

describe('a token', () => {
  test('is shown once, and kept as a digest only', async () => {
    const { id, value } = await make({ name: 'Shop' });
    assert.match(value, new RegExp(`^wdn_${id}_[A-Za-z0-9_-]{43}$`));
    const shown = await must(200, `GET /tokens/${id}`);
    assert.equal(at(shown.json, 'name'), 'Shop');
    assert.equal(at(shown.json, 'created_by'), 'superadmin');
    assert.ok(!shown.text.includes(value));
    assert.ok(!(await must(200, 'GET /tokens')).text.includes(value));
    const secret = value.slice(-43);
    const stored = JSON.stringify(await api.database.query('select t::text from api_tokens t'));
    assert.ok(!stored.includes(secret));
    assert.ok(!stored.includes(Buffer.from(value).toString('hex')));
  });

  test('may be good for less than its role, and gets all of it again by null', async () => {
    const { id, value } = await make({ role: 'operator', scopes: ['send'], sessions: ['one'] });
    assert.equal((await as(value, 'GET /sessions/one')).status, 403);
    assert.equal((await as(value, 'POST /sessions/one/restart')).status, 403);
    // It may, and is told what is missing.
    assert.equal((await as(value, 'POST /sessions/one/messages/text', {})).status, 400);
    assert.deepEqual(at((await must(200, `GET /tokens/${id}`)).json, 'scopes'), ['send']);
    const changed = await as(testToken, `PATCH /tokens/${id}`, { scopes: ['read'] });
    assert.deepEqual(at(changed.json, 'scopes'), ['read']);
    assert.equal((await as(value, 'GET /sessions/one')).status, 200);
    assert.equal((await as(value, 'POST /sessions/one/messages/text', {})).status, 403);
    const whole = await as(testToken, `PATCH /tokens/${id}`, { scopes: null });
    assert.deepEqual(at(whole.json, 'scopes'), ['read', 'send', 'manage']);
    const beyond = await as(testToken, `PATCH /tokens/${id}`, { scopes: ['admin'] });
    assert.deepEqual([beyond.status, details(beyond)], [400, ['scopes']]);
    // Role admin with less than an admin's scopes is not about the gateway as a whole.
    const reader = await make({ role: 'admin', scopes: ['read'] });
    assert.equal((await as(reader.value, 'GET /tokens')).status, 403);
    assert.equal((await as(reader.value, 'GET /sessions')).status, 200);
  });

  test('works in either header, and is not found by another secret', async () => {
    const { value } = await make();
    assert.equal((await as(value, 'GET /sessions')).status, 200);
    const byKey = await api.client.call('GET', '/api/v1/sessions', { token: null, headers: { 'x-api-key': value } });
    assert.equal(byKey.status, 200);
    assert.equal((await as(`${value.slice(0, -1)}${value.endsWith('A') ? 'B' : 'A'}`, 'GET /sessions')).status, 401);
  });

  test('ceases to work the moment it is revoked, and says so to its holder', async () => {
    const { id, value } = await make();
    assert.equal((await as(value, 'GET /sessions')).status, 200);
    await must(200, `DELETE /tokens/${id}`);
    const refused = await as(value, 'GET /sessions');
    assert.equal(refused.status, 401);
    assert.match(refused.text, /has been revoked/);
    assert.equal(at((await must(200, `GET /tokens/${id}`)).json, 'status'), 'revoked');
    assert.equal((await api.client.call('PATCH', `/api/v1/tokens/${id}`, { body: { name: 'Back' } })).status, 422);
    await must(200, `DELETE /tokens/${id}`);
    const { text } = await must(200, 'GET /tokens?limit=200');
    assert.ok(!text.includes(id));
    assert.ok((await must(200, 'GET /tokens?limit=200&include_revoked=true')).text.includes(id));
  });

  test('that another gateway on the same database revokes ceases to work within seconds', async () => {
    const other = await api.another();
    const { id, value } = await make();
    assert.equal((await as(value, 'GET /sessions')).status, 200);
    // As the other gateway leaves it: this one's memory is not told.
    await api.database.query('update api_tokens set revoked_at = now() where id = $1', [id]);
    await eventually(async () => (await as(value, 'GET /sessions')).status === 401, 20_000);
    assert.equal((await other.call('GET', '/api/v1/sessions', { token: value })).status, 401);
  });

  test('gets a new value by rotation, and the old one is worth nothing', async () => {
    const { id, value } = await make();
    assert.equal((await as(value, 'GET /sessions')).status, 200);
    const next = String(at((await must(200, `POST /tokens/${id}/rotate`, {})).json, 'token'));
    assert.notEqual(next, value);
    assert.equal((await as(value, 'GET /sessions')).status, 401);
    assert.equal((await as(next, 'GET /sessions')).status, 200);
  });

  test('does what its new role allows right after the change', async () => {
    const { id, value } = await make({ sessions: ['one'] });
    assert.equal((await as(value, 'POST /sessions/one/disconnect')).status, 403);
    await must(200, `PATCH /tokens/${id}`, { role: 'operator', sessions: ['two'], name: 'Changed' });
    assert.equal((await as(value, 'POST /sessions/one/disconnect')).status, 404);
    assert.equal((await as(value, 'POST /sessions/two/disconnect')).status, 200);
  });

  test('remembers when it was used', async () => {
    const { id, value } = await make();
    assert.equal(at((await must(200, `GET /tokens/${id}`)).json, 'last_used_at'), null);
    await as(value, 'GET /sessions');
    await eventually(async () => at((await must(200, `GET /tokens/${id}`)).json, 'last_used_at') !== null);
  });

  test('is good for addresses of IPv4 and IPv6, single ones and networks', async () => {
    for (const addresses of [['127.0.0.1'], ['127.0.0.0/8'], ['fd00::/8', '127.0.0.1/32'], ['0.0.0.0/0']]) {
      const { value } = await make({ addresses });
      assert.equal((await as(value, 'GET /sessions')).status, 200, addresses.join());
    }
    for (const addresses of [['127.0.0.2'], ['128.0.0.0/8'], ['::1'], ['::/0']]) {
      const { value } = await make({ addresses });
      assert.equal((await as(value, 'GET /sessions')).status, 403, addresses.join());
    }
  });

  test('is refused by name where it makes no sense', async () => {
    const grants: readonly (readonly [Readonly<Record<string, unknown>>, string])[] = [
      [{ name: ' ' }, 'name'],
      [{ role: 'superadmin' }, 'role'],
      [{ sessions: [] }, 'sessions'],
      [{ sessions: ['one', 'nowhere'] }, 'sessions'],
      [{ role: 'admin', sessions: ['one'] }, 'sessions'],
      [{ expires_at: inSeconds(-5) }, 'expires_at'],
      [{ addresses: ['10.0.0.0/33'] }, 'addresses[0]'],
      [{ addresses: ['example.com'] }, 'addresses[0]'],
      [{ scopes: ['admin'] }, 'scopes'],
    ];
    for (const [grant, field] of grants) {
      const body = { name: 'Wrong', role: 'viewer', sessions: '*', ...grant };
      const answer = await api.client.call('POST', '/api/v1/tokens', { body });
      assert.equal(answer.status, 400, answer.text);
      assert.deepEqual(details(answer), [field], answer.text);
    }
    const { id } = await make({ sessions: ['one'] });
    const change = await api.client.call('PATCH', `/api/v1/tokens/${id}`, { body: { sessions: ['nowhere'] } });
    assert.match(change.text, /ids of sessions that exist.*nowhere/);
    assert.deepEqual(at((await must(200, `GET /tokens/${id}`)).json, 'sessions'), ['one']);
    for (const path of ['/tokens/0123456789abcdef', '/tokens/0123456789abcdef/rotate']) {
      const method = path.endsWith('rotate') ? 'POST' : 'GET';
      assert.equal(at((await must(404, `${method} ${path}`)).json, 'error', 'type'), 'token_not_found');
    }
  });
});

describe('tokens for some sessions', () => {
  test('list theirs, page by page, with the number of theirs', async () => {
    const { value } = await make({ sessions: ['one', 'three'] });
    const first = await as(value, 'GET /sessions?limit=1');
    assert.equal(at(first.json, 'total'), 2);
    assert.equal(at(first.json, 'sessions', 0, 'id'), 'one');
    const next = await as(value, `GET /sessions?limit=1&cursor=${String(at(first.json, 'next_cursor'))}`);
    assert.equal(at(next.json, 'sessions', 0, 'id'), 'three');
    assert.equal(at(next.json, 'next_cursor'), null);
  });

  test('do not learn which others shared a process that ended', async () => {
    const one = parseSessionId('one');
    assert.ok(one !== null);
    await api.store.children.add(one, {
      at: Date.now(),
      cause: 'memory',
      detail: 'It grew.',
      pid: null,
      code: null,
      signal: null,
      uptimeMs: 1000,
      memoryCapBytes: 1_000_000,
      memory: [],
      growth: null,
      stderr: '',
      action: 'restarted',
      delayMs: null,
      culprits: { sessions: ['one', 'two'], grounds: 'They had requests under way.' },
      movedToOwnChild: false,
    });
    const { value } = await make({ sessions: ['one'] });
    const culprits = async (token: string): Promise<unknown> =>
      at((await as(token, 'GET /sessions/one/children')).json, 'exits', 0, 'culprits', 'sessions');
    assert.deepEqual(await culprits(value), ['one']);
    assert.deepEqual(await culprits(testToken), ['one', 'two']);
  });

  test('lose a session that is deleted, also when another one gets its id', async () => {
    await must(201, 'POST /sessions', { id: 'short-lived', auto_connect: false });
    const { id, value } = await make({ sessions: ['short-lived', 'one'] });
    assert.equal((await as(value, 'GET /sessions/short-lived')).status, 200);
    await must(200, 'DELETE /sessions/short-lived');
    await must(201, 'POST /sessions', { id: 'short-lived', auto_connect: false });
    assert.deepEqual(at((await must(200, `GET /tokens/${id}`)).json, 'sessions'), ['one']);
    assert.equal((await as(value, 'GET /sessions/short-lived')).status, 404);
  });
});

describe('an admin', () => {
  test('makes other tokens, and becomes no superadmin by a sign-in link', async () => {
    const { id, value } = await make({ role: 'admin' });
    const made = await as(value, 'POST /tokens', { name: 'Second', role: 'admin', sessions: '*' });
    assert.equal(made.status, 201);
    assert.equal(at(made.json, 'created_by'), id);
    const link = new URL(String(at((await as(value, 'POST /login-links')).json, 'url')));
    const signedIn = await api.client.call('GET', `${link.pathname}${link.search}`, { token: null });
    assert.equal(signedIn.status, 303);
    const browser = await openBrowser(signedIn);
    const refused = await browser.reveal();
    assert.equal(refused.status, 403);
    assert.ok(!refused.text.includes(testToken));
    await must(200, `DELETE /tokens/${id}`);
    assert.equal((await browser.open('/dashboard/settings')).status, 303);
  });

  test('gains nothing by a link that is opened after the token was revoked', async () => {
    const { id, value } = await make({ role: 'admin' });
    const link = new URL(String(at((await as(value, 'POST /login-links')).json, 'url')));
    await must(200, `DELETE /tokens/${id}`);
    assert.equal((await api.client.call('GET', `${link.pathname}${link.search}`, { token: null })).status, 401);
  });
});

interface SignedIn {
  open(path: string): Promise<ApiAnswer>;
  reveal(csrf?: string): Promise<ApiAnswer>;
}

const sameOrigin = { 'sec-fetch-site': 'same-origin', 'content-type': 'application/x-www-form-urlencoded' };

async function openBrowser({ headers }: ApiAnswer): Promise<SignedIn> {
  const cookie = /^([^;]*)/.exec(headers['set-cookie'] ?? '')?.[1] ?? '';
  assert.notEqual(cookie, '');
  const open = (path: string): Promise<ApiAnswer> => api.client.call('GET', path, { token: null, headers: { cookie } });
  const own = /name="form-token" content="([^"]+)"/.exec((await open('/dashboard/settings')).text)?.[1] ?? '';
  return {
    open,
    reveal: (csrf = own) =>
      api.client.call('POST', '/dashboard/settings/superadmin-token', {
        token: null,
        raw: new URLSearchParams({ csrf }).toString(),
        headers: { cookie, ...sameOrigin },
      }),
  };
}

const signInBy = (token: string): Promise<ApiAnswer> =>
  api.client.call('POST', '/dashboard/login', {
    token: null,
    raw: new URLSearchParams({ token }).toString(),
    headers: sameOrigin,
  });

describe('a browser that a token has signed in', () => {
  test('is signed out when the token is revoked or rotated', async () => {
    for (const path of ['', '/rotate']) {
      const { id, value } = await make();
      const browser = await openBrowser(await signInBy(value));
      assert.equal((await browser.open('/dashboard/sessions')).status, 200);
      await must(200, `${path === '' ? 'DELETE' : 'POST'} /tokens/${id}${path}`);
      assert.equal((await browser.open('/dashboard/sessions')).status, 303);
    }
  });

  test('is not let in from an address that the token is not for, or after its end, and told why', async () => {
    const elsewhere = await signInBy((await make({ addresses: ['10.0.0.0/8'] })).value);
    assert.equal(elsewhere.status, 403);
    assert.match(elsewhere.text, /may not be used from the address/);
    const { id, value } = await make();
    await must(200, `DELETE /tokens/${id}`);
    const late = await signInBy(value);
    assert.equal(late.status, 401);
    assert.match(late.text, /has been revoked/);
  });

  test('sees the pages of its sessions and its own token, and nothing of the gateway as a whole', async () => {
    const { value } = await make({ sessions: ['one'], name: 'Only one' });
    const browser = await openBrowser(await signInBy(value));
    assert.equal((await browser.open('/dashboard')).headers['location'], '/dashboard/sessions');
    const sessions = await browser.open('/dashboard/sessions');
    assert.match(sessions.text, /\/dashboard\/sessions\/one"/);
    assert.doesNotMatch(sessions.text, /\/dashboard\/sessions\/two"|sessions\/new/);
    const settings = await browser.open('/dashboard/settings');
    assert.match(settings.text, /Only one/);
    assert.doesNotMatch(settings.text, /DATABASE_URL|API tokens|Audit log|superadmin/);
    for (const path of ['/dashboard/settings/audit', '/dashboard/sessions/new', '/dashboard?part=summary']) {
      assert.equal((await browser.open(path)).status, 403, path);
    }
    for (const path of ['/dashboard/sessions/two', '/dashboard/sessions/two/process']) {
      assert.equal((await browser.open(path)).status, 404, path);
    }
    assert.equal((await browser.reveal()).status, 403);
  });
});

describe('the superadmin token', () => {
  test('is shown to a signed-in superadmin on a request of its own, and stands in no page', async () => {
    const browser = await openBrowser(await signInBy(testToken));
    for (const path of ['/dashboard/settings', '/dashboard/settings/audit']) {
      const { text } = await browser.open(path);
      assert.ok(!text.includes(testToken), path);
    }
    const shown = await browser.reveal();
    assert.equal(shown.status, 200);
    assert.deepEqual(shown.json, { token: testToken });
    assert.equal(shown.headers['cache-control'], 'no-store');
    assert.equal((await browser.reveal('made-up')).status, 403);
  });
});
