import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import sharp from 'sharp';
import { seriousViolations } from '../support/accessibility.ts';
import { at } from '../support/api-client.ts';
import { isLive, overflowOf, phoneSize, shownMs, startBrowser, type TestBrowser } from '../support/browser.ts';
import { eventually } from '../support/eventually.ts';
import { GatewayUnderTest, pairedSession, untilConnected, untilStatus } from '../support/gateway.ts';

const square = { width: 2, height: 2, channels: 3, background: '#4ccb8e' } as const;
const png = (await sharp({ create: square }).png().toBuffer()).toString('base64');

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

const pageOf = (id: string, tab = ''): string => `${gateway.baseUrl}/dashboard/sessions/${id}${tab}`;

describe('linking a session', () => {
  test('shows a QR code with the time until the next, and turns to connected by itself', async () => {
    await gateway.must(201, '/sessions', { id: 'by-qr', sandbox: true });
    await untilStatus(gateway, 'by-qr', 'waiting_for_qr');
    const { page, errors, foreignRequests } = await browser.newPage();
    await page.goto(pageOf('by-qr'));
    await page.getByAltText('QR code to link this session').waitFor();
    await page.getByText(/^A new code in \d+:\d\d$/).waitFor();
    assert.deepEqual(await seriousViolations(page), []);
    await isLive(page);
    await gateway.must(200, '/sessions/by-qr/sandbox/scan', { phone: '15550001111' });
    await page.getByRole('heading', { name: 'Connected' }).waitFor();
    await page.locator('.session-head').getByText('+15550001111').waitFor();
    assert.deepEqual(await seriousViolations(page), []);
    assert.deepEqual(errors, []);
    assert.deepEqual(foreignRequests(gateway.baseUrl), []);
  });

  test('works by a code for a phone number, with the steps on the phone beside it', async () => {
    await gateway.must(201, '/sessions', { id: 'by-code', sandbox: true });
    await untilStatus(gateway, 'by-code', 'waiting_for_qr');
    const { page, errors } = await browser.newPage();
    await page.goto(pageOf('by-code'));
    await page.getByText('Link with a phone number instead').click();
    await page.getByLabel('Phone number, in international form').fill('+1 555 000 2222');
    await page.getByRole('button', { name: 'Get a code' }).click();
    await page.getByText('Link with phone number instead', { exact: true }).waitFor();
    await page.getByText(/Valid for \d+:\d\d\.$/).waitFor();
    const code = ((await page.getByLabel('Pair code').textContent()) ?? '').trim();
    assert.deepEqual(await seriousViolations(page), []);
    await isLive(page);
    await gateway.must(200, '/sessions/by-code/sandbox/enter-code', { code });
    await page.getByRole('heading', { name: 'Connected' }).waitFor();
    assert.deepEqual(errors, []);
  });

  test('needs no scripts: a session is created, shows its code, and tells that it was scanned', async () => {
    const { page } = await browser.newPage({ ...phoneSize, javaScriptEnabled: false });
    await page.goto(`${gateway.baseUrl}/dashboard/sessions/new?sandbox=1`);
    await page.getByLabel('Id', { exact: true }).fill('plain');
    await page.getByRole('button', { name: 'Create and connect' }).click();
    await page.getByAltText('QR code to link this session').waitFor();
    assert.equal(await overflowOf(page), 0);
    await gateway.must(200, '/sessions/plain/sandbox/scan', { phone: '15550003333' });
    await page.getByRole('heading', { name: 'Connected' }).waitFor();
    await page.getByRole('button', { name: 'Disconnect' }).click();
    await page.getByText('plain disconnected.').waitFor();
    await page.getByRole('button', { name: 'Connect', exact: true }).click();
    await page.getByText('plain connecting.').waitFor();
    await untilConnected(gateway, 'plain');
  });
});

