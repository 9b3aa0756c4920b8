// `npm run screenshots`: starts a gateway on a folder of its own, lets a sandbox come to life in it, and takes the
// pictures of docs/images. A page that this version does not have is left out.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer as createHttpServer } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import sharp from 'sharp';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const images = join(root, 'docs', 'images');
const largestBytes = 150_000;
const patienceMs = 120_000;
const desktop = { width: 1280, height: 860 };
const hand = { width: 390, height: 844 };
const contact = '15551234567@s.whatsapp.net';
/** Of those that can be seen. */
const picturesAreThere = `[...document.images].every((image) => image.complete || !image.checkVisibility())`;

/** What is photographed: the page, what must be seen on it first, and how large it is. */
const pictures = [
  { name: 'fleet', path: '/dashboard', until: '[data-chart="memory"] canvas', size: desktop },
  { name: 'sessions', path: '/dashboard/sessions', until: 'tbody tr', size: desktop },
  { name: 'link-by-qr', path: '/dashboard/sessions/berlin', until: '.qr img', size: desktop },
  {
    name: 'simulated-phone',
    path: `/dashboard/sessions/support/phone?chat=${contact}`,
    until: '.bubble',
    size: desktop,
  },
  {
    name: 'simulated-phone-hand',
    path: `/dashboard/sessions/support/phone?chat=${contact}`,
    until: '.bubble',
    focus: '.device',
    size: hand,
  },
  {
    name: 'messages',
    path: `/dashboard/sessions/support/messages?chat=${contact}`,
    until: '.bubble-poll',
    size: desktop,
  },
  {
    name: 'messages-hand',
    path: `/dashboard/sessions/support/messages?chat=${contact}`,
    until: '.bubble-poll',
    size: hand,
  },
  {
    name: 'webhooks',
    path: '/dashboard/sessions/support/webhooks?webhook=HOOK',
    until: '.log-link',
    size: { ...desktop, height: 1240 },
  },
  {
    name: 'process',
    path: '/dashboard/sessions/support/process',
    until: '[data-chart="memory"] canvas',
    size: desktop,
  },
];

/** What receives webhooks: a healthy one, and one that refuses all. */
const receiver = createHttpServer((request, response) => {
  request.resume();
  response.writeHead(request.url === '/orders' ? 503 : 200).end(request.url === '/orders' ? 'under maintenance' : '');
});
receiver.listen(0, '127.0.0.1');
await once(receiver, 'listening');

const storage = await mkdtemp(join(tmpdir(), 'warden-screenshots-'));
// The browser is unpacked below the temporary folder, and goes with it.
process.env.TMPDIR = storage;
const port = await freePort();
const base = `http://127.0.0.1:${port}`;
const token = 'screenshots-superadmin-token';
const gateway = spawn(process.execPath, [join(root, 'dist', 'src', 'main.js')], {
  cwd: storage,
  stdio: ['ignore', 'ignore', 'inherit'],
  env: {
    PATH: process.env.PATH,
    PORT: String(port),
    HOST: '127.0.0.1',
    WHATSAPP_STORAGE_PATH: join(storage, 'gateway'),
    SUPERADMIN_TOKEN: token,
    LOG_LEVEL: 'warn',
  },
});
try {
  await ready();
  await photograph(await seed());
} finally {
  if (gateway.exitCode === null) {
    const gone = once(gateway, 'exit');
    gateway.kill('SIGTERM');
    await gone;
  }
  receiver.close();
  receiver.closeAllConnections();
  await rm(storage, { recursive: true, force: true });
}

async function ready() {
  await until(async () => {
    if (gateway.exitCode !== null) throw new Error('the gateway ended while it started');
    return (await fetch(`${base}/health`).catch(() => null))?.ok;
  });
}

