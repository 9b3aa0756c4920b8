import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { seriousViolations } from '../support/accessibility.ts';
import { at } from '../support/api-client.ts';
import { shownMs, startBrowser, type TestBrowser } from '../support/browser.ts';
import { GatewayUnderTest, pairedSession, untilStatus } from '../support/gateway.ts';

let gateway: GatewayUnderTest;
let browser: TestBrowser;
before(async () => {
  [gateway, browser] = await Promise.all([GatewayUnderTest.start(), startBrowser()]);
  await pairedSession(gateway, 'support', { phone: '15550001111' });
});
afterEach(() => browser.closePages());
after(async () => {
  await browser.close();
  await gateway.dispose();
});

const address = (session = 'support'): string => `${gateway.baseUrl}/dashboard/sessions/${session}/settings`;

describe('settings of a session', () => {
  test('change its name and caps, and say beside the field what is wrong', async () => {
    const { page, errors, foreignRequests } = await browser.newPage();
    await page.goto(address());
    await page.getByRole('definition').getByText('+15550001111').waitFor();
    await page.getByLabel('Name', { exact: true }).fill('<b>Sales</b>');
    await page.getByLabel('Memory cap, megabytes').fill('12');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.locator('#memory_cap_mb-problem').getByText('at least 64').waitFor();
    assert.equal(await page.getByLabel('Memory cap, megabytes').getAttribute('aria-invalid'), 'true');
    assert.equal(await page.getByLabel('Name', { exact: true }).inputValue(), '<b>Sales</b>');
    assert.deepEqual(await seriousViolations(page), []);
    await page.getByLabel('Memory cap, megabytes').fill('256');
    await page.getByLabel('A process of its own').selectOption('true');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('Saved.').waitFor();
    await page.getByRole('heading', { name: '<b>Sales</b>' }).waitFor();
    assert.equal(await page.locator('main b').count(), 0);
    const { json } = await gateway.get('/sessions/support');
    assert.equal(at(json, 'name'), '<b>Sales</b>');
    assert.equal(at(json, 'isolated'), true);
    assert.deepEqual(
      errors.filter((error) => !error.includes('422')),
      [],
    );
    assert.deepEqual(foreignRequests(gateway.baseUrl), []);
  });

  test('pace it, show the pace in effect, and go back to the pace of the gateway', async () => {
    const { page } = await browser.newPage();
    await page.goto(address());
    await page.getByText('1/s after a burst of 20').waitFor();
    await page.getByLabel('Messages per second').fill('fast');
    await page.getByRole('button', { name: 'Change the pace' }).click();
    await page.locator('#messages_per_second-problem').getByText('a number').waitFor();
    await page.getByLabel('Messages per second').fill('0.5');
    await page.getByLabel('Burst').fill('3');
    await page.getByRole('button', { name: 'Change the pace' }).click();
    await page.getByText('0.5/s after a burst of 3').waitFor();
    assert.deepEqual(at((await gateway.get('/sessions/support/pacing')).json, 'settings'), {
      messages_per_second: 0.5,
      burst: 3,
    });
    await page.getByRole('button', { name: 'Reset to the gateway’s' }).click();
    await page.getByText('1/s after a burst of 20').waitFor();
    assert.equal(at((await gateway.get('/sessions/support/pacing')).json, 'settings'), null);
  });

  test('fit on a phone', async () => {
    const { page } = await browser.newPage({ width: 390, height: 844 });
    await page.goto(address());
    const overflow = await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');
    assert.equal(overflow, 0);
    assert.deepEqual(await seriousViolations(page), []);
  });
});

describe('the danger zone', () => {
  test('does nothing before the id of the session is typed, and works without scripts', async () => {
    const { page } = await browser.newPage({ javaScriptEnabled: false });
    await page.goto(address());
    await page.getByLabel('to log out').fill('supporter');
    await page.getByRole('button', { name: 'Log out' }).click();
    await page.getByText('Type support to confirm.').waitFor();
    assert.equal(at((await gateway.get('/sessions/support')).json, 'is_logged_in'), true);
    await page.getByLabel('to log out').fill('support');
    await page.getByRole('button', { name: 'Log out' }).click();
    await page.getByText('The session is logged out.').waitFor({ timeout: shownMs });
    await untilStatus(gateway, 'support', 'logged_out');
    await page.getByLabel('to delete').fill('support');
    await page.getByRole('button', { name: 'Delete the session' }).click();
    await page.getByText('support deleted.').waitFor({ timeout: shownMs });
    assert.equal((await gateway.get('/sessions/support')).status, 404);
  });
});
