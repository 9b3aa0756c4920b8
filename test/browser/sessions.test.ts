import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { seriousViolations } from '../support/accessibility.ts';
import { at } from '../support/api-client.ts';
import { isLive, overflowOf, phoneSize, shownMs, startBrowser, type TestBrowser } from '../support/browser.ts';
import { eventually } from '../support/eventually.ts';
import { GatewayUnderTest, pairedSession } from '../support/gateway.ts';

const many = 500;

let gateway: GatewayUnderTest;
let browser: TestBrowser;
before(async () => {
  [gateway, browser] = await Promise.all([GatewayUnderTest.start(), startBrowser()]);
});
afterEach(() => browser.closePages());
after(async () => {
  await browser.close();
  await gateway.dispose();
});

const list = (query = ''): string => `${gateway.baseUrl}/dashboard/sessions${query}`;
const statusOf = async (id: string): Promise<number> => (await gateway.get(`/sessions/${id}`)).status;

describe('without sessions', () => {
  test('the fleet and the list say how to begin, and lead to the sandbox', async () => {
    const { page, errors, foreignRequests } = await browser.newPage();
    await page.goto(list());
    await page.getByRole('heading', { name: 'No sessions yet' }).waitFor();
    assert.deepEqual(await seriousViolations(page), []);
    await page.goto(`${gateway.baseUrl}/dashboard`);
    await page.getByRole('heading', { name: 'No sessions yet' }).waitFor();
    assert.deepEqual(await seriousViolations(page), []);
    await page.getByRole('link', { name: 'Try it in the sandbox' }).click();
    await page.getByRole('heading', { name: 'New session' }).waitFor();
    assert.equal(await page.getByRole('radio', { name: /^Sandbox/ }).isChecked(), true);
    assert.deepEqual(await seriousViolations(page), []);
    assert.deepEqual(errors, []);
    assert.deepEqual(foreignRequests(gateway.baseUrl), []);
  });
});

describe('a new session', () => {
  test('is told beside the field what is wrong, and keeps what was typed', async () => {
    const { page } = await browser.newPage();
    await page.goto(list('/new'));
    await page.getByLabel('Id', { exact: true }).fill('no spaces please');
    await page.getByLabel('Name', { exact: true }).fill('Café');
    await page.getByLabel('Webhook URL').fill('ftp://example.com');
    await page.getByLabel('Memory cap, megabytes').fill('12');
    await page.getByRole('button', { name: 'Create and connect' }).click();
    for (const field of ['id', 'webhook_url', 'memory_cap_mb']) {
      await page.locator(`#${field}-problem`).waitFor();
      assert.equal(await page.locator(`#${field}`).getAttribute('aria-invalid'), 'true');
    }
    assert.equal(await page.getByLabel('Name', { exact: true }).inputValue(), 'Café');
    assert.deepEqual(await seriousViolations(page), []);
  });

  test('with a webhook shows its secret once', async () => {
    const { page, errors } = await browser.newPage();
    await page.goto(list('/new?sandbox=1'));
    await page.getByLabel('Id', { exact: true }).fill('hooked');
    await page.getByLabel('Webhook URL').fill('https://example.com/whatsapp');
    await page.getByRole('button', { name: 'Create and connect' }).click();
    await page.getByRole('heading', { name: 'Keep this webhook secret' }).waitFor();
    assert.match((await page.locator('#secret').textContent()) ?? '', /^whsec_/);
    assert.deepEqual(await seriousViolations(page), []);
    await page.getByRole('link', { name: 'Go on: link the account' }).click();
    await page.getByAltText('QR code to link this session').waitFor();
    assert.deepEqual(errors, []);
    await gateway.delete('/sessions/hooked');
  });
});

