import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import type { Page } from 'playwright-core';
import { seriousViolations } from '../support/accessibility.ts';
import { at } from '../support/api-client.ts';
import { startBrowser, type TestBrowser, type TestPage } from '../support/browser.ts';
import { eventually } from '../support/eventually.ts';
import { GatewayUnderTest, inbox, pairedSession } from '../support/gateway.ts';
import { exampleOgg } from '../../src/contract/operations/media-examples.ts';
import { examplePng } from '../../src/contract/schemas.ts';

const phone = { width: 390, height: 844 };
const shownMs = 30_000;
const ann = '+15551234567';
const png = Buffer.from(examplePng.slice(examplePng.indexOf(',') + 1), 'base64');

let gateway: GatewayUnderTest;
let browser: TestBrowser;
before(async () => {
  [gateway, browser] = await Promise.all([GatewayUnderTest.start(), startBrowser()]);
  await pairedSession(gateway, 'support', { phone: '15550001111' });
  await contact(ann, { name: 'Ann Carter', behaviour: 'reads' });
});
after(async () => {
  await browser.close();
  await gateway.dispose();
});

const contact = (number: string, change: object = {}): Promise<unknown> =>
  gateway.must(201, '/sessions/support/sandbox/contacts', { phone: number, ...change });
const writes = (from: string, message: object): Promise<unknown> =>
  gateway.must(201, '/sessions/support/sandbox/messages', { from, ...message });
const address = (query = ''): string => `${gateway.baseUrl}/dashboard/sessions/support/messages${query}`;
const chatWith = (number: string): string => address(`?chat=${encodeURIComponent(number)}`);
const overflowOf = (page: Page): Promise<unknown> =>
  page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');
const bubble = (page: Page, text: string) => page.locator('.bubble').filter({ hasText: text });
/** The fields of what is being sent. */
const active = (page: Page) => page.locator('.composer fieldset:enabled');
/** Waits until the page hears events: what happens from now on is seen live. */
const isLive = (page: Page): Promise<void> => page.locator('[data-live-state="on"]').waitFor({ timeout: shownMs });

async function opened(url: string): Promise<TestPage> {
  const shown = await browser.newPage();
  await shown.page.goto(url);
  await isLive(shown.page);
  return shown;
}

