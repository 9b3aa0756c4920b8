import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import type { Page } from 'playwright-core';
import { seriousViolations } from '../support/accessibility.ts';
import { at } from '../support/api-client.ts';
import { overflowOf, shownMs, startBrowser, type TestBrowser } from '../support/browser.ts';
import { eventually } from '../support/eventually.ts';
import { GatewayUnderTest } from '../support/gateway.ts';
import { answerWith, startHttpReceiver, type HttpReceiver } from '../support/http-receiver.ts';

const phone = { width: 390, height: 844 };
const hostile = '<img src=x onerror="document.title=\'taken over\'"> & <b>bold</b>';

let gateway: GatewayUnderTest;
let browser: TestBrowser;
let receiver: HttpReceiver;
before(async () => {
  [gateway, browser, receiver] = await Promise.all([
    // A failed delivery waits long enough for the page to be read.
    GatewayUnderTest.start({ env: { WEBHOOK_RETRY_SCHEDULE: '0s,1h,1h' } }),
    startBrowser(),
    startHttpReceiver(),
  ]);
});
afterEach(() => browser.closePages());
after(async () => {
  await browser.close();
  await receiver.close();
  await gateway.dispose();
});

async function newSession(id: string): Promise<void> {
  await gateway.must(201, '/sessions', { id, sandbox: true, auto_connect: false });
}

const pageOf = (id: string): string => `${gateway.baseUrl}/dashboard/sessions/${id}/webhooks`;
const newHook = async (id: string, url: string): Promise<string> =>
  String(at(await gateway.must(201, `/sessions/${id}/webhooks`, { url }), 'id'));
const isTooWide = async (page: Page): Promise<boolean> => (await overflowOf(page)) !== 0;

describe('the webhooks of a session', () => {
  test('are added by a form, which shows the secret once, and never again', async () => {
    await newSession('adding');
    const { page, errors, foreignRequests } = await browser.newPage();
    await page.goto(pageOf('adding'));
    await page.getByRole('heading', { name: 'No webhooks yet' }).waitFor();
    assert.deepEqual(await seriousViolations(page), []);
    await page.getByLabel('URL', { exact: true }).fill(receiver.url);
    await page.getByText('Which events').click();
    await page.getByLabel('message', { exact: true }).check();
    await page.getByText('Conditions').first().click();
    await page.getByLabel('Text contains').fill('order');
    await page.getByRole('button', { name: 'Add webhook' }).click();
    await page.getByRole('heading', { name: 'Keep this webhook secret' }).waitFor();
    const secret = (await page.locator('#secret').textContent()) ?? '';
    assert.match(secret, /^whsec_/);
    assert.deepEqual(await seriousViolations(page), []);
    await page.getByRole('link', { name: 'Go on to the webhook' }).click();
    await page.getByRole('heading', { name: receiver.url }).waitFor();
    await page.getByText('text with “order”').waitFor();
    assert.ok(!(await page.content()).includes(secret));
    assert.deepEqual(errors, []);
    assert.deepEqual(foreignRequests(gateway.baseUrl), []);
  });

  test('are told beside the field what is wrong, with what was typed', async () => {
    await newSession('wrong');
    const { page } = await browser.newPage({ javaScriptEnabled: false });
    await page.goto(pageOf('wrong'));
    await page.getByLabel('URL', { exact: true }).fill('ftp://example.com');
    await page.getByRole('button', { name: 'Add webhook' }).click();
    await page.locator('#add-url-problem').waitFor();
    assert.equal(await page.getByLabel('URL', { exact: true }).inputValue(), 'ftp://example.com');
  });

  test('are changed, tested, switched off and on, and deleted, without scripts', async () => {
    await newSession('plain');
    const id = await newHook('plain', receiver.url);
    receiver.answer = answerWith(200);
    const { page } = await browser.newPage({ javaScriptEnabled: false });
    await page.goto(pageOf('plain'));
    await page.getByText('Change URL, events, conditions, order').click();
    await page.locator('#edit-webhook').getByText('In order:').click();
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('The webhook is changed.').waitFor();
    assert.equal(at((await gateway.get(`/sessions/plain/webhooks/${id}`)).json, 'ordered'), true);
    await page.getByRole('button', { name: 'Send a test' }).click();
    await page.getByText('The test was delivered: the receiver answered 200').waitFor();
    await page.getByRole('button', { name: 'Switch off' }).click();
    await page.getByText('The webhook is switched off').waitFor();
    await page.getByRole('button', { name: 'Enable' }).click();
    await page.getByText('The webhook is enabled').waitFor();
    await page.getByRole('button', { name: 'Delete' }).click();
    await page.getByText('The webhook is deleted.').waitFor();
    assert.equal((await gateway.get(`/sessions/plain/webhooks/${id}`)).status, 404);
  });

  test('are deleted only when somebody agrees', async () => {
    await newSession('asked');
    const id = await newHook('asked', receiver.url);
    const { page, errors } = await browser.newPage();
    await page.goto(pageOf('asked'));
    await page.getByRole('button', { name: 'Delete' }).click();
    await page.getByRole('button', { name: 'Cancel' }).click();
    assert.equal((await gateway.get(`/sessions/asked/webhooks/${id}`)).status, 200);
    await page.getByRole('button', { name: 'Delete' }).click();
    await page.getByRole('button', { name: 'Yes, do it' }).click();
    await page.getByText('The webhook is deleted.').waitFor();
    assert.equal((await gateway.get(`/sessions/asked/webhooks/${id}`)).status, 404);
    assert.deepEqual(errors, []);
  });

  test('get a new secret, shown once, while the one before signs on', async () => {
    await newSession('rotating');
    await newHook('rotating', receiver.url);
    const { page } = await browser.newPage();
    await page.goto(pageOf('rotating'));
    await page.getByRole('button', { name: 'New secret' }).click();
    await page.getByRole('button', { name: 'Yes, do it' }).click();
    const secret = (await page.locator('#secret').textContent()) ?? '';
    assert.match(secret, /^whsec_/);
    await page.getByRole('link', { name: 'Go on to the webhook' }).click();
    await page.getByText('the one before signs, too, until').waitFor();
    assert.ok(!(await page.content()).includes(secret));
  });
});

