/** Clients that send a byte now and then, so that a server waits for them. Limits are short here, so that the test need not. */
import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { startApi, testToken, type ApiUnderTest } from '../support/api-under-test.ts';
import { eventually } from '../support/eventually.ts';

const dripMs = 50;
const slowOnes = 100;

let api: ApiUnderTest;
const sockets: Socket[] = [];
before(async () => {
  api = await startApi({ limits: { headersTimeoutMs: 1000, requestTimeoutMs: 2000, keepAliveTimeoutMs: 1000 } });
});
after(async () => {
  for (const socket of sockets) socket.destroy();
  await api.close();
});

interface SlowClient {
  /** What the server has said. */
  text: string;
  isClosed: boolean;
}

/** Sends the beginning at once and then one more piece every so often, for ever. */
function dripping(beginning: string, drop: string): SlowClient {
  const client: SlowClient = { text: '', isClosed: false };
  const socket = connect(Number(new URL(api.baseUrl).port), '127.0.0.1', () => socket.write(beginning));
  const timer = setInterval(() => socket.write(drop), dripMs);
  socket.setEncoding('latin1').on('data', (chunk: string) => (client.text += chunk));
  socket.on('error', () => undefined);
  socket.on('close', () => {
    clearInterval(timer);
    client.isClosed = true;
  });
  sockets.push(socket);
  return client;
}

const head = (path: string, ...headers: readonly string[]): string =>
  [`POST /api/v1${path} HTTP/1.1`, 'Host: localhost', `Authorization: Bearer ${testToken}`, ...headers, '', ''].join(
    '\r\n',
  );
const form = 'Content-Type: multipart/form-data; boundary=x';
const file = '--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\nContent-Type: text/plain\r\n\r\n';

const slow: readonly (readonly [string, string, string])[] = [
  ['a request line', 'G', 'E'],
  ['headers', 'GET /api/v1/sessions HTTP/1.1\r\nHost: localhost\r\n', 'X-A: b\r\n'],
  ['a header', 'GET /api/v1/sessions HTTP/1.1\r\nHost: localhost\r\nX-A: ', 'b'],
  ['a JSON body', head('/sessions', 'Content-Type: application/json', 'Content-Length: 100000'), ' '],
  ['chunks', head('/sessions', 'Content-Type: application/json', 'Transfer-Encoding: chunked'), '1\r\n \r\n'],
  ['a file', head('/sessions/known/media/upload', form, 'Content-Length: 100000') + file, 'x'],
  ['fields of a form', head('/sessions/known/media/upload', form, 'Content-Length: 100000'), '--x\r\n'],
];

describe('a client that sends slowly', () => {
  before(async () => {
    const created = await api.client.call('POST', '/api/v1/sessions', { body: { id: 'known', auto_connect: false } });
    assert.equal(created.status, 201, created.text);
  });

  for (const [what, beginning, drop] of slow) {
    test(`${what}, a hundred times at once, is cut off, and others are served meanwhile`, async () => {
      const clients = Array.from({ length: slowOnes }, () => dripping(beginning, drop));
      for (let asked = 0; asked < 20; asked += 1) {
        assert.equal((await api.client.call('GET', '/api/v1/sessions')).status, 200);
      }
      await eventually(
        () => clients.every(({ isClosed }) => isClosed),
        20_000,
        () => clients.filter(({ isClosed }) => !isClosed).map(({ text }) => text),
      );
      for (const { text } of clients) assert.match(text, /^$|^HTTP\/1\.1 4\d\d /);
    });
  }

  test('leaves no file and no room taken in the spool', () => {
    assert.equal(api.dependencies.media.spool.usedBytes, 0);
  });
});