describe('a chat', () => {
  test('begins with a number, and shows what is sent, its ticks, and the answer as they happen', async () => {
    const { page, errors, foreignRequests } = await browser.newPage();
    await page.goto(address());
    await page.getByRole('heading', { name: 'No messages yet' }).waitFor();
    await page.getByRole('link', { name: 'New', exact: true }).click();
    await page.getByLabel('Number, or the JID').fill('Ann');
    await page.getByRole('button', { name: 'Write' }).click();
    await page.getByText('Expected: a phone number in international form').waitFor();
    assert.equal(await page.getByLabel('Number, or the JID').inputValue(), 'Ann');
    await page.getByLabel('Number, or the JID').fill('+1 555 123 4567');
    await page.getByRole('button', { name: 'Write' }).click();
    await page.getByText('No messages with this chat yet.').waitFor();
    await isLive(page);
    await page.getByLabel('Text', { exact: true }).fill('Your parcel has left');
    await page.getByLabel('Text', { exact: true }).press('Enter');
    await bubble(page, 'Your parcel has left').locator('.ticks-read').waitFor({ timeout: shownMs });
    assert.equal(await page.getByLabel('Text', { exact: true }).inputValue(), '');
    await writes(ann, { text: 'Thanks a lot' });
    await bubble(page, 'Thanks a lot').waitFor({ timeout: shownMs });
    await page.locator('.chat-entry').filter({ hasText: 'Ann Carter' }).getByText('Thanks a lot').waitFor();
    assert.deepEqual(await seriousViolations(page), []);
    assert.deepEqual(errors, []);
    assert.deepEqual(foreignRequests(gateway.baseUrl), []);
  });

  test('answers a message, and shows reactions, edits and deletions of it', async () => {
    const received = await writes(ann, { text: 'Which day?' });
    const { page, errors } = await opened(chatWith(ann));
    const id = String(at(received, 'message_id'));
    await bubble(page, 'Which day?').getByRole('link', { name: 'Reply' }).click();
    await page.getByText('Reply to: Which day?').waitFor();
    await page.getByLabel('Text', { exact: true }).fill('On Monday');
    await page.getByRole('button', { name: 'Send', exact: true }).click();
    await bubble(page, 'On Monday').locator('.ticks-read').waitFor({ timeout: shownMs });
    const quoting = (await inbox(gateway, 'support', ann)).find((message) => at(message, 'text') === 'On Monday');
    assert.equal(at(quoting, 'quoted_id'), id);
    const sent = String(at(quoting, 'message_id'));
    await writes(ann, { react_to: sent, emoji: '👍' });
    await bubble(page, 'On Monday').locator('.bubble-reactions').getByText('👍').waitFor({ timeout: shownMs });
    await writes(ann, { edit_of: id, text: 'Which day, please?' });
    await bubble(page, 'Which day, please?').getByText('edited').waitFor({ timeout: shownMs });
    await writes(ann, { delete_of: id });
    await bubble(page, 'This message was deleted.').waitFor({ timeout: shownMs });
    assert.deepEqual(errors, []);
  });

  test('sends pictures, voice notes and documents, and shows them', async () => {
    const { page, errors } = await opened(chatWith(ann));
    await page.getByRole('button', { name: 'Image' }).click();
    await active(page)
      .getByLabel('File', { exact: true })
      .setInputFiles({ name: 'dot.png', mimeType: 'image/png', buffer: png });
    await active(page).getByLabel('Caption').fill('The parcel');
    await page.locator('[data-send-file]').click();
    const picture = bubble(page, 'The parcel').locator('img');
    await picture.waitFor({ timeout: shownMs });
    await picture.scrollIntoViewIfNeeded();
    await eventually(
      async () => (await page.evaluate("document.querySelector('.bubble img').naturalWidth")) === 1,
      shownMs,
      () => 'the picture was not loaded',
    );
    await page.getByRole('button', { name: 'Audio' }).click();
    const voice = Buffer.from(exampleOgg.slice(exampleOgg.indexOf(',') + 1), 'base64');
    await active(page)
      .getByLabel('File', { exact: true })
      .setInputFiles({ name: 'note.ogg', mimeType: 'audio/ogg', buffer: voice });
    await page.getByLabel('As a voice note').check();
    await page.locator('[data-send-file]').click();
    await page.locator('.bubble audio').waitFor({ timeout: shownMs });
    await page.getByRole('button', { name: 'Document' }).click();
    const text = Buffer.from('a receipt');
    await active(page)
      .getByLabel('File', { exact: true })
      .setInputFiles({ name: 'receipt.txt', mimeType: 'text/plain', buffer: text });
    await page.locator('[data-send-file]').click();
    const link = page.getByRole('link', { name: /receipt\.txt/ });
    await link.waitFor({ timeout: shownMs });
    const [download] = await Promise.all([page.waitForEvent('download'), link.click()]);
    assert.equal(download.suggestedFilename(), 'receipt.txt');
    const kinds = (await inbox(gateway, 'support', ann)).map((message) => at(message, 'type'));
    assert.ok(
      ['image', 'audio', 'document'].every((kind) => kinds.includes(kind)),
      String(kinds),
    );
    assert.deepEqual(errors, []);
  });

  test('shows what a contact sends: a picture, a place, a card, a poll, a forwarded text', async () => {
    const { page, errors } = await opened(chatWith(ann));
    await writes(ann, {
      type: 'image',
      file: { base64: png.toString('base64') },
      mimetype: 'image/png',
      caption: 'My cat',
    });
    await bubble(page, 'My cat').locator('img').waitFor({ timeout: shownMs });
    await writes(ann, { type: 'location', latitude: 52.52, longitude: 13.405, name: 'My place' });
    await bubble(page, 'My place').getByText('52.52, 13.405').waitFor({ timeout: shownMs });
    await writes(ann, { type: 'contact', contact: { display_name: 'Carol', phones: ['15550009999'] } });
    await bubble(page, 'Carol').waitFor({ timeout: shownMs });
    await writes(ann, { type: 'poll', question: 'When?', options: ['Now', 'Later'] });
    await bubble(page, 'When?').getByText('Later').waitFor({ timeout: shownMs });
    await writes(ann, { text: 'From a friend', forwarded: true });
    await bubble(page, 'From a friend').getByText('Forwarded').waitFor({ timeout: shownMs });
    assert.deepEqual(errors, []);
  });

  test('sends a place, a card and a poll, and says beside the field what is wrong', async () => {
    const { page, errors } = await opened(chatWith(ann));
    await page.getByRole('button', { name: 'Location' }).click();
    await page.getByLabel('Latitude').fill('95');
    await page.getByLabel('Longitude').fill('13.4');
    await page.locator('[data-send-file]').click();
    await page.locator('#latitude-problem').getByText('Expected: at most 90').waitFor({ timeout: shownMs });
    assert.equal(await page.getByLabel('Latitude').getAttribute('aria-invalid'), 'true');
    await page.getByLabel('Latitude').fill('52.5');
    await page.locator('[data-send-file]').click();
    await page.getByRole('button', { name: 'Contact', exact: true }).click();
    await active(page).getByLabel('Name', { exact: true }).fill('Support');
    await active(page).getByLabel('Number', { exact: true }).fill('+1 555 000 1111');
    await page.locator('[data-send-file]').click();
    await page.getByRole('button', { name: 'Poll' }).click();
    await page.getByLabel('Question').fill('Lunch?');
    await page.getByLabel('Options, one per line').fill('Yes\nNo');
    await page.locator('[data-send-file]').click();
    await eventually(
      async () => {
        const types = new Set((await inbox(gateway, 'support', ann)).map((message) => at(message, 'type')));
        return ['location', 'contact', 'poll'].every((type) => types.has(type));
      },
      shownMs,
      () => 'not all of them came',
    );
    // The browser itself reports that a request was refused.
    assert.deepEqual(
      errors.filter((error) => !error.includes('400')),
      [],
    );
  });

  test('tells what a message went through', async () => {
    const { page, errors } = await opened(chatWith(ann));
    await bubble(page, 'Your parcel has left').locator('.bubble-open').click();
    const steps = page.getByRole('list', { name: 'How far it has come' });
    await steps.getByText('Read').waitFor({ timeout: shownMs });
    assert.deepEqual(await steps.locator('li > span:first-child').allTextContents(), [
      'Accepted',
      'Sent',
      'Delivered',
      'Read',
    ]);
    assert.deepEqual(await seriousViolations(page), []);
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    assert.deepEqual(errors, []);
  });

  test('goes back to older messages and stays there while new ones come', async () => {
    const dora = '+15550003333';
    await contact(dora, { name: 'Dora' });
    for (let number = 1; number <= 50; number += 1) await writes(dora, { text: `note ${number}.` });
    await eventually(
      async () => at((await gateway.get('/sessions/support/messages?search=note%2050.')).json, 'total') === 1,
      shownMs,
      () => 'the last note is missing',
    );
    const { page, errors } = await opened(chatWith(dora));
    assert.equal(await page.locator('.bubble').count(), 40);
    await page.getByRole('link', { name: 'Older messages' }).click();
    await bubble(page, 'note 1.').first().waitFor({ timeout: shownMs });
    await writes(dora, { text: 'the newest' });
    await bubble(page, 'the newest').waitFor({ timeout: shownMs });
    const stored = (await gateway.get(`/sessions/support/messages?limit=200&chat=${encodeURIComponent(dora)}`)).json;
    const messages: unknown = at(stored, 'messages');
    assert.ok(Array.isArray(messages) && messages.length === 51);
    const bodies = messages.map((message: unknown) => at(message, 'body')).toReversed();
    assert.deepEqual(await page.locator('.bubble-text').allTextContents(), bodies);
    assert.deepEqual(errors, []);
  });
});