describe('a receiver that fails', () => {
  test('is shown with its reason, what it answered is text, and after it is mended all is sent again', async () => {
    await newSession('failing');
    const id = await newHook('failing', receiver.url);
    receiver.answer = (response) => void response.writeHead(503, { 'content-type': 'text/html' }).end(hostile);
    // Its start is told to its webhooks.
    await gateway.must(200, '/sessions/failing/connect');
    const { page, errors } = await browser.newPage();
    await page.goto(pageOf('failing'));
    await page.locator('#hooks-title').waitFor();
    await page.locator('.hook-list').getByText('the receiver answered 503').waitFor({ timeout: shownMs });
    await page.locator('.hook-list').getByText('Failing').waitFor();
    await page.locator('.log-link').first().click();
    await page.getByRole('heading', { name: 'Delivery of' }).waitFor();
    assert.equal(await page.locator('.excerpt').first().textContent(), hostile);
    assert.notEqual(await page.title(), 'taken over');
    const sent = receiver.requests.at(-1)?.json;
    assert.equal(at(sent, 'session_id'), 'failing');
    assert.match((await page.locator('.delivery-body').textContent()) ?? '', /"session_id": "failing"/);
    assert.deepEqual(await seriousViolations(page), []);

    await page.goto(`${gateway.baseUrl}/dashboard`);
    await page.getByRole('link', { name: `failing → ${receiver.url}` }).click();
    await page.getByRole('heading', { name: receiver.url }).waitFor();

    receiver.answer = answerWith(200);
    await page.getByRole('button', { name: 'Try again now' }).click();
    await page.getByText('what waited is sent now').waitFor();
    await page.locator('.hook-list').getByText('Delivering').waitFor({ timeout: shownMs });
    await page.locator('.log').getByText('Delivered').first().waitFor({ timeout: shownMs });
    const health = at((await gateway.get(`/sessions/failing/webhooks/${id}`)).json, 'health');
    assert.equal(at(health, 'queue_depth'), 0);
    assert.deepEqual(errors, []);
  });

  test('gets one delivery again, and those of a time range', async () => {
    await newSession('replayed');
    const id = await newHook('replayed', receiver.url);
    receiver.answer = answerWith(200);
    await gateway.must(200, '/sessions/replayed/connect');
    const requests = (): number => receiver.requests.filter(({ json }) => at(json, 'session_id') === 'replayed').length;
    await eventually(() => requests() > 0, shownMs);
    await gateway.must(200, '/sessions/replayed/disconnect');
    const deliveries = async (): Promise<number> =>
      Number(at((await gateway.get(`/sessions/replayed/webhooks/${id}/deliveries?status=delivered`)).json, 'total'));
    const waiting = async (): Promise<unknown> =>
      at((await gateway.get(`/sessions/replayed/webhooks/${id}`)).json, 'health', 'queue_depth');
    await eventually(async () => (await waiting()) === 0, shownMs);
    const { page } = await browser.newPage();
    await page.goto(pageOf('replayed'));
    await page.locator('.log-link').last().click();
    const before = requests();
    await page.getByRole('button', { name: 'Send it again' }).click();
    await page.getByText('The delivery is sent again.').waitFor();
    await eventually(() => requests() > before, shownMs);
    await eventually(async () => (await waiting()) === 0, shownMs);
    const again = requests();
    const all = await deliveries();
    await page.getByText('Send deliveries again').click();
    await page.getByLabel('From, in UTC').fill('2020-01-01T00:00');
    await page.getByLabel('Which').selectOption('delivered');
    await page.getByRole('button', { name: 'Send again', exact: true }).click();
    await page.getByText(/deliver(?:y is|ies are) sent\./).waitFor();
    await eventually(() => requests() >= again + all, shownMs);
  });

  test('is told apart in the log by status and event', async () => {
    await newSession('filtered');
    await newHook('filtered', receiver.url);
    receiver.answer = answerWith(500);
    const { page } = await browser.newPage();
    await page.goto(pageOf('filtered'));
    await page.getByRole('button', { name: 'Send a test' }).click();
    await page.getByText('The test was not delivered: the receiver answered 500').waitFor();
    await page.getByLabel('Status', { exact: true }).selectOption('delivered');
    await page.getByRole('button', { name: 'Show', exact: true }).click();
    await page.getByText('No delivery matches.').waitFor();
    await page.getByLabel('Status', { exact: true }).selectOption('');
    await page.getByLabel('Event', { exact: true }).selectOption('test');
    await page.getByRole('button', { name: 'Show', exact: true }).click();
    await page.locator('.log-link').getByText('the receiver answered 500').waitFor();
  });

  test('is readable on a phone without scrolling sideways', async () => {
    await newSession('narrow');
    await newHook('narrow', `${receiver.url}/${'a-long-path-without-a-place-to-break'.repeat(4)}`);
    receiver.answer = (response) => void response.writeHead(500).end('x'.repeat(900));
    const { page } = await browser.newPage(phone);
    await page.goto(pageOf('narrow'));
    await page.getByRole('button', { name: 'Send a test' }).click();
    await page.getByText('The test was not delivered').waitFor();
    // Its words are there before the last of its styles.
    await page.waitForLoadState();
    assert.equal(await isTooWide(page), false);
    assert.deepEqual(await seriousViolations(page), []);
    await page.goto(`${gateway.baseUrl}/dashboard`);
    assert.equal(await isTooWide(page), false);
  });
});

