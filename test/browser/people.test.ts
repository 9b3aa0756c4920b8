import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { seriousViolations } from '../support/accessibility.ts';
import { at } from '../support/api-client.ts';
import { shownMs, startBrowser, type TestBrowser } from '../support/browser.ts';
import { eventually } from '../support/eventually.ts';
import { GatewayUnderTest, pairedSession } from '../support/gateway.ts';

const people = ['+15551234567', '+15557654321'] as const;
const [ann, bob] = people;

let gateway: GatewayUnderTest;
let browser: TestBrowser;
before(async () => {
  [gateway, browser] = await Promise.all([GatewayUnderTest.start(), startBrowser()]);
  await pairedSession(gateway, 'support', { phone: '15550001111' });
  const contact = (phone: string, change: object) =>
    gateway.must(201, '/sessions/support/sandbox/contacts', { phone, ...change });
  await contact(ann, { name: 'Ann', about: '<i>busy</i>' });
  await contact(bob, { name: 'Bob' });
  await contact('+15550002222', { name: 'Shy', forbids_group_add: true });
  await contact('+15550009999', { registered: false });
});
afterEach(() => browser.closePages());
after(async () => {
  await browser.close();
  await gateway.dispose();
});

const address = (query = ''): string => `${gateway.baseUrl}/dashboard/sessions/support/people${query}`;

describe('groups', () => {
  test('are created, changed, joined by others, and left', async () => {
    const { page, errors, foreignRequests } = await browser.newPage();
    await page.goto(address());
    await page.getByText('The account is in no group.').waitFor({ timeout: shownMs });
    await page.getByText('New group', { exact: true }).click();
    await page.getByLabel('Subject').fill('<b>Release</b> party');
    await page.getByLabel('Participants, one number per line').fill(`${ann}\n+15550002222`);
    await page.getByRole('button', { name: 'Create' }).click();
    await page.getByText('only lets contacts add them').waitFor({ timeout: shownMs });
    await page.getByRole('heading', { name: '<b>Release</b> party' }).waitFor({ timeout: shownMs });
    await page.getByRole('heading', { name: '2 participants' }).waitFor();
    assert.equal(await page.locator('main b').count(), 0);
    assert.deepEqual(await seriousViolations(page), []);

    await page.locator('#group-subject').fill('After party');
    await page.locator('#group-subject').press('Enter');
    await page.getByRole('heading', { name: 'After party' }).waitFor({ timeout: shownMs });
    await page.getByLabel('Description').fill('Bring cake');
    await page
      .locator('form', { has: page.getByLabel('Description') })
      .getByRole('button', { name: 'Change' })
      .click();
    await page.locator('.people-about').getByText('Bring cake').waitFor({ timeout: shownMs });
    await page.getByLabel('Add people, one number per line').fill(bob);
    await page.getByRole('button', { name: 'Add', exact: true }).click();
    await page.getByRole('heading', { name: '3 participants' }).waitFor({ timeout: shownMs });
    const row = page.locator('.participant').filter({ hasText: bob });
    await row.getByLabel(`Actions for ${bob}`).click();
    await row.getByRole('button', { name: 'Make an admin' }).click();
    await row.getByText('admin', { exact: true }).waitFor({ timeout: shownMs });
    await row.getByLabel(`Actions for ${bob}`).click();
    await row.getByRole('button', { name: 'Remove' }).click();
    await page.getByRole('button', { name: 'Yes, do it' }).click();
    await page.getByRole('heading', { name: '2 participants' }).waitFor({ timeout: shownMs });

    await page.getByRole('button', { name: 'Show the invite link' }).click();
    const link = page.locator('[data-invite]');
    await link.waitFor({ timeout: shownMs });
    const first = await link.textContent();
    assert.match(first ?? '', /^https:\/\/chat\.whatsapp\.com\/\w+/);
    await page.getByRole('button', { name: 'Revoke' }).click();
    await page.getByRole('button', { name: 'Yes, do it' }).click();
    await page.getByText('The link is a new one.').waitFor({ timeout: shownMs });
    // Not by a function that is waited for: what that is given as text, the policy of the page forbids.
    await eventually(async () => (await link.textContent()) !== first, shownMs);

    await page.getByRole('button', { name: 'Leave' }).click();
    await page.getByRole('button', { name: 'Yes, do it' }).click();
    await page.getByText('Left the group.').waitFor({ timeout: shownMs });
    await page.getByText('The account is in no group.').waitFor({ timeout: shownMs });
    assert.deepEqual(errors, []);
    assert.deepEqual(foreignRequests(gateway.baseUrl), []);
  });

  test('that do not exist are told of in words, and can be asked for again', async () => {
    const { page } = await browser.newPage();
    await page.goto(address('?group=120363999999999999%40g.us'));
    const alert = page.locator('[data-part="group"]').getByRole('alert');
    await alert.getByRole('button', { name: 'Try again' }).waitFor({ timeout: shownMs });
    assert.match((await alert.textContent()) ?? '', /group/i);
    assert.deepEqual(await seriousViolations(page), []);
  });
});

