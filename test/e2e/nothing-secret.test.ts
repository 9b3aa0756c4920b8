/**
 * Everything that a gateway does, with the log at its most talkative: no secret and no text of a message gets into the
 * log, into the arguments and environments of its processes, into events, errors or the audit log.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { deserialize } from 'node:v8';
import jwt from 'jsonwebtoken';
import { request } from 'undici';
import { at, type ApiAnswer } from '../support/api-client.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { GatewayUnderTest, pairedSession, token as superadminToken, untilConnected } from '../support/gateway.ts';
import { answerWith, startHttpReceiver, type HttpReceiver } from '../support/http-receiver.ts';
import { mp4, oggOpus, png } from '../support/media-files.ts';
import { descendantsOf, visible } from '../support/process-tree.ts';

/** Every text begins with it, so that one search finds all of them. */
const mark = 'quagga-';
const contact = '15551234567';
const jwtSecret = 'a-jwt-secret-of-this-test-0123456789abcdefgh';
const webhookSecret = 'a-webhook-secret-of-this-test-0123456789';
const databasePassword = 'a-database-password-of-this-test';
const urlKey = 'a-key-in-a-url-of-this-test';

let gateway: GatewayUnderTest;
let database: TestDatabase;
let receiver: HttpReceiver;
/** By what they are. */
const secrets = new Map<string, string>([
  ['the superadmin token', superadminToken],
  ['the JWT secret', jwtSecret],
  ['the webhook secret', webhookSecret],
  ['the password of the database', databasePassword],
  ['the key in a URL', urlKey],
]);
/** Answers that are not about texts, and show no secret. */
const answers: string[] = [];
let audit = '';

before(async () => {
  [database, receiver] = await Promise.all([createTestDatabase(), startHttpReceiver()]);
  const url = new URL(database.url);
  if (url.password === '') url.password = databasePassword;
  else secrets.set('the password of the database', decodeURIComponent(url.password));
  gateway = await GatewayUnderTest.start({
    database,
    env: {
      DATABASE_URL: url.href,
      LOG_LEVEL: 'trace',
      JWT_SECRET: jwtSecret,
      DASHBOARD_AUTH: 'login',
      OUTBOUND_ALLOW_CIDR: '127.0.0.1/32',
      FFMPEG_PATH: 'none',
      PACING_ENABLED: 'false',
      SEND_TIMEOUT_MS: '5000',
    },
  });
});
after(async () => {
  await gateway.dispose();
  await receiver.close();
  await database.dispose();
});

const session = '/sessions/support';
const ask = async (path: string): Promise<ApiAnswer> => {
  const answer = await gateway.get(path);
  answers.push(answer.text);
  return answer;
};
const refused = async (path: string, body: unknown, token = superadminToken): Promise<void> => {
  const answer = await gateway.api.call('POST', `/api/v1${path}`, { body, token });
  assert.ok(answer.status >= 400 && answer.status < 500, answer.text);
  answers.push(answer.text);
};
const keep = (what: string, value: unknown): string => {
  assert.ok(typeof value === 'string' && value.length >= 8, what);
  secrets.set(what, value);
  return value;
};

