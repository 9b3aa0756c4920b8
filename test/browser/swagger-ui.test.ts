import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { startBrowser, type TestBrowser } from '../support/browser.ts';
import { GatewayUnderTest, token } from '../support/gateway.ts';

describe('Swagger UI', () => {
  let gateway: GatewayUnderTest;
  let browser: TestBrowser;

  before(async () => {
    [gateway, browser] = await Promise.all([GatewayUnderTest.start(), startBrowser()]);
  });

  after(async () => {
    await browser.close();
    await gateway.dispose();
  });

  test('shows all routes from our host alone, lets one authorize, and tries a route out', async () => {
    const { page, errors, foreignRequests } = await browser.newPage();
    await page.goto(`${gateway.baseUrl}/swagger-ui`);
    await page.getByText('Create a session', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Authorize' }).first().click();
    await page.locator('.auth-container input').first().fill(token);
    await page.locator('.auth-container').first().getByRole('button', { name: /apply/i }).click();
    await page.getByRole('button', { name: 'Close' }).first().click();
    const route = page.locator('#operations-Sessions-listSessions');
    await route.click();
    await route.getByRole('button', { name: 'Try it out' }).click();
    await route.getByRole('button', { name: 'Execute' }).click();
    await route.locator('.live-responses-table .response-col_status').getByText('200').first().waitFor();
    assert.match((await route.locator('.live-responses-table').textContent()) ?? '', /"sessions"/);
    assert.deepEqual(errors, []);
    assert.deepEqual(foreignRequests(gateway.baseUrl), []);
  });
});