describe('contacts', () => {
  test('are checked, looked up, blocked and unblocked', async () => {
    const { page, errors } = await browser.newPage();
    await page.goto(address());
    await page.getByText('Nobody is blocked.').waitFor({ timeout: shownMs });
    await page.getByLabel('Numbers, one per line').fill(`${ann}\n+1 555 000 9999`);
    await page.getByRole('button', { name: 'Check' }).click();
    await page.getByRole('row', { name: `${ann} yes` }).waitFor({ timeout: shownMs });
    await page.getByRole('row', { name: '+15550009999 no' }).waitFor();
    await page.getByLabel('Number or JID').fill(ann);
    await page.getByRole('button', { name: 'Look up' }).click();
    await page.getByText('<i>busy</i>').waitFor({ timeout: shownMs });
    assert.equal(await page.locator('main i').count(), 0);
    assert.deepEqual(await seriousViolations(page), []);
    await page.getByRole('button', { name: 'Block', exact: true }).click();
    await page.getByRole('button', { name: 'Yes, do it' }).click();
    await page.getByRole('button', { name: `Unblock ${ann}` }).waitFor({ timeout: shownMs });
    assert.equal(at((await gateway.get('/sessions/support/blocking/list')).json, 'count'), 1);
    await page.getByRole('button', { name: `Unblock ${ann}` }).click();
    await page.getByText('Nobody is blocked.').waitFor({ timeout: shownMs });
    assert.deepEqual(errors, []);
  });

  test('that are no numbers are refused with the reason', async () => {
    const { page } = await browser.newPage();
    await page.goto(address());
    await page.getByLabel('Numbers, one per line').fill('Ann Carter');
    await page.getByRole('button', { name: 'Check' }).click();
    await page.getByText(/phone number in international form/).waitFor({ timeout: shownMs });
  });

  test('are looked up without scripts, by waiting for the whole page', async () => {
    const { page } = await browser.newPage({ javaScriptEnabled: false });
    await page.goto(address());
    await page.getByLabel('Number or JID').fill(ann);
    await page.getByRole('button', { name: 'Look up' }).click();
    await page.getByText('on WhatsApp', { exact: true }).waitFor({ timeout: shownMs });
    await page.getByText('Nobody is blocked.').waitFor();
  });
});

describe('the page', () => {
  test('fits on a phone', async () => {
    const { page } = await browser.newPage({ width: 390, height: 844 });
    await page.goto(address());
    await page.getByText('Nobody is blocked.').waitFor({ timeout: shownMs });
    const overflow = await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');
    assert.equal(overflow, 0);
    assert.deepEqual(await seriousViolations(page), []);
  });

  test('of a session that is not connected says so, and fills when it is', async () => {
    await gateway.must(200, '/sessions/support/disconnect');
    const { page, errors } = await browser.newPage();
    await page.goto(address());
    await page.getByRole('heading', { name: 'Groups and contacts are asked of WhatsApp' }).waitFor();
    assert.deepEqual(await seriousViolations(page), []);
    await page.locator('[data-live-state="on"]').waitFor({ timeout: shownMs });
    await gateway.must(200, '/sessions/support/connect');
    await page.getByText('Nobody is blocked.').waitFor({ timeout: shownMs });
    assert.deepEqual(errors, []);
  });
});
