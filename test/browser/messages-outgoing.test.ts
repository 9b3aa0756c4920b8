import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { seriousViolations } from '../support/accessibility.ts';
import { at } from '../support/api-client.ts';
import { eventually } from '../support/eventually.ts';
import { inbox, pairedSession } from '../support/gateway.ts';
import { shownMs } from '../support/browser.ts';
import { ann, bubble, MessagesPage } from '../support/messages-page.ts';

let pages: MessagesPage;
before(async () => {
  pages = await MessagesPage.start();
});
afterEach(() => pages.browser.closePages());
after(() => pages.dispose());

describe('a message for later', () => {
  test('is scheduled in its chat, listed, and cancelled', async () => {
    const { page, errors } = await pages.opened(pages.chatWith(ann));
    await page.getByText('Options', { exact: true }).click();
    const later = new Date(Date.now() + 26 * 3_600_000);
    const local = new Date(later.getTime() - later.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
    await page.getByLabel('Send later, at').fill(local);
    await page.getByLabel('Text', { exact: true }).fill('See you tomorrow');
    await page.getByRole('button', { name: 'Send', exact: true }).click();
    await page.getByText('Scheduled: it is sent in 1 d').waitFor({ timeout: shownMs });
    await page
      .getByRole('link', { name: 'Scheduled 1' })
      .or(page.getByRole('link', { name: 'Scheduled 0' }))
      .click();
    await page.getByText('See you tomorrow').waitFor();
    assert.deepEqual(await seriousViolations(page), []);
    await page
      .getByRole('button', { name: /^Cancel the message/ })
      .or(page.getByRole('button', { name: /^Cancel/ }))
      .first()
      .click();
    await page.getByRole('button', { name: 'Yes, do it' }).click();
    await page.getByText('Nothing is scheduled.').waitFor({ timeout: shownMs });
    assert.equal(at((await pages.gateway.get('/sessions/support/messages/scheduled')).json, 'total'), 0);
    assert.deepEqual(errors, []);
  });
});

describe('one message to many', () => {
  beforeEach(() => pages.contact('+15557654321', { name: 'Bob', behaviour: 'delivers' }));

  test('is created from pasted lines, and its progress is seen until its end', async () => {
    const { page, errors } = await pages.opened(pages.address('?view=bulk'));
    await page.getByText('No message was sent to many yet.').waitFor();
    await page.getByLabel('Name', { exact: true }).fill('January news');
    await page.getByLabel('Text', { exact: true }).fill('Hello {{name}}');
    await page.getByLabel('Recipients, one per line').fill('+1 555 123 4567; name=Ann\n12; name=Bob');
    await page.getByLabel('Seconds between two').fill('0');
    await page.getByLabel('And by chance up to').fill('0');
    await page.getByRole('button', { name: 'Send to all' }).click();
    await page.locator('#recipients-problem').getByText('Line 2:').waitFor();
    assert.deepEqual(await seriousViolations(page), []);
    await page.getByLabel('Recipients, one per line').fill('+1 555 123 4567; name=Ann\n+15557654321; name=Bob');
    await page.getByRole('button', { name: 'Send to all' }).click();
    await page.getByText('2 recipients will be sent to.').waitFor();
    await page.getByText('2 of 2 done').waitFor({ timeout: shownMs });
    await page.getByText('Finished').waitFor({ timeout: shownMs });
    const received = () => inbox(pages.gateway, 'support', '+15557654321');
    await eventually(async () => (await received()).length > 0, shownMs);
    assert.deepEqual(
      (await received()).map((message) => at(message, 'text')),
      ['Hello Bob'],
    );
    assert.deepEqual(
      errors.filter((error) => !error.includes('422')),
      [],
    );
  });

  test('is paused, goes on, and is cancelled', async () => {
    const { page, errors } = await pages.opened(pages.address('?view=bulk'));
    await page.getByLabel('Name', { exact: true }).fill('Slow news');
    await page.getByLabel('Text', { exact: true }).fill('Slowly');
    await page.getByLabel('Recipients, one per line').fill('+15551234567\n+15557654321\n+15550003333');
    await page.getByLabel('Seconds between two').fill('600');
    await page.getByRole('button', { name: 'Send to all' }).click();
    await page.getByRole('button', { name: 'Pause' }).click();
    await page.getByText('Paused', { exact: true }).waitFor({ timeout: shownMs });
    await page.getByRole('button', { name: 'Resume' }).click();
    await page.getByRole('button', { name: 'Pause' }).waitFor({ timeout: shownMs });
    await page.locator('.bulk-item').getByRole('button', { name: 'Cancel' }).click();
    await page.getByRole('button', { name: 'Yes, do it' }).click();
    await page.getByText('Cancelled', { exact: true }).waitFor({ timeout: shownMs });
    assert.deepEqual(errors, []);
  });
});

describe('what pacing holds', () => {
  test('is said with its end, in its chat and above it', async () => {
    await pairedSession(pages.gateway, 'slow', { phone: '15550004444' });
    await pages.gateway.must(201, '/sessions/slow/sandbox/contacts', { phone: ann, behaviour: 'reads' });
    const pacing = { messages_per_second: 0.01, burst: 1 };
    await pages.gateway.api.call('PATCH', '/api/v1/sessions/slow', { body: { pacing } });
    await pages.gateway.must(200, '/sessions/slow/messages/text', { to: ann, text: 'first' });
    const { page, errors } = await pages.opened(pages.chatWith(ann, 'slow'));
    await page.getByLabel('Text', { exact: true }).fill('second');
    await page.keyboard.press('Enter');
    await page.getByText(/Accepted; it may go out in/).waitFor({ timeout: shownMs });
    await page.getByText(/Pacing holds back 1 message/).waitFor({ timeout: shownMs });
    await bubble(page, 'second').locator('.ticks-accepted').waitFor();
    assert.deepEqual(errors, []);
  });
});

describe('without scripts', () => {
  test('a text is sent and scheduled by the form, and what is wrong stands beside its field', async () => {
    const { page } = await pages.browser.newPage({ javaScriptEnabled: false });
    await page.goto(pages.chatWith(ann));
    await page.getByLabel('Text', { exact: true }).fill('No scripts here');
    await page.getByRole('button', { name: 'Send', exact: true }).click();
    await page.getByText('Sent.', { exact: true }).waitFor({ timeout: shownMs });
    await bubble(page, 'No scripts here').waitFor();
    await page.getByText('Options', { exact: true }).click();
    await page.getByLabel('Send later, at').fill('tomorrow');
    await page.getByLabel('Text', { exact: true }).fill('Kept');
    await page.getByRole('button', { name: 'Send', exact: true }).click();
    await page.locator('#send_at-problem').getByText('ISO 8601').waitFor();
    assert.equal(await page.getByLabel('Text', { exact: true }).inputValue(), 'Kept');
    await page.getByLabel('Send later, at').fill('2027-01-31T09:30:00+01:00');
    await page.getByRole('button', { name: 'Send', exact: true }).click();
    await page.getByText('Scheduled for 2027-01-31 08:30:00 UTC.').waitFor();
    await page.goto(pages.address('?view=scheduled'));
    await page.getByRole('button', { name: /^Cancel/ }).click();
    await page.getByText('The message is cancelled.').waitFor();
    await page.getByText('Nothing is scheduled.').waitFor();
  });
});