describe('a search', () => {
  test('finds messages in all chats and opens them', async () => {
    const { page, errors } = await opened(address());
    await page.getByLabel('Search in all messages of this session').fill('parcel has');
    await page.keyboard.press('Enter');
    await page.getByText('1 found').waitFor();
    await page.locator('.chat-entry').getByText('Your parcel has left').click();
    await page.getByRole('dialog').getByText('Your parcel has left').waitFor();
    await page.getByRole('link', { name: 'Close' }).click();
    await bubble(page, 'Your parcel has left').waitFor();
    assert.deepEqual(errors, []);
  });

  test('that is too short is told so beside the field', async () => {
    const { page } = await browser.newPage();
    await page.goto(address('?q=a'));
    await page.getByText('At least 2 characters.').waitFor();
    assert.deepEqual(await seriousViolations(page), []);
  });
});

describe('a message for later', () => {
  test('is scheduled in its chat, listed, and cancelled', async () => {
    const { page, errors } = await opened(chatWith(ann));
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
    assert.equal(at((await gateway.get('/sessions/support/messages/scheduled')).json, 'total'), 0);
    assert.deepEqual(errors, []);
  });
});

describe('one message to many', () => {
  beforeEach(() => contact('+15557654321', { name: 'Bob', behaviour: 'delivers' }));

  test('is created from pasted lines, and its progress is seen until its end', async () => {
    const { page, errors } = await opened(address('?view=bulk'));
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
    const texts = (await inbox(gateway, 'support', '+15557654321')).map((message) => at(message, 'text'));
    assert.deepEqual(texts, ['Hello Bob']);
    assert.deepEqual(
      errors.filter((error) => !error.includes('422')),
      [],
    );
  });

  test('is paused, goes on, and is cancelled', async () => {
    const { page, errors } = await opened(address('?view=bulk'));
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

describe('what strangers write', () => {
  test('is text and nothing else, however it is made', async () => {
    const eve = '+15550002222';
    const markup = '<img src=x onerror="document.title=1"><script>document.title=2</script>';
    await contact(eve, { name: '<b>Eve</b>\u202Egnp' });
    await writes(eve, { text: `${markup} \u202Etxet` });
    await writes(eve, { text: `start ${'z'.repeat(65_000)} end` });
    await writes(eve, {
      type: 'document',
      file: { base64: 'aGVsbG8=' },
      mimetype: 'text/html',
      file_name: '"><svg onload=alert(1)>.html',
    });
    const { page, errors } = await opened(chatWith(eve));
    await page.getByRole('link', { name: /svg onload/ }).waitFor({ timeout: shownMs });
    await bubble(page, markup).waitFor();
    await page.getByRole('heading', { name: '<b>Eve</b>' }).waitFor();
    assert.equal(await page.locator('main img[src="x"], main script, main svg[onload], main b').count(), 0);
    assert.equal(await page.title(), 'Messages · Warden');
    assert.equal(await overflowOf(page), 0);
    await page.getByRole('link', { name: 'Show all of it' }).click();
    const whole = page.getByRole('region', { name: 'Text' });
    await whole.getByText('end').waitFor({ timeout: shownMs });
    assert.equal((await whole.textContent())?.length, 65_010);
    assert.deepEqual(errors, []);
  });
});

describe('what pacing holds', () => {
  test('is said with its end, in its chat and above it', async () => {
    await gateway.must(201, '/sessions', { id: 'slow', sandbox: true });
    await gateway.must(200, '/sessions/slow/sandbox/scan', { phone: '15550004444' });
    await eventually(
      async () => at((await gateway.get('/sessions/slow')).json, 'status') === 'connected',
      shownMs,
      () => gateway.output.slice(-2000),
    );
    await gateway.must(201, '/sessions/slow/sandbox/contacts', { phone: ann, behaviour: 'reads' });
    const pacing = { messages_per_second: 0.01, burst: 1 };
    await gateway.api.call('PATCH', '/api/v1/sessions/slow', { body: { pacing } });
    await gateway.must(200, '/sessions/slow/messages/text', { to: ann, text: 'first' });
    const { page, errors } = await opened(
      `${gateway.baseUrl}/dashboard/sessions/slow/messages?chat=${encodeURIComponent(ann)}`,
    );
    await page.getByLabel('Text', { exact: true }).fill('second');
    await page.keyboard.press('Enter');
    await page.getByText(/Accepted; it may go out in/).waitFor({ timeout: shownMs });
    await page.getByText(/Pacing holds back 1 message/).waitFor({ timeout: shownMs });
    await bubble(page, 'second').locator('.ticks-accepted').waitFor();
    assert.deepEqual(errors, []);
  });
});

describe('on a phone', () => {
  test('chats and one chat fit without sideways scrolling, one at a time', async () => {
    const { page, errors } = await browser.newPage(phone);
    await page.goto(address());
    await page.locator('.chat-entry').filter({ hasText: 'Ann Carter' }).click();
    await page.getByLabel('Text', { exact: true }).waitFor();
    assert.equal(await page.locator('.chats-side').isVisible(), false);
    assert.equal(await overflowOf(page), 0);
    assert.deepEqual(await seriousViolations(page), []);
    await page.getByRole('link', { name: 'All chats' }).click();
    await page.locator('.chat-entry').first().waitFor();
    assert.equal(await overflowOf(page), 0);
    for (const view of ['scheduled', 'bulk']) {
      await page.goto(address(`?view=${view}`));
      assert.equal(await overflowOf(page), 0);
    }
    assert.deepEqual(errors, []);
  });
});

describe('without scripts', () => {
  test('a text is sent and scheduled by the form, and what is wrong stands beside its field', async () => {
    const { page } = await browser.newPage({ javaScriptEnabled: false });
    await page.goto(chatWith(ann));
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
    await page.goto(address('?view=scheduled'));
    await page.getByRole('button', { name: /^Cancel/ }).click();
    await page.getByText('The message is cancelled.').waitFor();
    await page.getByText('Nothing is scheduled.').waitFor();
  });
});
