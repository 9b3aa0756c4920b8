import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { createBrowserLogin } from '../../src/api/auth/browser-login.ts';
import { systemClock } from '../../src/clock.ts';
import type { ApiAnswer } from '../support/api-client.ts';
import { noLimits, startApi, testToken, type ApiUnderTest } from '../support/api-under-test.ts';

const form = (fields: Readonly<Record<string, string>>): string => new URLSearchParams(fields).toString();
const sameOrigin = { 'sec-fetch-site': 'same-origin' };
const formType = { 'content-type': 'application/x-www-form-urlencoded' };

let guarded: ApiUnderTest;
let local: ApiUnderTest;
before(async () => {
  [guarded, local] = await Promise.all([
    startApi({ dashboardAuth: 'login', settings: { limits: { ...noLimits, failedLogins: 10 } } }),
    startApi({ dashboardAuth: 'auto', settings: { baseUrl: 'http://127.0.0.1:3451' } }),
  ]);
});
after(async () => {
  await Promise.all([guarded.close(), local.close()]);
});

/** The cookie that an answer sets, as a browser sends it back. */
const cookieOf = ({ headers }: ApiAnswer): string => /^([^;]*)/.exec(headers['set-cookie'] ?? '')?.[1] ?? '';

function page(api: ApiUnderTest, path: string, headers: Readonly<Record<string, string>> = {}): Promise<ApiAnswer> {
  return api.client.call('GET', path, { token: null, headers });
}

function submit(
  api: ApiUnderTest,
  path: string,
  request: { readonly fields: Readonly<Record<string, string>>; readonly headers?: Readonly<Record<string, string>> },
): Promise<ApiAnswer> {
  const headers = { ...sameOrigin, ...formType, ...request.headers };
  return api.client.call('POST', path, { token: null, raw: form(request.fields), headers });
}

async function signIn(): Promise<string> {
  const answer = await page(guarded, `/dashboard/login?t=${guarded.dependencies.links.issue('superadmin')}`);
  return cookieOf(answer);
}

const formTokenIn = ({ text }: ApiAnswer): string => /name="form-token" content="([^"]+)"/.exec(text)?.[1] ?? '';

describe('getting into the dashboard', () => {
  test('needs a login, which brings people to where they wanted to go', async () => {
    const answer = await page(guarded, '/dashboard/sessions?status=failed');
    assert.equal(answer.status, 303);
    assert.equal(answer.headers['location'], '/dashboard/login?next=%2Fdashboard%2Fsessions%3Fstatus%3Dfailed');
    const signedIn = await submit(guarded, answer.headers['location'] ?? '', { fields: { token: testToken } });
    assert.equal(signedIn.status, 303);
    assert.equal(signedIn.headers['location'], '/dashboard/sessions?status=failed');
    const shown = await page(guarded, '/dashboard/sessions', { cookie: cookieOf(signedIn) });
    assert.equal(shown.status, 200);
    assert.ok(!shown.text.includes(testToken));
  });

  test('works by a one-time link, once, with a cookie that scripts and other sites cannot have', async () => {
    const path = `/dashboard/login?t=${guarded.dependencies.links.issue('superadmin')}`;
    const answer = await page(guarded, path);
    assert.equal(answer.status, 303);
    assert.equal(answer.headers['location'], '/dashboard');
    assert.equal(answer.headers['cache-control'], 'no-store');
    assert.equal(answer.headers['referrer-policy'], 'no-referrer');
    assert.match(
      answer.headers['set-cookie'] ?? '',
      /^__Host-warden=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax; Max-Age=\d+; Secure$/,
    );
    assert.equal((await page(guarded, '/dashboard/sessions', { cookie: cookieOf(answer) })).status, 200);
    const again = await page(guarded, path);
    assert.equal(again.status, 401);
    assert.match(again.text, /used already[^<]*npm run login-link/);
    assert.equal(again.headers['set-cookie'], undefined);
  });

  test('is refused with a wrong token, and after ten of them for a while', async () => {
    const statuses: number[] = [];
    for (let attempt = 0; attempt < 11; attempt += 1) {
      const answer = await submit(guarded, '/dashboard/login', { fields: { token: `wrong-${attempt}` } });
      statuses.push(answer.status);
    }
    // A link that was used already may have been tried from here before.
    const refused = statuses.indexOf(429);
    assert.ok(refused > 0 && refused <= 10, statuses.join(' '));
    assert.deepEqual(new Set(statuses.slice(0, refused)), new Set([401]));
    assert.deepEqual(new Set(statuses.slice(refused)), new Set([429]));
  });

  test('never leads away from this gateway', async () => {
    for (const next of ['https://evil.example', '//evil.example', '/dashboard/../..//evil.example', '/dashboardx']) {
      const { text } = await page(guarded, `/dashboard/login?next=${encodeURIComponent(next)}`);
      assert.match(text, /action="\/dashboard\/login\?next=%2Fdashboard"/, next);
    }
  });

  test('ends with signing out', async () => {
    const cookie = await signIn();
    const out = await submit(guarded, '/dashboard/logout', { fields: {}, headers: { cookie } });
    assert.equal(out.headers['location'], '/dashboard/login');
    assert.equal((await page(guarded, '/dashboard', { cookie })).status, 303);
  });

  test('ends with the secrets of the gateway: a new superadmin token or JWT secret signs everybody out', async () => {
    const cookie = await signIn();
    const { store, auth } = guarded.dependencies;
    const terms = { idleMs: 3_600_000, lifetimeMs: 86_400_000, clock: systemClock };
    const login = createBrowserLogin({ store: store.browserSessions, auth, secret: 'another secret', ...terms });
    const restarted = await guarded.another({ login });
    const path = '/dashboard/sessions';
    assert.equal((await page(guarded, path, { cookie })).status, 200);
    assert.equal((await restarted.call('GET', path, { token: null, headers: { cookie } })).status, 303);
  });

  test('needs no login on the machine itself, and from elsewhere it does', async () => {
    const here = await page(local, '/dashboard/sessions');
    assert.equal(here.status, 200);
    assert.notEqual(cookieOf(here), '');
    for (const headers of [
      { 'x-forwarded-for': '127.0.0.1' },
      { 'sec-fetch-site': 'cross-site' },
      // As a reverse proxy asks that says nothing of itself.
      { connection: 'close' },
    ]) {
      assert.equal((await page(local, '/dashboard/sessions', headers)).status, 303, JSON.stringify(headers));
    }
  });

  test('opens no API to those who send no token and no cookie', async () => {
    assert.equal((await page(local, '/api/v1/sessions')).status, 401);
  });
});

