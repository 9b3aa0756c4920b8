import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import type { Page } from 'playwright-core';
import { examplePng } from '../../src/contract/schemas.ts';
import { seriousViolations } from '../support/accessibility.ts';
import { at } from '../support/api-client.ts';
import { phoneSize, shownMs, startBrowser, type TestBrowser } from '../support/browser.ts';
import { eventually } from '../support/eventually.ts';
import { GatewayUnderTest, pairedSession, untilStatus } from '../support/gateway.ts';

const contactJid = '15551234567@s.whatsapp.net';
const hostile = '<img src=x onerror="document.title=1"><b>bold</b>';

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

const pageOf = (id: string, query = ''): string => `${gateway.baseUrl}/dashboard/sessions/${id}/phone${query}`;

/** A paired session with a contact that reads, and its chat open. */
async function openChat(page: Page, id: string, phone: string): Promise<void> {
  await pairedSession(gateway, id, { phone });
  const contact = { phone: contactJid, name: 'First contact', behaviour: 'reads' };
  await gateway.must(201, `/sessions/${id}/sandbox/contacts`, { ...contact, phone: '+15551234567' });
  await page.goto(pageOf(id, `?chat=${contactJid}`));
  await page.getByRole('log').waitFor();
}

const bubble = (page: Page, text: string) => page.locator('.bubble').filter({ hasText: text });

async function doWith(page: Page, message: string, action: string): Promise<void> {
  await page.getByLabel(`Do something with “${message}”`).click();
  await page.locator('.bubble-menu[open]').getByRole('button', { name: action }).click();
}

describe('the two minutes of a newcomer', () => {
  test('are walked by clicking: link by scan, add a contact, send, answer, see the event', async () => {
    const { page, errors, foreignRequests } = await browser.newPage();
    await page.goto(`${gateway.baseUrl}/dashboard/sessions/new?sandbox=1`);
    await page.getByLabel('Id', { exact: true }).fill('newcomer');
    await page.getByRole('button', { name: 'Create and connect' }).click();
    await page.getByRole('link', { name: 'Simulated phone' }).click();
    await page.getByAltText('The camera sees the session’s QR code').waitFor({ timeout: shownMs });
    await page.getByText('0 of 5 done').waitFor();
    assert.deepEqual(await seriousViolations(page), []);

    await page.getByLabel('This phone’s number').fill('+1 555 000 2201');
    await page.getByRole('button', { name: 'Scan the QR code' }).click();
    await page.getByText('1 of 5 done').waitFor({ timeout: shownMs });
    await page.locator('.device').getByText('+15550002201').first().waitFor();
    await page
      .locator('.device')
      .getByText(/^LID \d{15}$/)
      .waitFor();

    await page.getByRole('button', { name: 'Add “First contact” for me' }).click();
    await page.getByText('2 of 5 done').waitFor({ timeout: shownMs });
    const command = (await page.getByLabel('Command').textContent()) ?? '';
    assert.match(command, /\/api\/v1\/sessions\/newcomer\/messages\/text/);
    assert.match(command, /Bearer \$TOKEN/);
    assert.deepEqual(await seriousViolations(page), []);

    const { page: overview } = await browser.newPage();
    await overview.goto(`${gateway.baseUrl}/dashboard/sessions/newcomer`);
    await page.getByRole('button', { name: 'Send it for me' }).click();
    await page.getByText('3 of 5 done').waitFor({ timeout: shownMs });
    await overview.locator('dt:text-is("Sent") + dd:text-is("1")').waitFor({ timeout: shownMs });

    await page.getByRole('link', { name: 'Open the chat with First contact' }).click();
    await bubble(page, 'Hello from Warden').getByTitle('Read by First contact').waitFor({ timeout: shownMs });
    await page.getByLabel('Write as First contact').fill('Hello back');
    await page.getByRole('button', { name: 'Send to the session' }).click();
    await bubble(page, 'Hello back').waitFor({ timeout: shownMs });
    await page.getByText('5 of 5 done').waitFor({ timeout: shownMs });
    await page
      .locator('[data-event-log] summary')
      .filter({ hasText: /^message/ })
      .first()
      .click();
    await page.locator('[data-event-log] pre').filter({ hasText: '"body": "Hello back"' }).waitFor();
    await overview.locator('dt:text-is("Received") + dd:text-is("1")').waitFor({ timeout: shownMs });
    assert.deepEqual(await seriousViolations(page), []);
    assert.deepEqual(errors, []);
    assert.deepEqual(foreignRequests(gateway.baseUrl), []);
  });

  test('can begin with a pair code, and a wrong one is refused in words', async () => {
    await gateway.must(201, '/sessions', { id: 'by-code', sandbox: true });
    await untilStatus(gateway, 'by-code', 'waiting_for_qr');
    const { page } = await browser.newPage();
    await page.goto(`${gateway.baseUrl}/dashboard/sessions/by-code`);
    await page.getByText('Link with a phone number instead').click();
    await page.getByLabel('Phone number, in international form').fill('+1 555 000 2202');
    await page.getByRole('button', { name: 'Get a code' }).click();
    const shown = page.getByLabel('Pair code');
    await shown.waitFor({ timeout: shownMs });
    const code = ((await shown.textContent()) ?? '').trim();
    await page.getByRole('link', { name: 'Simulated phone' }).click();
    await page.getByLabel('Or enter a pair code').fill('ZZZZ-ZZZZ');
    await page.getByRole('button', { name: 'Enter the code' }).click();
    const alert = page.getByRole('alert').filter({ hasText: 'code' });
    await alert.waitFor({ timeout: shownMs });
    assert.match((await alert.textContent()) ?? '', /code/i);
    await page.getByLabel('Or enter a pair code').fill('short');
    await page.getByRole('button', { name: 'Enter the code' }).click();
    await page.getByText(/^Expected: /).waitFor();
    assert.equal(await page.getByLabel('Or enter a pair code').getAttribute('aria-invalid'), 'true');
    await page.getByLabel('Or enter a pair code').fill(code);
    await page.getByRole('button', { name: 'Enter the code' }).click();
    await page.getByText('1 of 5 done').waitFor({ timeout: shownMs });
    await page.getByRole('button', { name: 'Unlink this device' }).waitFor();
  });
});