describe('a gateway that tells all that it does', () => {
  test('pairs, sends and receives every kind', async () => {
    const hook = { url: `${receiver.url}?key=${urlKey}`, secret: webhookSecret };
    await pairedSession(gateway, 'support', { phone: '15550001111', webhook: hook });
    await gateway.must(201, `${session}/sandbox/contacts`, { phone: contact, name: `${mark}name` });
    const text = await gateway.must(200, `${session}/messages/text`, { to: contact, text: `${mark}text` });
    const picture = (await png(40, 30)).toString('base64');
    const voice = oggOpus(Array.from({ length: 60 }, () => 60)).toString('base64');
    const film = mp4({ seconds: 2, width: 40, height: 30 }).toString('base64');
    const card = { display_name: `${mark}card`, phones: [{ number: '+15550002222' }] };
    const bodies: readonly (readonly [string, object])[] = [
      ['image', { base64: picture, caption: `${mark}caption` }],
      ['video', { base64: film, caption: `${mark}film` }],
      ['audio', { base64: voice, ptt: true }],
      ['document', { base64: Buffer.from(`${mark}content`).toString('base64'), filename: `${mark}file.txt` }],
      ['sticker', { base64: picture }],
      ['location', { latitude: 1, longitude: 2, name: `${mark}place`, address: `${mark}address` }],
      ['contact', { contact: card }],
      ['poll', { question: `${mark}question`, options: [`${mark}yes`, `${mark}no`] }],
      ['edit', { message_id: at(text, 'message_id'), text: `${mark}edited` }],
      ['react', { message_id: at(text, 'message_id'), emoji: '👍' }],
    ];
    for (const [kind, body] of bodies) await gateway.must(200, `${session}/messages/${kind}`, { to: contact, ...body });
    await gateway.must(202, `${session}/messages/text`, {
      to: contact,
      text: `${mark}later`,
      send_at: Math.floor(Date.now() / 1000) + 3600,
    });
    await gateway.must(202, `${session}/messages/bulk`, {
      message: { type: 'text', text: `${mark}bulk {{name}}` },
      recipients: [{ to: contact, variables: { name: `${mark}variable` } }],
    });
    const group = await gateway.must(201, `${session}/groups`, { subject: `${mark}subject`, participants: [contact] });
    await gateway.must(200, `${session}/groups/${String(at(group, 'jid'))}/description`, {
      description: `${mark}about`,
    });
    for (const body of [
      { text: `${mark}incoming` },
      { type: 'image', file: { base64: picture }, caption: `${mark}their caption` },
      { type: 'document', file: { base64: picture }, file_name: `${mark}their file` },
      { type: 'location', latitude: 1, longitude: 2, name: `${mark}their place` },
      { type: 'contact', contact: { display_name: `${mark}their card`, phones: ['15550002222'] } },
      { type: 'poll', question: `${mark}their question`, options: [`${mark}a`, `${mark}b`] },
    ]) {
      await gateway.must(201, `${session}/sandbox/messages`, { from: contact, ...body });
    }
    await eventually(() => receiver.requests.filter(({ json }) => at(json, 'event') === 'message').length >= 6, 30_000);
    await gateway.must(201, '/sessions', { id: 'other', sandbox: true });
    await eventually(async () => (await gateway.get('/sessions/other/qr')).status === 200, 30_000);
    const code = await gateway.must(200, '/sessions/other/pair', { phone: '15550003333' });
    await gateway.must(200, '/sessions/other/sandbox/enter-code', { code: keep('a pair code', at(code, 'code')) });
  });

  test('lets in by tokens, JWTs, links and cookies, and turns others away', async () => {
    const created = await gateway.must(201, '/tokens', { name: 'Shop', role: 'operator', sessions: ['support'] });
    const value = keep('a token', at(created, 'token'));
    assert.equal((await gateway.api.call('GET', `/api/v1${session}`, { token: value })).status, 200);
    const id = String(at(created, 'id'));
    const rotated = keep('a rotated token', at(await gateway.must(200, `/tokens/${id}/rotate`), 'token'));
    await gateway.delete(`/tokens/${id}`);
    await refused(`${session}/messages/text`, { to: contact, text: `${mark}refused` }, rotated);
    const claims = { sub: 'superadmin', role: 'superadmin', exp: Math.floor(Date.now() / 1000) + 600 };
    const signed = keep('a JWT', jwt.sign(claims, jwtSecret));
    assert.equal((await gateway.api.call('GET', '/api/v1/sessions', { token: signed })).status, 200);
    await refused('/sessions', {}, keep('a forged JWT', jwt.sign(claims, 'another-jwt-secret-of-more-than-32-bytes')));
    await refused(
      '/sessions',
      {},
      keep('a guessed token', 'wdn_0123456789abcdef_guessed-by-somebody-0123456789abcdefghijklm'),
    );

    const link = await gateway.must(201, '/login-links');
    const address = new URL(String(at(link, 'url')));
    keep('a login link', address.searchParams.get('t'));
    for (const status of [303, 401]) {
      const visit = await request(`${gateway.baseUrl}${address.pathname}${address.search}`);
      assert.equal(visit.statusCode, status, await visit.body.text());
      const cookie = String(visit.headers['set-cookie'] ?? '');
      if (status === 303) keep('a cookie', /=([^;]{16,})/.exec(cookie)?.[1]);
    }
    const page = await request(`${gateway.baseUrl}/dashboard`, {
      headers: { cookie: `warden=${secrets.get('a cookie') ?? ''}` },
    });
    answers.push(await page.body.text());
    assert.equal(page.statusCode, 200);
    const signIn = await request(`${gateway.baseUrl}/dashboard/login`, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        origin: gateway.baseUrl,
        'sec-fetch-site': 'same-origin',
      },
      body: `token=${superadminToken}x`,
    });
    assert.equal(signIn.statusCode, 401);
    answers.push(await signIn.body.text());
  });

  test('goes through errors of every kind', async () => {
    const webhooks = await ask(`${session}/webhooks`);
    const [first] = [at(webhooks.json, 'webhooks', 0, 'id')];
    const rotated = await gateway.must(200, `${session}/webhooks/${String(first)}/rotate-secret`);
    keep('a rotated webhook secret', at(rotated, 'secret'));
    receiver.answer = answerWith(500);
    await gateway.must(200, `${session}/webhooks/${String(first)}/test`);
    await gateway.must(201, `${session}/sandbox/messages`, { from: contact, text: `${mark}not delivered` });
    await eventually(() => /webhook (?:not delivered|delivery given up)/.test(gateway.output), 15_000);
    receiver.answer = answerWith(200);

    await refused(`${session}/messages/text`, { to: contact, text: `${mark}a\u0000b` });
    await refused(`${session}/messages/text`, { to: contact, txt: `${mark}unknown field` });
    await refused(`${session}/webhooks`, { url: 'https://hooks.invalid/', secret: `${webhookSecret}\u0000` });
    await refused('/sessions', {
      id: 'x',
      webhook: { url: 'https://hooks.invalid/', secret: 7, token: webhookSecret },
    });
    const url = `${gateway.baseUrl}/none?key=${urlKey}`;
    const unreachable = await gateway.post(`${session}/messages/image`, { to: contact, url, caption: `${mark}gone` });
    assert.equal(at(unreachable.json, 'error', 'type'), 'media_unreachable', unreachable.text);
    await gateway.api.call('POST', '/api/v1/sessions', {
      raw: `{"id": "${mark}broken`,
      headers: { 'content-type': 'application/json' },
    });

    // The database throws everybody out, and then a child dies in the middle of its work.
    await database.query(
      'select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and datname = current_database()',
    );
    await eventually(async () => (await gateway.get('/sessions')).status === 200, 20_000);
    const pid = Number(at((await gateway.get(session)).json, 'child', 'pid'));
    const sending = Array.from({ length: 5 }, (_, index) =>
      gateway.post(`${session}/messages/text`, { to: contact, text: `${mark}during the crash ${index}` }),
    );
    process.kill(pid, 'SIGKILL');
    await Promise.all(sending);
    await eventually(() => gateway.output.includes('child ended unexpectedly'), 20_000);
    await untilConnected(gateway, 'support');
  });

  test('puts no text of a message and no secret into its log', () => {
    const log = gateway.output;
    assert.match(log, /request answered/);
    assert.match(log, /webhook delivered/);
    // The start shows its own link, which is another one than those of this test.
    for (const [what, secret] of secrets)
      assert.ok(!log.includes(secret), `${what} is in the log: ${around(log, secret)}`);
    assert.ok(!log.includes(mark), `a text is in the log: ${around(log, mark)}`);
    assert.ok(!log.includes(contact), `a phone number is in the log: ${around(log, contact)}`);
  });

  test('puts no key into its log, whatever the shape', async () => {
    const lines = gateway.output.split('\n').filter((line) => line.startsWith('{'));
    for (const line of lines) {
      assert.doesNotMatch(line, /[A-Za-z0-9+/]{43}=/, 'thirty-two bytes in base64');
      assert.doesNotMatch(line, /\b[0-9a-f]{64}\b/i, 'thirty-two bytes in hexadecimal');
      assert.doesNotMatch(line, /"type":"Buffer"|<Buffer|privKey|PRIVATE KEY|eyJ[A-Za-z0-9_-]{20}|whsec_|wdn_[0-9a-f]/);
    }
    for (const key of await storedKeys()) {
      for (const encoding of ['base64', 'hex'] as const) {
        assert.ok(!gateway.output.includes(key.toString(encoding)), 'a key is in the log');
      }
    }
  });

  test('gives its children no secret, and nobody one by an argument', () => {
    const children = descendantsOf(gateway.pid);
    assert.ok(children.length >= 2, 'a child and the simulator');
    for (const [what, secret] of secrets) {
      assert.ok(!visible(gateway.pid).command.includes(secret), `${what} is an argument of the gateway`);
      for (const { pid, command, environment } of children) {
        assert.ok(!command.includes(secret), `${what} is an argument of ${pid}: ${command}`);
        assert.ok(!environment.includes(secret), `${what} is in the environment of ${pid}`);
      }
    }
    for (const { command } of [visible(gateway.pid), ...children]) assert.ok(!command.includes(mark), command);
  });

  test('tells no secret in events, answers and the audit log, and no text in the latter', async () => {
    await ask('/sessions');
    await ask('/tokens?include_revoked=true');
    await ask('/stats');
    await ask('/stats/webhooks');
    await ask(`${session}/webhooks`);
    await ask(`${session}/children`);
    audit = await eventually(async () => {
      const { text } = await gateway.get('/audit?limit=200');
      return text.includes('rotateWebhookSecret') ? text : null;
    }, 10_000);
    const events = receiver.requests.map(({ body }) => body).join('\n');
    for (const [what, secret] of secrets) {
      // A webhook's URL is shown to whoever may change it, and a pair code to whoever is to type it.
      const isShown = ['the key in a URL', 'a pair code'].includes(what);
      if (!isShown) {
        for (const answer of answers)
          assert.ok(!answer.includes(secret), `${what} is in an answer: ${around(answer, secret)}`);
        assert.ok(!events.includes(secret), `${what} is in an event: ${around(events, secret)}`);
      }
      assert.ok(!audit.includes(secret), `${what} is in the audit log: ${around(audit, secret)}`);
    }
    assert.ok(!audit.includes(mark), `a text is in the audit log: ${around(audit, mark)}`);
  });
});

