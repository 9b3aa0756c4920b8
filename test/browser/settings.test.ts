import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import type { Page } from 'playwright-core';
import { seriousViolations } from '../support/accessibility.ts';
import { at } from '../support/api-client.ts';
import { startBrowser, type TestBrowser } from '../support/browser.ts';
import { GatewayUnderTest, token } from '../support/gateway.ts';

const phone = { width: 390, height: 844 };

let gateway: GatewayUnderTest;
let browser: TestBrowser;
before(async () => {
  [gateway, browser] = await Promise.all([
    GatewayUnderTest.start({ env: { MESSAGE_TTL_MS: '123456', OUTBOUND_ALLOW_CIDR: '127.0.0.0/8' } }),
    startBrowser(),
  ]);
  for (const id of ['support', 'sales'])
    await gateway.must(201, '/sessions', { id, sandbox: true, auto_connect: false });
});
afterEach(() => browser.closePages());
after(async () => {
  await browser.close();
  await gateway.dispose();
});

const settings = (): string => `${gateway.baseUrl}/dashboard/settings`;

async function assertNoSidewaysScrolling(page: Page): Promise<void> {
  assert.equal(
    await page.evaluate('document.documentElement.scrollWidth <= document.documentElement.clientWidth'),
    true,
  );
}

async function statusWith(value: string, path = '/sessions'): Promise<number> {
  return (await gateway.api.call('GET', `/api/v1${path}`, { token: value })).status;
}

async function createToken(page: Page, { name, sessions }: { readonly name: string; readonly sessions: string }) {
  await page.goto(settings());
  if (!(await page.getByLabel('Name', { exact: true }).isVisible())) await page.getByText('New token').click();
  await page.getByLabel('Name', { exact: true }).fill(name);
  await page.getByRole('radio', { name: /^Viewer/ }).check();
  await page.getByRole('radio', { name: /^Only these/ }).check();
  await page.getByLabel('Ids of the sessions').fill(sessions);
  await page.getByRole('button', { name: 'Create token' }).click();
}

describe('the settings of a superadmin', () => {
  test('show what the gateway is set to, without any secret', async () => {
    const { page, errors, foreignRequests } = await browser.newPage();
    await page.goto(settings());
    await page.getByText('WhatsApp', { exact: true }).click();
    const variable = page.getByRole('listitem').filter({ hasText: 'MESSAGE_TTL_MS' });
    assert.match(await variable.innerText(), /123456[\s\S]*set[\s\S]*How long an accepted message may wait/);
    await page.getByText('Files and secrets', { exact: true }).click();
    const secret = page.getByRole('listitem').filter({ hasText: 'SUPERADMIN_TOKEN' });
    assert.match(await secret.innerText(), /secret[\s\S]*set/);
    const html = await page.content();
    assert.ok(!html.includes(token));
    assert.ok(!html.includes(new URL(gateway.database?.url ?? 'postgres://nobody').pathname));
    assert.deepEqual(await seriousViolations(page), []);
    assert.deepEqual(errors, []);
    assert.deepEqual(foreignRequests(gateway.baseUrl), []);
  });

  test('fit on a phone', async () => {
    const { page, errors } = await browser.newPage(phone);
    for (const path of ['', '/audit']) {
      await page.goto(`${settings()}${path}`);
      await assertNoSidewaysScrolling(page);
      assert.deepEqual(await seriousViolations(page), []);
    }
    assert.deepEqual(errors, []);
  });

  test('show the superadmin token by a click, hide it again, and write that down', async () => {
    const { page, errors } = await browser.newPage();
    await page.goto(settings());
    await page.getByRole('button', { name: 'Show the superadmin token' }).click();
    const shown = page.getByLabel('The superadmin token');
    await shown.waitFor();
    assert.equal(await shown.textContent(), token);
    await page.getByRole('button', { name: 'Copy', exact: true }).waitFor();
    assert.deepEqual(await seriousViolations(page), []);
    await page.getByRole('button', { name: 'Hide' }).click();
    await shown.waitFor({ state: 'detached' });
    await page.goto(`${settings()}/audit?operation=revealSuperadminToken`);
    await page.getByText('1 entry that matches').waitFor();
    assert.deepEqual(errors, []);
  });

  test('make a link that signs another browser in', async () => {
    const { page } = await browser.newPage();
    await page.goto(settings());
    await page.getByRole('button', { name: 'Make a sign-in link' }).click();
    const link = page.getByLabel('The sign-in link');
    await link.waitFor();
    const other = await browser.newPage();
    await other.page.goto((await link.textContent()) ?? '');
    await other.page.getByRole('heading', { name: 'Fleet' }).waitFor();
  });

  test('change the colour of the theme', async () => {
    const { page } = await browser.newPage();
    await page.goto(settings());
    await page.getByRole('button', { name: 'Violet' }).click();
    await page.locator('html[data-accent="violet"]').waitFor({ state: 'attached' });
    assert.equal(await page.getByRole('button', { name: 'Violet' }).getAttribute('aria-pressed'), 'true');
    assert.deepEqual(await seriousViolations(page), []);
  });

  test('show the audit log, filtered by what people type', async () => {
    const { page, errors } = await browser.newPage();
    await page.goto(settings());
    await page.getByRole('link', { name: 'All entries' }).click();
    await page.getByLabel('Session', { exact: true }).fill('sales');
    await page.getByRole('button', { name: 'Filter' }).click();
    await page.getByText('1 entry that matches').waitFor();
    await page.getByRole('link', { name: 'sales' }).waitFor();
    await page.getByRole('link', { name: 'Show all' }).click();
    await page.getByText('createSession').nth(1).waitFor();
    assert.deepEqual(errors, []);
  });
});