describe('a chat on the simulated phone', () => {
  test('shows what the session does at once, and what the contact does reaches the session', async () => {
    const { page, errors } = await browser.newPage();
    await openChat(page, 'chat', '+15550002203');
    await page.getByText('Nothing has been said').waitFor();
    await gateway.must(200, '/sessions/chat/messages/text', { to: contactJid, text: 'First of the bot' });
    await bubble(page, 'First of the bot').waitFor({ timeout: shownMs });

    await doWith(page, 'First of the bot', 'Reply');
    await page.getByLabel('Write as First contact').fill('An answer');
    await page.keyboard.press('Enter');
    await bubble(page, 'An answer')
      .locator('.bubble-quote')
      .getByText('First of the bot')
      .waitFor({ timeout: shownMs });

    await doWith(page, 'An answer', 'Edit');
    await page.getByLabel('Write as First contact').fill('A better answer');
    await page.keyboard.press('Enter');
    await bubble(page, 'A better answer').getByText('edited').waitFor({ timeout: shownMs });

    await doWith(page, 'First of the bot', 'React with 👍');
    await bubble(page, 'First of the bot').locator('.bubble-reactions').getByText('👍').waitFor({ timeout: shownMs });
    await doWith(page, 'A better answer', 'Delete for everyone');
    await page.getByText('This message was deleted.').waitFor({ timeout: shownMs });

    const events = page.locator('[data-event-log] summary code');
    for (const name of ['message_sent', 'receipt', 'message', 'message_edited', 'reaction', 'message_deleted']) {
      await events.getByText(name, { exact: true }).first().waitFor({ timeout: shownMs });
    }
    await gateway.must(200, '/sessions/chat/presence/set', { status: 'available' });
    await page.getByLabel('What this person can do').click();
    await page.getByRole('button', { name: 'Begin typing' }).click();
    await events.getByText('chat_presence', { exact: true }).first().waitFor({ timeout: shownMs });
    await page.getByLabel('What this person can do').click();
    await page.getByRole('button', { name: 'Voice call' }).click();
    await events.getByText('call', { exact: true }).first().waitFor({ timeout: shownMs });
    await page.getByRole('button', { name: 'Hang up' }).click();
    await page.getByText('It rings at the session').waitFor({ state: 'hidden' });
    assert.deepEqual(await seriousViolations(page), []);
    assert.deepEqual(errors, []);
  });

  test('has ticks that can be told by hand', async () => {
    const { page } = await browser.newPage();
    await openChat(page, 'ticks', '+15550002204');
    await page.getByText('About this contact').click();
    await page.getByLabel('When a message arrives, the contact').selectOption('silent');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('About this contact: silent').waitFor({ timeout: shownMs });
    const sent = await gateway.must(200, '/sessions/ticks/messages/text', { to: contactJid, text: 'Ticked by hand' });
    await bubble(page, 'Ticked by hand').getByTitle('Arrived; no receipt was sent').waitFor({ timeout: shownMs });
    await doWith(page, 'Ticked by hand', 'Tell “read”');
    await bubble(page, 'Ticked by hand').getByTitle('Read by First contact').waitFor({ timeout: shownMs });
    const path = `/sessions/ticks/messages/${String(at(sent, 'message_id'))}`;
    await eventually(async () => at((await gateway.get(path)).json, 'status') === 'read', shownMs);
  });

  test('takes a photo, a file and a place, which arrive at the session', async () => {
    const { page, errors } = await browser.newPage();
    await openChat(page, 'media', '+15550002205');
    const buffer = Buffer.from(examplePng.split(',')[1] ?? '', 'base64');
    await page.getByLabel('Photo to send').setInputFiles({ name: 'dot.png', mimeType: 'image/png', buffer });
    await page.getByAltText('Preview of the image').waitFor({ timeout: shownMs });
    const file = { name: 'notes <b>.txt', mimeType: 'text/plain', buffer: Buffer.from('Plain words') };
    await page.getByLabel('File to send').setInputFiles(file);
    await page.getByText('notes <b>.txt').waitFor({ timeout: shownMs });
    await page.getByLabel('Attach').click();
    await page.getByRole('button', { name: 'Location' }).click();
    await page.getByText(/^Meeting point: /).waitFor({ timeout: shownMs });
    const types = async (): Promise<readonly unknown[]> => {
      const messages: unknown = at((await gateway.get('/sessions/media/messages')).json, 'messages');
      return Array.isArray(messages) ? messages.map((each: unknown) => at(each, 'type')) : [];
    };
    await eventually(async () => (await types()).length === 3, shownMs, types);
    assert.deepEqual(new Set(await types()), new Set(['document', 'image', 'location']));
    await gateway.must(200, '/sessions/media/messages/image', { to: contactJid, base64: examplePng, caption: 'Mine' });
    await bubble(page, 'Mine').getByText('Decrypted and intact.').waitFor({ timeout: shownMs });
    assert.deepEqual(errors, []);
  });

  test('in a group is written as the member that was chosen', async () => {
    const { page } = await browser.newPage();
    await openChat(page, 'group', '+15550002206');
    await gateway.must(201, '/sessions/group/sandbox/contacts', { phone: '+15557654321', name: 'Second contact' });
    await page.goto(pageOf('group'));
    await page.getByText('Create a group').click();
    await page.getByLabel('Subject').fill('Release party');
    await page.getByLabel('First contact').check();
    await page.getByLabel('Second contact').check();
    await page.getByRole('button', { name: 'Create the group' }).click();
    await page.getByRole('heading', { name: 'Release party' }).waitFor({ timeout: shownMs });
    await page.getByLabel('as', { exact: true }).selectOption('15557654321@s.whatsapp.net');
    await page.waitForURL(/as=15557654321/);
    await page.getByLabel(/^Write as/).fill('From the second');
    await page.keyboard.press('Enter');
    await bubble(page, 'From the second').waitFor({ timeout: shownMs });
    await page.getByLabel('as', { exact: true }).selectOption(contactJid);
    await page.waitForURL(/as=15551234567/);
    await bubble(page, 'From the second').getByText('Second contact').waitFor({ timeout: shownMs });
    assert.deepEqual(await seriousViolations(page), []);
  });
});

