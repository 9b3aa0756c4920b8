import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { createAttemptLimit } from '../../src/api/auth/attempt-limit.ts';
import { createLoginCookie } from '../../src/api/auth/login-cookie.ts';
import { dashboardRoutes } from '../../src/api/dashboard/dashboard-routes.ts';
import { createViews } from '../../src/api/dashboard/views.ts';
import { createRequestLimits } from '../../src/api/middleware/limit-requests.ts';
import { publicRoutes } from '../../src/api/public-routes.ts';
import { createOperationRunner } from '../../src/api/rest/operation-runner.ts';
import { at, type ApiAnswer } from '../support/api-client.ts';
import { noLimits, startApi, testToken, type ApiUnderTest } from '../support/api-under-test.ts';

/** Stands in the session that is not for everybody: no answer to a stranger may hold it. */
const marker = 'Marker of a private session';
const baseUrl = 'http://127.0.0.1:3451';
const loginPath = '/dashboard/login';
const signInPaths = new Set([loginPath, '/dashboard/logout']);

let api: ApiUnderTest;
let routes: readonly { readonly method: string; readonly path: string }[];
let publicPaths: readonly string[];
/** What cookies are called, by what is wrong with them. */
const strangers = new Map<string, Readonly<Record<string, string>>>();
const cookies = new Map<string, string>();

before(async () => {
  api = await startApi({ dashboardAuth: 'login', settings: { baseUrl } });
  routes = listRoutes();
  publicPaths = publicRoutes(api.dependencies.settings).stack.map(({ path }) => String(path));
  for (const id of ['mine', 'theirs']) {
    const body = { id, auto_connect: false, ...(id === 'mine' ? { name: marker } : {}) };
    await api.client.call('POST', '/api/v1/sessions', { body });
  }
  for (const role of ['viewer', 'operator']) cookies.set(role, await signIn(await tokenFor(role, ['theirs'])));
  cookies.set('superadmin', await signIn(testToken));

  const cookie = (value: string) => ({ cookie: value });
  const [revoked, expired] = [await tokenFor('admin', '*'), await tokenFor('admin', '*')];
  const [ofRevoked, ofExpired, signedOut] = [await signIn(revoked), await signIn(expired), await signIn(testToken)];
  await api.client.call('DELETE', `/api/v1/tokens/${idOf(revoked)}`);
  const past = `update api_tokens set expires_at = now() - interval '1 second' where id = $1`;
  await api.database.query(past, [idOf(expired)]);
  api.dependencies.tokens.forgetAll();
  await api.client.call('POST', '/dashboard/logout', { token: null, headers: { cookie: signedOut, ...sameOrigin } });
  strangers.set('without a cookie', {});
  strangers.set('with a token in a header', { authorization: `Bearer ${testToken}`, 'x-api-key': testToken });
  strangers.set('with a made-up cookie', cookie(`warden=${'A'.repeat(43)}`));
  strangers.set('with a token as cookie', cookie(`warden=${testToken}`));
  strangers.set('with the cookie of a revoked token', cookie(ofRevoked));
  strangers.set('with the cookie of an expired token', cookie(ofExpired));
  strangers.set('with a cookie that was signed out', cookie(signedOut));
  strangers.set(
    'with a good cookie by another name',
    cookie((cookies.get('superadmin') ?? '').replace('warden', '__Host-warden')),
  );
});
after(() => api.close());

const sameOrigin = { 'sec-fetch-site': 'same-origin' };
const idOf = (token: string): string => token.split('_')[1] ?? '';

function listRoutes() {
  const { dependencies } = api;
  const router = dashboardRoutes({
    ...dependencies,
    cookie: createLoginCookie(baseUrl),
    run: createOperationRunner(dependencies),
    attempts: createAttemptLimit(0),
    limits: createRequestLimits(noLimits, dependencies.clock),
    render: createViews(dependencies.clock),
  });
  return router.stack.flatMap(({ path, methods }) =>
    methods.filter((method) => method !== 'HEAD').map((method) => ({ method, path: String(path) })),
  );
}

async function tokenFor(role: string, sessions: readonly string[] | '*'): Promise<string> {
  const answer = await api.client.call('POST', '/api/v1/tokens', { body: { name: 'for tests', role, sessions } });
  assert.equal(answer.status, 201, answer.text);
  return String(at(answer.json, 'token'));
}

async function signIn(token: string): Promise<string> {
  const answer = await submit(loginPath, { token }, {});
  assert.equal(answer.status, 303, answer.text);
  return /^([^;]*)/.exec(answer.headers['set-cookie'] ?? '')?.[1] ?? '';
}

function submit(
  path: string,
  fields: Readonly<Record<string, string>>,
  headers: Readonly<Record<string, string>>,
): Promise<ApiAnswer> {
  return api.client.call('POST', path, {
    token: null,
    raw: new URLSearchParams(fields).toString(),
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...sameOrigin, ...headers },
  });
}

const inSession = (path: string, session: string): string =>
  path.replace(':id', session).replace(/:\w+/g, '01JGQ0000000000000000000');

async function formTokenOf(cookie: string): Promise<string> {
  const { text } = await api.client.call('GET', '/dashboard/sessions', { token: null, headers: { cookie } });
  return /name="form-token" content="([^"]+)"/.exec(text)?.[1] ?? '';
}

test('there are pages and forms to be guarded', () => {
  const count = (method: string): number => routes.filter((route) => route.method === method).length;
  assert.ok(count('GET') >= 13 && count('POST') >= 15, JSON.stringify(routes));
});