describe('a superadmin token that the gateway made', () => {
  let first: GatewayUnderTest;
  before(async () => {
    first = await GatewayUnderTest.start({ env: { SUPERADMIN_TOKEN: '', LOG_LEVEL: 'trace' } });
  });
  after(() => first.dispose());

  test('is shown once, in its box, and never again', async () => {
    const [, value = ''] = await eventually(() => /SUPERADMIN TOKEN[^\n]*\n\s*\n\s*(\S+)\n/.exec(first.output), 10_000);
    const count = (): number => first.output.split(value).length - 1;
    assert.equal(count(), 1);
    const answer = await first.api.call('GET', '/api/v1/sessions', { token: value });
    assert.equal(answer.status, 200, answer.text);
    await first.api.call('GET', `/api/v1/sessions?token=${value}`, { token: null });
    await first.api.call('GET', `/dashboard/login?t=${value}`, { token: null });
    await first.stop();
    await first.boot();
    await first.api.call('GET', '/api/v1/sessions', { token: value });
    assert.equal(count(), 1);
    for (const { command, environment } of descendantsOf(first.pid))
      assert.ok(!`${command}${environment}`.includes(value));
  });
});

/** The keys of the sessions, as far as they can be read: what lies encrypted in the database is known to nobody here. */
async function storedKeys(): Promise<readonly Buffer[]> {
  const rows = await database.query('select value from credentials union all select value from signal_keys');
  return rows.flatMap(({ value }) => {
    try {
      return value instanceof Uint8Array ? buffersIn(deserialize(value)) : [];
    } catch {
      return [];
    }
  });
}

function buffersIn(value: unknown): readonly Buffer[] {
  if (value instanceof Uint8Array) return value.byteLength >= 32 && value.byteLength <= 64 ? [Buffer.from(value)] : [];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(buffersIn) : [];
}

/** Where in a text something stands, with what is around it. */
function around(text: string, found: string): string {
  const place = text.indexOf(found);
  return text.slice(Math.max(0, place - 300), place + found.length + 100);
}