describe('faults', () => {
  test('are set in plain words, show in the head of the session, and are cleared', async () => {
    const { page } = await browser.newPage();
    await pairedSession(gateway, 'faulty', { phone: '+15550002207' });
    await page.goto(pageOf('faulty'));
    await page.getByText('Nothing is set').waitFor();
    await page.getByLabel('What goes wrong').selectOption('slow_acks');
    await page.getByLabel('Late by, milliseconds').fill('4000');
    await page.getByRole('button', { name: 'Let it happen' }).click();
    await page.getByText('(by 4 s)').waitFor({ timeout: shownMs });
    await page.getByLabel('What goes wrong').selectOption('ban');
    await page.getByRole('button', { name: 'Let it happen' }).click();
    await page.locator('.session-head .badge-bad').waitFor({ timeout: shownMs });
    assert.match((await page.locator('.session-reason').textContent()) ?? '', /ban/i);
    assert.deepEqual(await seriousViolations(page), []);
    await page.getByRole('button', { name: 'Clear: WhatsApp bans the account for a time' }).click();
    await page.getByRole('button', { name: 'Clear: Acknowledgements come late' }).click();
    await page.getByText('Nothing is set').waitFor({ timeout: shownMs });
  });

  test('include unlinking, after which the phone shows how to link anew', async () => {
    const { page } = await browser.newPage();
    await pairedSession(gateway, 'unlinked', { phone: '+15550002208' });
    await page.goto(pageOf('unlinked'));
    await page.getByRole('button', { name: 'Unlink this device' }).click();
    await page.getByRole('button', { name: 'Yes, do it' }).click();
    await page.getByRole('heading', { name: 'Link a device' }).waitFor({ timeout: shownMs });
    await page.locator('.session-head').getByText('Logged out').waitFor({ timeout: shownMs });
  });
});