describe('the signature playground', () => {
  test('computes the published vector in the browser, and says whether a signature matches', async () => {
    await newSession('signing');
    const { page, errors } = await browser.newPage();
    const asked: string[] = [];
    await page.goto(pageOf('signing'));
    page.on('request', (request) => asked.push(`${request.url()} ${request.postData() ?? ''}`));
    const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
    const plain = '80ec8a89ce3cd22133a1066caecb4d04fea7467657c8514d717ec42c38a5c94c';
    const standard = 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=';
    const given = page.getByLabel('Signature that you received');
    await page.getByLabel('Secret', { exact: true }).fill(secret);
    await page.getByLabel('webhook-id').fill('msg_p5jXN8AQM9LWM0D4loKWxJek');
    await page.getByLabel('webhook-timestamp').fill('1614265330');
    await page.getByLabel('Raw body').fill('{"test": 2432232314}');
    await page.locator('#play-plain').getByText(plain).waitFor();
    await page.locator('#play-standard').getByText(standard).waitFor();
    await given.fill(`v1,AAAA ${standard}`);
    await page.getByText('It matches: this is the webhook-signature').waitFor();
    await given.fill(`sha256=${plain}`);
    await page.getByText('It matches: this is the X-Signature').waitFor();
    await page.getByLabel('Raw body').fill('{"test": 2432232314}\n');
    await page.getByText('It matches without the spaces and line breaks').waitFor();
    await page.getByLabel('Raw body').fill('{"test": 2432232315}');
    await page.getByText('It does not match').waitFor();
    assert.deepEqual(await seriousViolations(page), []);
    assert.deepEqual(
      asked.filter((request) => request.includes(secret)),
      [],
    );
    assert.deepEqual(errors, []);
  });
});