async function until(isReached) {
  const end = Date.now() + patienceMs;
  while (!(await isReached())) {
    if (Date.now() > end) throw new Error('the gateway did not get that far in time');
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

/** A few sessions that live, one that waits for its phone, and a conversation. */
async function seed() {
  const people = { '+15551234567': 'First contact', '+15557654321': 'Second contact' };
  const faces = { '+15551234567': await portrait('#b4533b'), '+15557654321': await portrait('#3b6fb4') };
  for (const [id, name, phone] of [
    ['support', 'Support desk', '+15550001111'],
    ['sales', 'Sales', '+15550002222'],
    ['orders', 'Orders', '+15550003333'],
  ]) {
    await post('/sessions', { id, name, sandbox: true });
    await post(`/sessions/${id}/sandbox/scan`, { phone });
    for (const [number, called] of Object.entries(people)) {
      await post(`/sessions/${id}/sandbox/contacts`, {
        phone: number,
        name: called,
        behaviour: 'reads',
        picture: faces[number],
      });
    }
    await post(`/sessions/${id}/messages/text`, { to: '+15557654321', text: 'Your parcel is on its way.' });
  }
  const hook = (path) =>
    post('/sessions/support/webhooks', { url: `http://127.0.0.1:${receiver.address().port}${path}` });
  await hook('/whatsapp');
  const { id: failingHook } = await hook('/orders');
  await post('/sessions', { id: 'berlin', name: 'Berlin branch', sandbox: true });
  const from = '+15551234567';
  const text = (words) => post('/sessions/support/messages/text', { to: from, text: words });
  const say = (words, more = {}) => post('/sessions/support/sandbox/messages', { from, text: words, ...more });
  await text('Good morning! How can we help?');
  const { message_id: asked } = await say('Hi, where is my order?');
  await text('It left this morning, and is with you tomorrow.');
  await post('/sessions/support/messages/image', { to: from, base64: await picture(), caption: 'The way it takes' });
  const { message_id: thanks } = await say('Wonderful, thank you', { quoted_id: asked });
  await until(async () => (await ask('GET', `/sessions/support/messages/${thanks}`)).ok);
  await post('/sessions/support/messages/react', { to: from, message_id: thanks, emoji: '❤' });
  await post('/sessions/support/sandbox/messages', { from: '+15557654321', text: 'It is here already!' });
  await post('/sessions/support/messages/location', {
    to: from,
    latitude: 52.52,
    longitude: 13.405,
    name: 'Pick-up point',
  });
  const { message_id: poll } = await post('/sessions/support/messages/poll', {
    to: from,
    question: 'When shall we come?',
    options: ['In the morning', 'In the evening'],
  });
  await say(undefined, { vote_in: poll, options: ['In the evening'] });
  await post('/sessions/support/sandbox/faults', { fault: 'slow_acks', delay_ms: 3000 });
  return failingHook;
}

/** A picture that nobody has to have the rights to. */
async function picture() {
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="640" height="400">
    <rect width="640" height="400" fill="#16302a"/>
    <path d="M40 330 C 180 120, 330 380, 600 80" fill="none" stroke="#4ccb8e" stroke-width="10" stroke-dasharray="2 22" stroke-linecap="round"/>
    <circle cx="40" cy="330" r="18" fill="#e8edf4"/><circle cx="600" cy="80" r="18" fill="#f0b94c"/>
  </svg>`;
  return (await sharp(Buffer.from(svg)).png().toBuffer()).toString('base64');
}

/** Somebody, as JPEG: what profile pictures are. */
async function portrait(colour) {
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="96" height="96">
    <rect width="96" height="96" fill="${colour}"/>
    <circle cx="48" cy="38" r="18" fill="#f4e3d7"/><ellipse cx="48" cy="92" rx="32" ry="30" fill="#f4e3d7"/>
  </svg>`;
  return (await sharp(Buffer.from(svg)).jpeg().toBuffer()).toString('base64');
}

/** `hook` is the id of the webhook whose log is shown. */
async function photograph(hook) {
  mkdirSync(images, { recursive: true });
  const { default: packaged } = await import('@sparticuz/chromium');
  const browser = await chromium.launch({
    executablePath: await packaged.executablePath(),
    args: ['--headless=shell', '--no-sandbox', '--no-zygote', '--disable-gpu', '--hide-scrollbars', '--no-first-run'],
    headless: true,
  });
  try {
    for (const { name, path, until: seen, focus, size } of pictures) {
      const context = await browser.newContext({ viewport: size, locale: 'en-US' });
      const page = await context.newPage();
      const answer = await page.goto(base + path.replace('HOOK', hook));
      if (answer?.status() === 404) console.log(`${name}: this version has no such page`);
      else {
        await page.locator(seen).first().waitFor({ timeout: patienceMs });
        if (focus !== undefined) await page.locator(focus).scrollIntoViewIfNeeded();
        await page.locator('[data-live-state="on"]').waitFor({ state: 'attached', timeout: patienceMs });
        await until(() => page.evaluate(picturesAreThere));
        await page.evaluate('document.fonts.ready.then(() => null)');
        await keep(name, await page.screenshot());
      }
      await context.close();
    }
  } finally {
    await browser.close();
  }
}

/** With a palette a page of few colours takes a fraction of the bytes. */
async function keep(name, screenshot) {
  const bytes = await sharp(screenshot)
    .png({ palette: true, colours: 192, effort: 10, compressionLevel: 9 })
    .toBuffer();
  if (bytes.length > largestBytes) console.warn(`${name}: ${bytes.length} bytes are more than a picture should have`);
  writeFileSync(join(images, `${name}.png`), bytes);
  console.log(`${name}: ${Math.ceil(bytes.length / 1000)} kB`);
}

function ask(method, path, body) {
  return fetch(`${base}/api/v1${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

async function post(path, body) {
  const answer = await ask('POST', path, body);
  if (!answer.ok) throw new Error(`POST ${path} answered ${answer.status}: ${await answer.text()}`);
  return answer.json();
}

async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port: free } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return free;
}
