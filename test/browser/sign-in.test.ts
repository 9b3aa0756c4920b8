import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { seriousViolations } from '../support/accessibility.ts';
import { at } from '../support/api-client.ts';
import { overflowOf, phoneSize, startBrowser, type TestBrowser } from '../support/browser.ts';
import { GatewayUnderTest, token } from '../support/gateway.ts';

let gateway: GatewayUnderTest;
let browser: TestBrowser;
before(async () => {
  [gateway, browser] = await Promise.all([
    GatewayUnderTest.start({ env: { DASHBOARD_AUTH: 'login' } }),
    startBrowser(),
  ]);
  for (const id of ['support', 'sales']) await gateway.must(201, '/sessions', { id, auto_connect: false });
});
afterEach(() => browser.closePages());
after(async () => {
  await browser.close();
  await gateway.dispose();
});

const address = (path: string): string => `${gateway.baseUrl}/dashboard${path}`;

describe('signing in', () => {
  test('is asked of strangers, refused with a wrong token, and leads to where they wanted to go', async () => {
    const { page, foreignRequests } = await browser.newPage();
    await page.goto(address('/sessions?q=support'));
    await page.getByRole('heading', { name: 'Sign in to Warden' }).waitFor();
    assert.deepEqual(await seriousViolations(page), []);
    await page.getByLabel('Token').fill('a wrong token');
    await page.keyboard.press('Enter');
    await page.getByRole('alert').getByText('This is not a token of this gateway.').waitFor();
    assert.equal(await page.getByLabel('Token').inputValue(), '');
    assert.deepEqual(await seriousViolations(page), []);
    await page.getByLabel('Token').fill(token);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByText('1 session · page 1 of 1').waitFor();
    assert.equal(new URL(page.url()).search, '?q=support');
    assert.ok(!(await page.content()).includes(token));
    assert.deepEqual(foreignRequests(gateway.baseUrl), []);
  });

  test('works by a one-time link, once', async () => {
    const url = String(at(await gateway.must(201, '/login-links'), 'url'));
    const { page } = await browser.newPage();
    await page.goto(url);
    await page.getByRole('heading', { name: 'Fleet' }).waitFor();
    const other = await browser.newPage();
    const answer = await other.page.goto(url);
    assert.equal(answer?.status(), 401);
    await other.page.getByText('This link has been used already').waitFor();
    assert.deepEqual(await seriousViolations(other.page), []);
  });

  test('ends when somebody signs out, in all tabs of that browser', async () => {
    const { page } = await browser.newPage();
    await page.goto(address('/login'));
    await page.getByLabel('Token').fill(token);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('heading', { name: 'Fleet' }).waitFor();
    const other = await page.context().newPage();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('heading', { name: 'Sign in to Warden' }).waitFor();
    await other.goto(address('/settings'));
    await other.getByRole('heading', { name: 'Sign in to Warden' }).waitFor();
  });

  test('fits on a phone', async () => {
    const { page } = await browser.newPage(phoneSize);
    await page.goto(address(''));
    await page.getByLabel('Token').waitFor();
    assert.equal(await overflowOf(page), 0);
    assert.deepEqual(await seriousViolations(page), []);
  });
});

describe('a token for one session', () => {
  test('sees that session, and is told in words that the rest is not there', async () => {
    const made = await gateway.must(201, '/tokens', { name: 'viewer', role: 'viewer', sessions: ['support'] });
    const { page } = await browser.newPage();
    await page.goto(address('/login'));
    await page.getByLabel('Token').fill(String(at(made, 'token')));
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByText('1 account that you may see.').waitFor();
    assert.equal(await page.getByRole('link', { name: 'sales' }).count(), 0);
    assert.deepEqual(await seriousViolations(page), []);
    for (const [path, status] of [
      ['/sessions/sales', 404],
      ['/sessions/sales/messages', 404],
      ['/sessions/sales/face?jid=15551234567', 404],
      ['/sessions/new', 403],
      ['/settings/audit', 403],
    ] as const) {
      const answer = await page.goto(address(path));
      assert.equal(answer?.status(), status, path);
    }
    assert.deepEqual(await seriousViolations(page), []);
    await page.goto(address('/sessions/support'));
    await page.getByRole('heading', { name: 'support' }).waitFor();
    assert.equal(await page.getByRole('button', { name: /^(Connect|Restart)/ }).count(), 0);
  });
});