describe('a signed-in browser', () => {
  test('may use the API from a page of this gateway, and from no other', async () => {
    const cookie = await signIn();
    assert.equal((await page(guarded, '/api/v1/sessions', { cookie })).status, 200);
    const create = async (headers: Readonly<Record<string, string>>, id: string) => {
      const request = { token: null, headers: { cookie, ...headers }, raw: JSON.stringify({ id }) };
      return (await guarded.client.call('POST', '/api/v1/sessions', request)).status;
    };
    const json = { 'content-type': 'application/json' };
    assert.equal(await create({ ...json, ...sameOrigin }, 'made-here'), 201);
    assert.equal(await create({ ...json, origin: 'https://warden.example' }, 'made-here-too'), 201);
    assert.equal(await create({ ...json, 'sec-fetch-site': 'cross-site' }, 'made-elsewhere'), 403);
    assert.equal(await create({ ...json, origin: 'https://evil.example' }, 'made-elsewhere'), 403);
    assert.equal(await create(json, 'made-elsewhere'), 403);
    assert.equal(await create({ 'content-type': 'text/plain', ...sameOrigin }, 'made-elsewhere'), 403);
    const elsewhere = await page(guarded, '/api/v1/sessions/made-elsewhere', { cookie });
    assert.equal(elsewhere.status, 404);
  });

  test('sends only forms that carry the token of its own pages', async () => {
    const cookie = await signIn();
    const csrf = formTokenIn(await page(guarded, '/dashboard/sessions/new', { cookie }));
    const other = formTokenIn(await page(guarded, '/dashboard/sessions/new', { cookie: await signIn() }));
    assert.notEqual(csrf, other);
    for (const wrong of ['', other, `${csrf}x`]) {
      const fields = { csrf: wrong, id: 'forged' };
      const answer = await submit(guarded, '/dashboard/sessions/new', { fields, headers: { cookie } });
      assert.equal(answer.status, 403);
      assert.match(answer.text, /load the page again/);
    }
    const fields = { csrf, id: 'from-a-form' };
    const crossSite = { cookie, 'sec-fetch-site': 'cross-site' };
    assert.equal((await submit(guarded, '/dashboard/sessions/new', { fields, headers: crossSite })).status, 403);
    const created = await submit(guarded, '/dashboard/sessions/new', { fields, headers: { cookie } });
    assert.equal(created.status, 303);
    assert.equal(created.headers['location'], '/dashboard/sessions/from-a-form');
  });

  test('is told beside the field what is wrong with a form, and loses nothing that it has typed', async () => {
    const cookie = await signIn();
    const csrf = formTokenIn(await page(guarded, '/dashboard/sessions/new', { cookie }));
    const fields = {
      csrf,
      id: 'no spaces please',
      name: 'Kept <b>name</b>',
      memory_cap_mb: '7',
      webhook_url: 'ftp://x',
    };
    const answer = await submit(guarded, '/dashboard/sessions/new', { fields, headers: { cookie } });
    assert.equal(answer.status, 422);
    for (const field of ['id', 'memory_cap_mb', 'webhook_url']) {
      assert.match(answer.text, new RegExp(`aria-describedby="${field}-problem"`), field);
      assert.match(answer.text, new RegExp(`id="${field}-problem">Expected: `), field);
    }
    assert.match(answer.text, /value="Kept &lt;b&gt;name&lt;\/b&gt;"/);
  });
});

describe('pages', () => {
  test('that are not there, or are about a session that is not, say so', async () => {
    const cookie = await signIn();
    const answer = await page(guarded, '/dashboard/sessions/nobody', { cookie });
    assert.equal(answer.status, 404);
    assert.match(answer.text, /<h1>There is no session with this id/);
    const malformed = await page(guarded, '/dashboard/sessions/..%2F..%2Fetc', { cookie });
    assert.equal(malformed.status, 404);
  });

  test('run no script and no style but those of this host', async () => {
    const cookie = await signIn();
    for (const path of ['/dashboard/sessions', '/dashboard/sessions/new']) {
      const { text, headers } = await page(guarded, path, { cookie });
      assert.doesNotMatch(text, /<style|\sstyle=|\son\w+=|<script(?! type="module" src="\/assets\/)/);
      assert.match(headers['content-security-policy'] ?? '', /script-src 'self';style-src 'self';/);
      const links = [...text.matchAll(/(?:src|href)="([^"]+\.(?:css|js|svg))"/g)].map(([, link = '']) => link);
      assert.ok(links.length >= 4);
      for (const link of links) assert.equal((await page(guarded, link)).status, 200, link);
    }
  });
});