describe('a session that is linked', () => {
  test('has its picture in its head, and those of people and groups where they are', async () => {
    await pairedSession(gateway, 'seen', { phone: '15550004444' });
    await gateway.must(201, '/sessions/seen/sandbox/contacts', {
      phone: '+15551234567',
      name: 'Ann Carter',
      picture: png,
    });
    await gateway.must(201, '/sessions/seen/sandbox/contacts', { phone: '+15557654321', name: 'Bob' });
    for (const from of ['+15551234567', '+15557654321'])
      await gateway.must(201, '/sessions/seen/sandbox/messages', { from, text: 'Hello' });
    const { page, errors, foreignRequests } = await browser.newPage();
    await page.goto(pageOf('seen', '/messages?chat=15551234567'));
    await page.locator('.chat-entry').filter({ hasText: 'Bob' }).waitFor();
    const width = (place: string): Promise<unknown> =>
      page.evaluate(`document.querySelector(${JSON.stringify(`${place} .face img`)})?.naturalWidth`);
    await eventually(
      async () => (await width('.thread-head')) === 2,
      shownMs,
      () => width('.thread-head'),
    );
    const bob = page.locator('.chat-entry').filter({ hasText: 'Bob' }).locator('.face');
    assert.equal((await bob.textContent())?.trim(), 'B');
    assert.deepEqual(await seriousViolations(page), []);

    await page.goto(pageOf('seen', '/people?contact=15551234567'));
    await page.locator('[data-part="contact"]').getByText('Ann Carter').waitFor();
    await eventually(async () => (await width('[data-part="contact"]')) === 2, shownMs);
    assert.deepEqual(errors, []);
    assert.deepEqual(foreignRequests(gateway.baseUrl), []);
  });

  test('asks WhatsApp once for a picture that many look at', async () => {
    const face = (jid: string) => gateway.api.call('GET', `/dashboard/sessions/seen/face?jid=${jid}`, { token: null });
    const known = await face('15551234567');
    assert.equal(known.headers['content-type'], 'image/png');
    assert.match(known.headers['cache-control'] ?? '', /^private, max-age=/);
    assert.equal((await face('15557654321')).headers['content-type'], 'image/svg+xml');
    // What was asked for before is known without WhatsApp.
    await gateway.must(201, '/sessions/seen/sandbox/contacts', { phone: '+15551234567', picture: null });
    await gateway.must(201, '/sessions/seen/sandbox/contacts', { phone: '+15557654321', picture: png });
    assert.equal((await face('15551234567')).headers['content-type'], 'image/png');
    assert.equal((await face('15557654321')).headers['content-type'], 'image/svg+xml');
    assert.equal((await face('nobody')).status, 400);
  });
});

describe('the process of a session', () => {
  test('shows its memory against its cap, and why it was restarted', async () => {
    const { page, errors } = await browser.newPage();
    await page.goto(pageOf('by-qr', '/process'));
    for (const chart of ['memory', 'cpu', 'loop']) await page.locator(`[data-chart="${chart}"] canvas`).waitFor();
    assert.deepEqual(await seriousViolations(page), []);
    const child = Number(at((await gateway.get('/sessions/by-qr')).json, 'child', 'pid'));
    process.kill(child, 'SIGKILL');
    await page.locator('[data-part="exits"]').getByText('Evidence').first().click();
    await page.getByText('signal SIGKILL').first().waitFor();
    await untilConnected(gateway, 'by-qr');
    const narrow = await browser.newPage(phoneSize);
    await narrow.page.goto(pageOf('by-qr', '/process'));
    await narrow.page.locator('[data-chart="memory"] canvas').waitFor();
    assert.equal(await overflowOf(narrow.page), 0);
    assert.deepEqual(await seriousViolations(narrow.page), []);
    assert.deepEqual(errors, []);
  });
});

describe('the fleet', () => {
  test('counts sessions and messages as they come, and draws what it costs', async () => {
    const { page, errors, foreignRequests } = await browser.newPage();
    await page.goto(`${gateway.baseUrl}/dashboard`);
    await page.locator('[data-chart="traffic"] canvas').waitFor();
    await page.locator('[data-chart="memory"] canvas').waitFor();
    await page.getByText(/of [\d.]+ [GM]B \((?:machine|container)\)/).waitFor();
    await isLive(page);
    await gateway.must(201, '/sessions', { id: 'later', sandbox: true });
    await page.getByRole('link', { name: '1 waiting for a scan' }).waitFor();
    await page.locator('[data-part="restarts"]').getByRole('link', { name: 'by-qr' }).first().waitFor();
    assert.deepEqual(await seriousViolations(page), []);
    assert.equal(await overflowOf(page), 0);
    await page.getByRole('link', { name: '1 waiting for a scan' }).click();
    await page.getByText('1 session · page 1 of 1').waitFor();
    assert.deepEqual(errors, []);
    assert.deepEqual(foreignRequests(gateway.baseUrl), []);
  });

  test('fits on a phone', async () => {
    const { page } = await browser.newPage(phoneSize);
    await page.goto(`${gateway.baseUrl}/dashboard`);
    await page.locator('[data-chart="traffic"] canvas').waitFor();
    assert.equal(await overflowOf(page), 0);
    assert.deepEqual(await seriousViolations(page), []);
  });
});
