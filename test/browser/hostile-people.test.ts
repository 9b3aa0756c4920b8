/** Pages that show what people wrote who mean harm: nothing of it runs, leaves the page or breaks it. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { at } from '../support/api-client.ts';
import { isLive, overflowOf, phoneSize, shownMs, startBrowser, type TestBrowser } from '../support/browser.ts';
import { CrashRig } from '../support/crash-rig.ts';
import { eventually } from '../support/eventually.ts';
import { messagesOf, worstTexts, writeAll } from '../support/hostile-people.ts';

const contact = '15551234567';
const account = '15550001111';
const session = 'support';
const markup = '<img src=x onerror="window.hacked=true"><script>window.hacked=true</script>';

let rig: CrashRig;
let browser: TestBrowser;
let group: string;
before(async () => {
  // One after the other: the browser has the temporary folder of this process for itself from then on.
  rig = await CrashRig.start({ sessions: { [session]: account } });
  browser = await startBrowser();
  await rig.whatsapp(session, '/contacts', { phone: contact, name: markup, about: markup });
  const founded = await rig.whatsapp(session, '/groups', {
    subject: markup,
    creator: contact,
    participants: [account],
  });
  group = String(founded['jid']);
  const described = await rig.server.api('POST', `/groups/${group}/actions`, {
    by: contact,
    action: 'description',
    value: markup,
  });
  assert.equal(described.status, 200, JSON.stringify(described.body));
  const written = [...(await writeAll(rig, session, { from: contact, texts: worstTexts }))];
  for (const body of [...messagesOf(markup), ...messagesOf('W'.repeat(200_000))]) {
    written.push({ text: '', id: await rig.written(session, { from: contact, ...body }) });
  }
  await rig.written(session, { from: contact, group, text: markup });
  await rig.written(session, { from: contact, text: markup, quoted_id: written[0]?.id ?? '' });
  const last = await rig.written(session, { from: contact, text: 'the last of all' });
  await rig.heard(session, last, 60_000);
});
after(async () => {
  await rig.dispose();
  await browser.close();
});

const pages: readonly (readonly [string, () => string])[] = [
  ['the list of sessions', () => ''],
  ['a session', () => `/sessions/${session}`],
  ['the list of its chats', () => `/sessions/${session}/messages`],
  ['a chat with all that they wrote', () => `/sessions/${session}/messages?chat=${contact}`],
  ['the chat of their group', () => `/sessions/${session}/messages?chat=${encodeURIComponent(group)}`],
  [
    'a search for what they wrote',
    () => `/sessions/${session}/messages?chat=${contact}&search=${encodeURIComponent('<script>')}`,
  ],
  ['people and groups', () => `/sessions/${session}/people?group=${encodeURIComponent(group)}&contact=${contact}`],
  ['its webhooks', () => `/sessions/${session}/webhooks`],
  ['a page of an id that is markup', () => `/sessions/${encodeURIComponent(markup.slice(0, 60))}`],
  ['a chat of a name that is markup', () => `/sessions/${session}/messages?chat=${encodeURIComponent(markup)}`],
];

const isHacked =
  "'hacked' in window || document.querySelector('main script, main img[onerror], main [onload]') !== null";

/** This WhatsApp server keeps no files for downloads: pictures are missing. A page that is not there answers 4xx. */
const isOurs = (error: string): boolean => !/status of (?:4\d\d|502)/.test(error);

describe('a page with what people wrote who mean harm', () => {
  for (const [what, path] of pages) {
    for (const size of [phoneSize, { width: 1280, height: 900 }]) {
      test(`shows ${what} at ${size.width} pixels, and nothing of it runs`, async () => {
        const { page, errors, foreignRequests } = await browser.newPage(size);
        await page.goto(`${rig.gateway.baseUrl}/dashboard${path()}`);
        await page.locator('main').waitFor({ timeout: shownMs });
        // Parts that are loaded after the page.
        await page.waitForLoadState('load');
        await eventually(
          async () => (await page.locator('[data-part] [aria-busy="true"], [data-loading]').count()) === 0,
          shownMs,
        );
        assert.equal(await page.evaluate(isHacked), false);
        assert.equal(await overflowOf(page), 0);
        assert.deepEqual(foreignRequests(rig.gateway.baseUrl), []);
        assert.deepEqual(errors.filter(isOurs), []);
        await page.close();
      });
    }
  }

  test('takes what comes while it is open for text as well', async () => {
    const { page, errors } = await browser.newPage();
    await page.goto(`${rig.gateway.baseUrl}/dashboard/sessions/${session}/messages?chat=${contact}`);
    await isLive(page);
    for (const body of messagesOf(markup)) await rig.written(session, { from: contact, ...body });
    await rig.written(session, { from: contact, text: 'while it was open' });
    await page.locator('.bubble').filter({ hasText: 'while it was open' }).waitFor({ timeout: shownMs });
    assert.equal(await page.evaluate(isHacked), false);
    assert.equal(await overflowOf(page), 0);
    assert.deepEqual(errors.filter(isOurs), []);
    assert.equal(at((await rig.gateway.get(`/sessions/${session}`)).json, 'status'), 'connected');
  });
});