for (const javaScriptEnabled of [true, false]) {
  test(`a token is created and revoked ${javaScriptEnabled ? 'with' : 'without'} scripts`, async () => {
    const { page, errors } = await browser.newPage({ javaScriptEnabled });
    const name = `Made ${javaScriptEnabled ? 'with' : 'without'}`;
    await createToken(page, { name, sessions: 'support, nowhere' });
    await page.getByText('Expected: ids of sessions that exist, not "nowhere".').waitFor();
    assert.equal(await page.getByLabel('Name', { exact: true }).inputValue(), name);
    await page.getByLabel('Ids of the sessions').fill('support');
    await page.getByRole('button', { name: 'Create token' }).click();
    await page.getByRole('heading', { name: 'Keep this token' }).waitFor();
    const value = ((await page.getByLabel('The token').textContent()) ?? '').trim();
    assert.match(value, /^wdn_/);
    if (javaScriptEnabled) assert.deepEqual(await seriousViolations(page), []);
    assert.equal(await statusWith(value), 200);
    assert.equal(await statusWith(value, '/sessions/sales'), 404);
    await page.getByRole('link', { name: 'Done' }).click();
    assert.ok(!(await page.content()).includes(value));
    await page
      .locator('summary')
      .filter({ hasText: /^Revoke$/ })
      .first()
      .click();
    await page.getByText('This cannot be undone.').first().waitFor();
    if (javaScriptEnabled) assert.deepEqual(await seriousViolations(page), []);
    await page.getByRole('button', { name: 'Yes, revoke it' }).first().click();
    await page.getByText('The token is revoked.').waitFor();
    assert.equal(await statusWith(value), 401);
    // The form that was refused is an answer with the status 422, of which browsers tell.
    assert.deepEqual(
      errors.filter((text) => !text.includes('422')),
      [],
    );
  });
}

test('a viewer sees its sessions and its token, and nothing of the gateway as a whole', async () => {
  const made = await gateway.must(201, '/tokens', { name: 'Night shift', role: 'viewer', sessions: ['support'] });
  const { page, errors } = await browser.newPage(phone);
  await page.goto(`${gateway.baseUrl}/dashboard/login`);
  await page.getByLabel('Token').fill(String(at(made, 'token')));
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('heading', { name: 'Sessions' }).waitFor();
  await page.getByRole('link', { name: 'support' }).waitFor();
  assert.equal(await page.getByRole('link', { name: 'sales' }).count(), 0);
  assert.equal(await page.getByText('New session').count(), 0);
  assert.equal(await page.getByRole('link', { name: 'Fleet' }).count(), 0);
  assert.equal(await page.getByRole('checkbox').count(), 0);
  await page.getByRole('link', { name: 'support' }).click();
  await page.getByRole('heading', { name: 'support' }).waitFor();
  assert.equal(await page.getByRole('button', { name: /^(Connect|Restart)/ }).count(), 0);
  await page.getByRole('link', { name: 'Settings' }).first().click();
  await page.getByRole('heading', { name: 'Your token' }).waitFor();
  await page.getByText('Night shift').waitFor();
  await page.getByRole('heading', { name: 'Colour' }).waitFor();
  for (const hidden of ['API tokens', 'Audit log', 'Configuration', 'Getting in', 'This gateway']) {
    assert.equal(await page.getByText(hidden, { exact: true }).count(), 0, hidden);
  }
  assert.deepEqual(await seriousViolations(page), []);
  await assertNoSidewaysScrolling(page);
  for (const path of ['/settings/audit', '/sessions/new']) {
    await page.goto(`${gateway.baseUrl}/dashboard${path}`);
    await page.getByText('This token may not do that').waitFor();
  }
  await page.goto(`${gateway.baseUrl}/dashboard/sessions/sales`);
  await page.getByText('There is no session with this id').waitFor();
  assert.deepEqual(
    errors.filter((text) => !/40[34]/.test(text)),
    [],
  );
});