describe('a list of five hundred sessions', () => {
  before(async () => {
    const { phone } = await pairedSession(gateway, 'busy', { phone: '15550001111' });
    assert.equal(phone, '15550001111');
    await gateway.must(201, '/sessions/busy/sandbox/contacts', { phone: '+15551234567', name: 'Ann' });
    const numbers = Array.from({ length: many - 1 }, (_, number) => number);
    // A few at a time, as a script that moves accounts here would.
    for (let start = 0; start < numbers.length; start += 20) {
      await Promise.all(
        numbers.slice(start, start + 20).map((number) =>
          gateway.must(201, '/sessions', {
            id: `shop-${String(number).padStart(3, '0')}`,
            name: number === 42 ? '<b>Café</b> Nord' : `Shop ${number}`,
            sandbox: true,
            auto_connect: false,
          }),
        ),
      );
    }
  });

  test('comes in pages, is searched, filtered and sorted', async () => {
    const { page, errors } = await browser.newPage();
    await page.goto(list());
    await page.getByText('500 accounts on this gateway.').waitFor();
    await page.getByText('500 sessions · page 1 of 10').waitFor();
    assert.equal(await page.locator('tbody tr').count(), 50);
    assert.deepEqual(await seriousViolations(page), []);
    await page.getByRole('link', { name: 'Next' }).click();
    await page.getByText('page 2 of 10').waitFor();
    await page.getByRole('link', { name: 'Session', exact: true }).click();
    await page.getByText('500 sessions · page 1 of 10').waitFor();
    assert.equal(await page.locator('tbody .session-name').first().textContent(), 'busy');
    await page.getByRole('searchbox').fill('café');
    await page.keyboard.press('Enter');
    await page.getByText('1 session · page 1 of 1').waitFor();
    await page.getByRole('link', { name: '<b>Café</b> Nord' }).waitFor();
    assert.equal(await page.locator('main b').count(), 0);
    await page.goto(list());
    await page.getByRole('link', { name: /^Connected/ }).click();
    await page.getByText('1 session · page 1 of 1').waitFor();
    await page.getByRole('link', { name: 'busy' }).waitFor();
    assert.deepEqual(errors, []);
  });

  test('draws the memory of what runs, and tells when something was heard of it last', async () => {
    const { page, errors } = await browser.newPage();
    await page.goto(list('?q=busy'));
    const row = page.getByRole('row', { name: /busy/ });
    await row.getByText(/MB$/).waitFor();
    // The second sample makes a line of it.
    await row.getByRole('img', { name: /^Memory over the last hour, against the cap of/ }).waitFor();
    await gateway.must(200, '/sessions/busy/messages/text', { to: '+15551234567', text: 'Hello' });
    await page.reload();
    await row.getByText('just now').waitFor();
    assert.match((await row.locator('time').getAttribute('title')) ?? '', /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC$/);
    assert.deepEqual(errors, []);
  });

  test('acts on one, and on those that are ticked, and asks before it deletes', async () => {
    const { page, errors } = await browser.newPage();
    await page.goto(list('?sort=id&q=shop-49'));
    await isLive(page);
    await page.getByLabel('Actions for Shop 490').click();
    await page
      .getByRole('row', { name: /shop-490/ })
      .getByRole('button', { name: 'Connect' })
      .click();
    await page
      .getByRole('row', { name: /shop-490/ })
      .getByText('Waiting for a scan')
      .waitFor();
    await page.getByLabel('Tick Shop 491').check();
    await page.getByLabel('Tick Shop 492').check();
    await page.getByText('2 ticked').waitFor();
    await page.locator('[data-bulk-bar]').getByRole('button', { name: 'Delete' }).click();
    await page.getByRole('button', { name: 'Cancel' }).click();
    assert.equal(await statusOf('shop-491'), 200);
    await page.locator('[data-bulk-bar]').getByRole('button', { name: 'Delete' }).click();
    await page.getByRole('button', { name: 'Yes, do it' }).click();
    await page.getByText('2 of 2 deleted.').waitFor();
    await page.getByText('7 sessions · page 1 of 1').waitFor();
    assert.deepEqual(
      [await statusOf('shop-491'), await statusOf('shop-492'), await statusOf('shop-493')],
      [404, 404, 200],
    );
    await page.getByLabel('Tick Shop 490').check();
    await page.locator('[data-bulk-bar]').getByRole('button', { name: 'Disconnect' }).click();
    await eventually(
      async () => at((await gateway.get('/sessions/shop-490')).json, 'status') === 'disconnected',
      shownMs,
    );
    assert.deepEqual(errors, []);
  });

  test('fits on a phone, and is read, searched and acted on without scripts', async () => {
    const narrow = await browser.newPage(phoneSize);
    await narrow.page.goto(list());
    await narrow.page.getByText('page 1 of 10').waitFor();
    assert.equal(await overflowOf(narrow.page), 0);
    assert.deepEqual(await seriousViolations(narrow.page), []);
    const { page } = await browser.newPage({ javaScriptEnabled: false });
    await page.goto(list());
    await page.getByRole('searchbox').fill('shop-480');
    await page.getByRole('button', { name: 'Search' }).click();
    await page.getByText('1 session · page 1 of 1').waitFor();
    await page.getByLabel('Tick Shop 480').check();
    await page.getByRole('button', { name: 'Connect', exact: true }).click();
    await eventually(
      async () => at((await gateway.get('/sessions/shop-480')).json, 'status') === 'waiting_for_qr',
      shownMs,
    );
  });
});
