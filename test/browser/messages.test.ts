import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import type { Locator, Page } from 'playwright-core';
import { seriousViolations } from '../support/accessibility.ts';
import { at } from '../support/api-client.ts';
import { eventually } from '../support/eventually.ts';
import { inbox } from '../support/gateway.ts';
import { isLive, overflowOf, phoneSize, shownMs } from '../support/browser.ts';
import { ann, bubble, MessagesPage } from '../support/messages-page.ts';
import { exampleMp4, exampleOgg } from '../../src/contract/operations/media-examples.ts';
import { examplePng } from '../../src/contract/schemas.ts';

const annJid = '15551234567@s.whatsapp.net';
const mp4 = Buffer.from(exampleMp4.slice(exampleMp4.indexOf(',') + 1), 'base64');
const png = Buffer.from(examplePng.slice(examplePng.indexOf(',') + 1), 'base64');

/** The fields of what is being sent. */
const active = (page: Page) => page.locator('.composer fieldset:enabled');

const wordsOf = async (places: Locator): Promise<readonly string[]> =>
  (await places.allInnerTexts()).map((text) => text.replaceAll(/\s+/g, ' '));

/** Waits until the contact's phone has received messages of these types and could open them. */
async function arrive(types: readonly string[]): Promise<void> {
  let last: readonly unknown[] = [];
  await eventually(
    async () => {
      last = (await inbox(pages.gateway, 'support', ann)).map((message) => at(message, 'type'));
      return types.every((type) => last.includes(type));
    },
    shownMs,
    () => last,
  );
}

let pages: MessagesPage;
before(async () => {
  pages = await MessagesPage.start();
});
afterEach(() => pages.browser.closePages());
after(() => pages.dispose());