describe('a stranger', () => {
  test('is sent to the login by every page, whatever they bring', async () => {
    for (const { path } of routes.filter(({ method }) => method === 'GET')) {
      if (signInPaths.has(path)) continue;
      for (const [how, headers] of strangers) {
        for (const method of ['GET', 'HEAD']) {
          const answer = await api.client.call(method, inSession(path, 'mine'), { token: null, headers });
          const what = `${method} ${path} ${how}`;
          assert.equal(answer.status, method === 'GET' ? 303 : 401, what);
          if (method === 'GET') assert.match(answer.headers['location'] ?? '', /^\/dashboard\/login\?next=/, what);
          assert.ok(!answer.text.includes(marker), what);
        }
        const part = await api.client.call('GET', `${inSession(path, 'mine')}?part=head`, { token: null, headers });
        assert.equal(part.status, 401, `part of ${path} ${how}`);
      }
    }
  });

  test('changes nothing by any form', async () => {
    const csrf = await formTokenOf(cookies.get('superadmin') ?? '');
    for (const { path } of routes.filter(({ method }) => method === 'POST')) {
      if (signInPaths.has(path)) continue;
      for (const [how, headers] of strangers) {
        const answer = await submit(inSession(path, 'mine'), { csrf, session: 'mine', action: 'delete' }, headers);
        assert.equal(answer.status, 401, `${path} ${how}: ${answer.text.slice(0, 200)}`);
      }
    }
    assert.equal((await api.client.call('GET', '/api/v1/sessions/mine')).status, 200);
  });

  test('gets nothing by the API with such a cookie', async () => {
    for (const [how, headers] of strangers) {
      if ('authorization' in headers) continue;
      for (const path of [
        '/api/v1/sessions',
        '/api/v1/sessions/mine',
        '/api/v1/events',
        '/api/v1/sessions/mine/events',
      ]) {
        assert.equal((await api.client.call('GET', path, { token: null, headers })).status, 401, `${path} ${how}`);
      }
    }
  });

  test('sees the health check, the documentation, the login and what these are made of, and nothing else', async () => {
    assert.deepEqual(publicPaths.toSorted(), [
      '/',
      '/api-docs/openapi.json',
      '/assets/:file',
      '/assets/js/:file',
      '/health',
      '/swagger-ui',
      '/swagger-ui/assets/5/:file',
    ]);
    for (const path of ['/health', '/', '/api-docs/openapi.json', '/swagger-ui', loginPath]) {
      const answer = await api.client.call('GET', path, { token: null });
      assert.ok(answer.status < 400, path);
      assert.ok(!answer.text.includes(marker) && !answer.text.includes(testToken), path);
    }
    for (const path of [
      '/docs',
      '/openapi.json',
      '/metrics',
      '/debug',
      '/assets/../package.json',
      '/assets/%2e%2e%2fpackage.json',
    ]) {
      assert.equal((await api.client.call('GET', path, { token: null })).status, 404, path);
    }
  });
});

describe('a browser that may use another session', () => {
  for (const role of ['viewer', 'operator']) {
    test(`learns nothing of this one and changes nothing, as ${role}`, async () => {
      const cookie = cookies.get(role) ?? '';
      const csrf = await formTokenOf(cookie);
      for (const { method, path } of routes) {
        if (signInPaths.has(path)) continue;
        const where = inSession(path, 'mine');
        const answers: ApiAnswer[] = [];
        if (method === 'GET') answers.push(await api.client.call('GET', where, { token: null, headers: { cookie } }));
        else {
          // Each form knows some of these.
          for (const action of ['delete', 'connect', 'cancel', 'test']) {
            answers.push(await submit(where, { csrf, session: 'mine', action }, { cookie }));
          }
        }
        const what = `${method} ${path}: ${answers.map(({ status }) => status).join(' ')}`;
        for (const { status, text } of answers) {
          assert.ok(!text.includes(marker), what);
          assert.ok(path.includes(':id') ? [400, 403, 404].includes(status) : status < 500, what);
        }
        if (path.includes(':id'))
          assert.ok(
            answers.some(({ status }) => status !== 400),
            what,
          );
      }
      assert.equal((await api.client.call('GET', '/api/v1/sessions/mine')).status, 200);
      const audit = await api.client.call('GET', '/dashboard/settings/audit', { token: null, headers: { cookie } });
      assert.equal(audit.status, 403);
      assert.equal((await submit('/dashboard/settings/superadmin-token', { csrf }, { cookie })).status, 403);
    });
  }
});

describe('a browser that is signed in', () => {
  test('changes nothing by a form without the token of its own pages', async () => {
    const cookie = cookies.get('superadmin') ?? '';
    const ofAnother = await formTokenOf(cookies.get('operator') ?? '');
    for (const { path } of routes.filter(({ method }) => method === 'POST')) {
      if (signInPaths.has(path)) continue;
      for (const csrf of ['', 'A'.repeat(43), ofAnother]) {
        const answer = await submit(inSession(path, 'mine'), { csrf, session: 'mine', action: 'delete' }, { cookie });
        assert.equal(answer.status, 403, path);
      }
    }
  });

  test('is not lent to pages of other sites, not even to look or to listen', async () => {
    const cookie = cookies.get('superadmin') ?? '';
    for (const path of ['/api/v1/sessions', '/api/v1/events', '/api/v1/sessions/mine/events']) {
      for (const site of ['cross-site', 'same-site']) {
        const headers = { cookie, 'sec-fetch-site': site };
        assert.equal((await api.client.call('GET', path, { token: null, headers })).status, 403, `${path} ${site}`);
      }
      for (const site of ['same-origin', 'none']) {
        const headers = { cookie, 'sec-fetch-site': site };
        assert.equal((await api.client.call('GET', path, { token: null, headers })).status, 200, `${path} ${site}`);
      }
    }
  });
});