describe('the simulated phone', () => {
  test('shows hostile names and texts as what they are', async () => {
    const { page, errors } = await browser.newPage();
    await pairedSession(gateway, 'hostile', { phone: '+15550002209' });
    await gateway.must(201, '/sessions/hostile/sandbox/contacts', { phone: '+15551234567', name: hostile });
    await gateway.must(201, '/sessions/hostile/sandbox/messages', { from: '+15551234567', text: hostile });
    await page.goto(pageOf('hostile'));
    await page.getByRole('link', { name: hostile }).click();
    await bubble(page, hostile).waitFor({ timeout: shownMs });
    await page.getByRole('heading', { name: hostile }).waitFor();
    await doWith(page, hostile, 'Reply');
    await page.locator('[data-about-words]').getByText(hostile).waitFor();
    assert.equal(await page.locator('.device b, .device img[src="x"]').count(), 0);
    assert.notEqual(await page.title(), '1');
    assert.deepEqual(errors, []);
    await gateway.must(201, '/sessions/hostile/sandbox/contacts', { phone: '+15551234567', name: 'First contact' });
  });

  test('is usable on a real phone, without scrolling sideways', async () => {
    const { page, errors } = await browser.newPage(phoneSize);
    await openChat(page, 'small', '+15550002210');
    await gateway.must(201, '/sessions/small/sandbox/messages', { from: '+15551234567', text: 'x'.repeat(500) });
    await bubble(page, 'xxxx').waitFor({ timeout: shownMs });
    const overflow = 'document.documentElement.scrollWidth - document.documentElement.clientWidth';
    assert.equal(await page.evaluate(overflow), 0);
    assert.deepEqual(await seriousViolations(page), []);
    await page.getByLabel('Back to all chats').click();
    await page.locator('summary').getByText('Add a contact').click();
    await page.getByLabel('Number', { exact: true }).fill('no number');
    await page.getByRole('button', { name: 'Add and open the chat' }).click();
    await page.getByText(/^Expected: a phone number/).waitFor();
    assert.equal(await page.evaluate(overflow), 0);
    assert.deepEqual(
      errors.filter((text) => !text.includes('400')),
      [],
    );
  });

  test('is not there for a session of a real phone, and the page says so', async () => {
    await gateway.must(201, '/sessions', { id: 'real', auto_connect: false });
    const { page } = await browser.newPage();
    const answer = await page.goto(pageOf('real'));
    assert.equal(answer?.status(), 409);
    await page.getByText('only sandbox sessions have a simulated one').waitFor();
  });
});