describe('a chat', () => {
  test('begins with a number, and shows what is sent, its ticks, and the answer as they happen', async () => {
    const { page, errors, foreignRequests } = await pages.browser.newPage();
    await page.goto(pages.address());
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
    await pages.writes(ann, { text: 'Thanks a lot' });
    await bubble(page, 'Thanks a lot').waitFor({ timeout: shownMs });
    await page.locator('.chat-entry').filter({ hasText: 'Ann Carter' }).getByText('Thanks a lot').waitFor();
    assert.deepEqual(await seriousViolations(page), []);
    assert.deepEqual(errors, []);
    assert.deepEqual(foreignRequests(pages.gateway.baseUrl), []);
  });

  test('answers a message, and shows reactions, edits and deletions of it', async () => {
    const received = await pages.writes(ann, { text: 'Which day?' });
    const { page, errors } = await pages.opened(pages.chatWith(ann));
    const id = String(at(received, 'message_id'));
    await bubble(page, 'Which day?').getByRole('link', { name: 'Reply' }).click();
    await page.getByText('Reply to: Which day?').waitFor();
    await page.getByLabel('Text', { exact: true }).fill('On Monday');
    await page.getByRole('button', { name: 'Send', exact: true }).click();
    await bubble(page, 'On Monday').locator('.ticks-read').waitFor({ timeout: shownMs });
    const quoting = (await inbox(pages.gateway, 'support', ann)).find((message) => at(message, 'text') === 'On Monday');
    assert.equal(at(quoting, 'quoted_id'), id);
    const sent = String(at(quoting, 'message_id'));
    await pages.writes(ann, { react_to: sent, emoji: '👍' });
    await bubble(page, 'On Monday').locator('.bubble-reactions').getByText('👍').waitFor({ timeout: shownMs });
    await pages.gateway.must(200, '/sessions/support/messages/react', { to: ann, message_id: id, emoji: '🙏' });
    await page.locator(`#m-${id}`).getByText('🙏').waitFor();
    await bubble(page, 'On Monday').locator('.bubble-quote').getByText('Which day?').waitFor();
    await pages.writes(ann, { edit_of: id, text: 'Which day, please?' });
    await bubble(page, 'Which day, please?').getByText('edited').waitFor({ timeout: shownMs });
    await pages.writes(ann, { delete_of: id });
    await bubble(page, 'This message was deleted.').waitFor({ timeout: shownMs });
    assert.deepEqual(errors, []);
  });

  test('sends pictures, voice notes and documents, and shows them', async () => {
    const { page, errors } = await pages.opened(pages.chatWith(ann));
    await page.getByRole('button', { name: 'Image' }).click();
    await active(page)
      .getByLabel('File', { exact: true })
      .setInputFiles({ name: 'dot.png', mimeType: 'image/png', buffer: png });
    await active(page).getByLabel('Caption').fill('The parcel');
    await page.locator('[data-send-file]').click();
    const picture = bubble(page, 'The parcel').locator('img');
    await picture.waitFor({ timeout: shownMs });
    // What is renewed meanwhile is another element.
    await eventually(() => picture.scrollIntoViewIfNeeded().then(() => true), shownMs);
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
    await arrive(['image', 'audio', 'document']);
    assert.deepEqual(errors, []);
  });

  test('sends videos and stickers, which the simulated phone gets whole', async () => {
    const { page, errors } = await pages.opened(pages.chatWith(ann));
    await page.getByRole('button', { name: 'Video' }).click();
    await active(page)
      .getByLabel('File', { exact: true })
      .setInputFiles({ name: 'clip.mp4', mimeType: 'video/mp4', buffer: mp4 });
    await active(page).getByLabel('Caption').fill('How to open it');
    await page.locator('[data-send-file]').click();
    await bubble(page, 'How to open it').locator('video').waitFor();
    await page.getByRole('button', { name: 'Sticker' }).click();
    await active(page)
      .getByLabel('File', { exact: true })
      .setInputFiles({ name: 'dot.png', mimeType: 'image/png', buffer: png });
    await page.locator('[data-send-file]').click();
    await page.getByAltText('Sticker').waitFor();
    await arrive(['video', 'sticker']);
    await page.goto(`${pages.gateway.baseUrl}/dashboard/sessions/support/phone?chat=${encodeURIComponent(annJid)}`);
    const onPhone = page.getByRole('log').locator('.bubble');
    await onPhone.filter({ hasText: 'How to open it' }).getByText('Decrypted and intact.').waitFor();
    await onPhone.filter({ hasText: 'Sticker' }).getByText('Decrypted and intact.').waitFor();
    assert.deepEqual(errors, []);
  });

  test('shows what a contact sends: a picture, a place, a card, a poll, a forwarded text', async () => {
    const { page, errors } = await pages.opened(pages.chatWith(ann));
    await pages.writes(ann, {
      type: 'image',
      file: { base64: png.toString('base64') },
      mimetype: 'image/png',
      caption: 'My cat',
    });
    await bubble(page, 'My cat').locator('img').waitFor({ timeout: shownMs });
    await pages.writes(ann, { type: 'location', latitude: 52.52, longitude: 13.405, name: 'My place' });
    await bubble(page, 'My place').getByText('52.52, 13.405').waitFor({ timeout: shownMs });
    await pages.writes(ann, { type: 'contact', contact: { display_name: 'Carol', phones: ['15550009999'] } });
    await bubble(page, 'Carol').getByText('+15550009999').waitFor({ timeout: shownMs });
    await pages.writes(ann, { type: 'poll', question: 'When?', options: ['Now', 'Later'] });
    await bubble(page, 'When?').getByText('Later').waitFor({ timeout: shownMs });
    await pages.writes(ann, { text: 'From a friend', forwarded: true });
    await bubble(page, 'From a friend').getByText('Forwarded').waitFor({ timeout: shownMs });
    assert.deepEqual(errors, []);
  });

  test('sends a place, a card and a poll, and says beside the field what is wrong', async () => {
    const { page, errors } = await pages.opened(pages.chatWith(ann));
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
    await arrive(['location', 'contact', 'poll']);
    const place = bubble(page, '52.5, 13.4');
    const map = await place.getByRole('link', { name: 'on a map' }).getAttribute('href');
    assert.match(map ?? '', /^https:\/\/www\.openstreetmap\.org\/\?mlat=52\.5&mlon=13\.4#/);
    await bubble(page, 'Support').getByText('+15550001111').waitFor();
    const poll = bubble(page, 'Lunch?');
    await poll.getByText('No votes yet').waitFor();
    const asked = (await inbox(pages.gateway, 'support', ann)).find((message) => at(message, 'type') === 'poll');
    await pages.writes(ann, { vote_in: at(asked, 'message_id'), options: ['No'] });
    await poll.getByText('1 person has voted').waitFor();
    assert.deepEqual(await wordsOf(poll.getByRole('listitem')), ['Yes 0 votes', 'No 1 vote']);
    await page.locator('.chat-entry').getByText('Poll: Lunch?').waitFor();
    await poll.locator('.bubble-open').click();
    await page.getByRole('dialog').getByText('Lunch?').waitFor();
    assert.deepEqual(await seriousViolations(page), []);
    // The browser itself reports that a request was refused.
    assert.deepEqual(
      errors.filter((error) => !error.includes('400')),
      [],
    );
  });

  test('tells what a message went through', async () => {
    const { page, errors } = await pages.opened(pages.chatWith(ann));
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
    await pages.contact(dora, { name: 'Dora' });
    for (let number = 1; number <= 50; number += 1) await pages.writes(dora, { text: `note ${number}.` });
    await eventually(
      async () => at((await pages.gateway.get('/sessions/support/messages?search=note%2050.')).json, 'total') === 1,
      shownMs,
      () => 'the last note is missing',
    );
    const { page, errors } = await pages.opened(pages.chatWith(dora));
    assert.equal(await page.locator('.bubble').count(), 40);
    await page.getByRole('link', { name: 'Older messages' }).click();
    await bubble(page, 'note 1.').first().waitFor({ timeout: shownMs });
    await pages.writes(dora, { text: 'the newest' });
    await bubble(page, 'the newest').waitFor({ timeout: shownMs });
    const stored = (await pages.gateway.get(`/sessions/support/messages?limit=200&chat=${encodeURIComponent(dora)}`))
      .json;
    const messages: unknown = at(stored, 'messages');
    assert.ok(Array.isArray(messages) && messages.length === 51);
    const bodies = messages.map((message: unknown) => at(message, 'body')).toReversed();
    assert.deepEqual(await page.locator('.bubble-text').allTextContents(), bodies);
    assert.deepEqual(errors, []);
  });
});

describe('a search', () => {
  test('finds messages in all chats and opens them', async () => {
    const { page, errors } = await pages.opened(pages.address());
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
    const { page } = await pages.browser.newPage();
    await page.goto(pages.address('?q=a'));
    await page.getByText('At least 2 characters.').waitFor();
    assert.deepEqual(await seriousViolations(page), []);
  });
});

describe('what strangers write', () => {
  test('is text and nothing else, however it is made', async () => {
    const eve = '+15550002222';
    const markup = '<img src=x onerror="document.title=1"><script>document.title=2</script>';
    await pages.contact(eve, { name: '<b>Eve</b>\u202Egnp' });
    await pages.writes(eve, { text: `${markup} \u202Etxet` });
    await pages.writes(eve, { text: `start ${'z'.repeat(65_000)} end` });
    await pages.writes(eve, {
      type: 'document',
      file: { base64: 'aGVsbG8=' },
      mimetype: 'text/html',
      file_name: '"><svg onload=alert(1)>.html',
    });
    const { page, errors } = await pages.opened(pages.chatWith(eve));
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

describe('on a phone', () => {
  test('chats and one chat fit without sideways scrolling, one at a time', async () => {
    const { page, errors } = await pages.browser.newPage(phoneSize);
    await page.goto(pages.address());
    await page.locator('.chat-entry').filter({ hasText: 'Ann Carter' }).click();
    await page.getByLabel('Text', { exact: true }).waitFor();
    assert.equal(await page.locator('.chats-side').isVisible(), false);
    assert.equal(await overflowOf(page), 0);
    assert.deepEqual(await seriousViolations(page), []);
    await page.getByRole('link', { name: 'All chats' }).click();
    await page.locator('.chat-entry').first().waitFor();
    assert.equal(await overflowOf(page), 0);
    for (const view of ['scheduled', 'bulk']) {
      await page.goto(pages.address(`?view=${view}`));
      assert.equal(await overflowOf(page), 0);
    }
    assert.deepEqual(errors, []);
  });
});
