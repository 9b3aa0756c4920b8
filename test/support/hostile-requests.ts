/** Requests that nobody sends by mistake: lies about lengths, two requests in one, injections, bombs of JSON and multipart. */
import { gzipSync } from 'node:zlib';
import { hostileTexts } from './hostile-text.ts';

export interface HostileRequest {
  readonly what: string;
  readonly bytes: string | Buffer;
  /** What the first answer may be; any 4xx unless it is said. */
  readonly may?: RegExp;
  /** It is not whole, and the client goes away after it. */
  readonly isEnded?: boolean;
}

interface Target {
  readonly token: string;
  /** A session that the token may use. */
  readonly session: string;
}

/** All of them, for a holder of this token. */
export function hostileRequests(target: Target): readonly HostileRequest[] {
  return [
    ...framing(target),
    ...heads(target),
    ...paths(target),
    ...hostileTexts.map((text, index) => injection(target, text, index)),
    ...jsonBombs(target),
    ...multipartBombs(target),
  ];
}

const head = ({ token }: Target, line: string, ...headers: readonly string[]): string =>
  [
    `${line} HTTP/1.1`,
    'Host: localhost',
    'Connection: close',
    `Authorization: Bearer ${token}`,
    ...headers,
    '',
    '',
  ].join('\r\n');

// oxlint-disable-next-line max-params -- where, what, and how it is announced
const json = (target: Target, path: string, body: string | Buffer, ...headers: readonly string[]): Buffer => {
  const payload = Buffer.from(body);
  const lines = ['Content-Type: application/json', `Content-Length: ${payload.length}`, ...headers];
  return Buffer.concat([Buffer.from(head(target, `POST /api/v1${path}`, ...lines)), payload]);
};

/** Where one request ends: whoever disagrees with a proxy about it lets a second one slip through. */
function framing(target: Target): readonly HostileRequest[] {
  const smuggled = `GET /api/v1/sessions HTTP/1.1\r\nHost: localhost\r\n\r\n`;
  const post = (...headers: readonly string[]): string =>
    head(target, `POST /api/v1/sessions/${target.session}/messages/text`, 'Content-Type: application/json', ...headers);
  return [
    {
      what: 'length and chunks',
      bytes: `${post('Content-Length: 4', 'Transfer-Encoding: chunked')}0\r\n\r\n${smuggled}`,
    },
    {
      what: 'chunks and length',
      bytes: `${post('Transfer-Encoding: chunked', 'Content-Length: 4')}0\r\n\r\n${smuggled}`,
    },
    { what: 'two lengths', bytes: `${post('Content-Length: 2', 'Content-Length: 40')}{}${smuggled}` },
    { what: 'a list of lengths', bytes: `${post('Content-Length: 2, 2')}{}${smuggled}` },
    { what: 'a negative length', bytes: `${post('Content-Length: -2')}{}` },
    { what: 'a length with a sign', bytes: `${post('Content-Length: +2')}{}` },
    { what: 'a length beyond numbers', bytes: `${post('Content-Length: 99999999999999999999')}{}` },
    { what: 'a hexadecimal length', bytes: `${post('Content-Length: 0x2')}{}` },
    {
      what: 'more announced than sent',
      bytes: `${post('Content-Length: 5000')}{"to": "+15551234567"`,
      may: /^$|^HTTP\/1\.1 4/,
      isEnded: true,
    },
    { what: 'less announced than sent', bytes: `${post('Content-Length: 2')}{}${smuggled}` },
    { what: 'chunked twice', bytes: `${post('Transfer-Encoding: chunked, chunked')}0\r\n\r\n${smuggled}` },
    { what: 'chunks that are none', bytes: `${post('Transfer-Encoding: xchunked')}0\r\n\r\n${smuggled}` },
    { what: 'chunks before identity', bytes: `${post('Transfer-Encoding: chunked, identity')}0\r\n\r\n${smuggled}` },
    { what: 'a space before the colon', bytes: `${post('Transfer-Encoding : chunked')}0\r\n\r\n${smuggled}` },
    { what: 'a tab before chunked', bytes: `${post('Transfer-Encoding:\tchunked', 'Content-Length: 4')}0\r\n\r\n` },
    { what: 'a folded header', bytes: post('X-Fold: a\r\n\tb') },
    { what: 'line feeds alone', bytes: post('Content-Length: 2').replaceAll('\r\n', '\n') },
    { what: 'carriage returns alone', bytes: post('X-A: b\rX-C: d') },
    { what: 'a chunk of a negative size', bytes: `${post('Transfer-Encoding: chunked')}-1\r\n{}\r\n0\r\n\r\n` },
    { what: 'a chunk beyond numbers', bytes: `${post('Transfer-Encoding: chunked')}fffffffffffffffff\r\n{}` },
    { what: 'a chunk that ends early', bytes: `${post('Transfer-Encoding: chunked')}5\r\n{}\r\n0\r\n\r\n` },
    {
      what: 'chunk extensions without end',
      bytes: `${post('Transfer-Encoding: chunked')}2;${'x'.repeat(70_000)}\r\n{}\r\n0\r\n\r\n`,
    },
    {
      what: 'trailers that would be headers',
      bytes: `${post('Transfer-Encoding: chunked')}2\r\n{}\r\n0\r\nAuthorization: x\r\nX-Big: ${'x'.repeat(20_000)}\r\n\r\n`,
    },
    { what: 'no HTTP', bytes: '\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\u00fc\u0003\u0003' },
    { what: 'HTTP/2', bytes: 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n' },
    { what: 'HTTP/0.9', bytes: 'GET /api/v1/sessions\r\n\r\n' },
    { what: 'nothing', bytes: '', may: /^$/, isEnded: true },
    { what: 'line ends', bytes: '\r\n'.repeat(1000), may: /^$|^HTTP\/1\.1 4/, isEnded: true },
  ];
}

function heads(target: Target): readonly HostileRequest[] {
  const get = (...headers: readonly string[]): string => head(target, 'GET /api/v1/sessions', ...headers);
  const ok = /^HTTP\/1\.1 (?:200|4\d\d) /;
  return [
    { what: 'U+0000 in a header', bytes: get('X-A: a\u0000b') },
    { what: 'a header name with a space', bytes: get('X A: b') },
    { what: 'a header without a name', bytes: get(': b') },
    { what: 'a header of 20 KB', bytes: get(`X-Big: ${'x'.repeat(20_000)}`) },
    { what: 'a thousand headers', bytes: get(...Array.from({ length: 1000 }, (_, index) => `X-${index}: 1`)), may: ok },
    { what: 'headers that are properties', bytes: get('__proto__: x', 'constructor: x', 'toString: x'), may: ok },
    { what: 'two hosts', bytes: get('Host: evil.example'), may: ok },
    { what: 'two tokens', bytes: get('Authorization: Bearer x'), may: ok },
    { what: 'bytes beyond ASCII', bytes: get('X-A: \u00ff\u00fe', 'X-Request-Id: \u00e9\u00ff'), may: ok },
    { what: 'a request id that is a header', bytes: get('X-Request-Id: a%0d%0aSet-Cookie: hacked=1'), may: ok },
    { what: 'another client by header', bytes: get('X-Forwarded-For: 127.0.0.1', 'X-Original-URL: /admin'), may: ok },
    { what: 'another method by header', bytes: get('X-HTTP-Method-Override: DELETE'), may: ok },
    { what: 'cookies without end', bytes: get(`Cookie: ${'a=b; '.repeat(2000)}`), may: ok },
    { what: 'a cookie that is none', bytes: get('Cookie: =; ;;=a; __proto__=x; warden=%zz'), may: ok },
    { what: 'ranges', bytes: get(`Range: bytes=${'0-1,'.repeat(1000)}0-`), may: ok },
    { what: 'an expectation', bytes: get('Expect: 200-maybe'), may: /^HTTP\/1\.1 417 / },
    { what: 'an upgrade', bytes: get('Upgrade: websocket', 'Sec-WebSocket-Key: x'), may: ok },
    { what: 'accepting everything', bytes: get(`Accept: ${'a/b,'.repeat(3000)}*/*`), may: ok },
    { what: 'an event id that is none', bytes: head(target, 'GET /api/v1/events', "Last-Event-ID: '; --") },
    { what: 'a key that is none', bytes: json(target, '/sessions', '{}', 'Idempotency-Key: \u00ff\u0001') },
    { what: 'CONNECT', bytes: head(target, 'CONNECT 127.0.0.1:5432'), may: /^$|^HTTP\/1\.1 4/ },
    { what: 'TRACE', bytes: head(target, 'TRACE /api/v1/sessions') },
    { what: 'a method of its own', bytes: head(target, `${'X'.repeat(5000)} /`) },
    { what: 'a URL of another host', bytes: head(target, 'GET http://evil.example/api/v1/sessions') },
    { what: 'no path', bytes: head(target, 'GET *') },
    { what: 'a path of 15 KB', bytes: head(target, `GET /api/v1/sessions/${'x'.repeat(15_000)}`) },
    { what: 'a query of 10,000 fields', bytes: head(target, `GET /api/v1/sessions?${'a&'.repeat(7000)}`) },
    {
      what: 'a query that pollutes',
      bytes: head(target, 'GET /api/v1/sessions?__proto__[isAdmin]=1&constructor.prototype=1'),
    },
  ];
}

function paths(target: Target): readonly HostileRequest[] {
  const names = [
    '..',
    '%2e%2e',
    '..%2f..%2fetc%2fpasswd',
    '%00',
    '%0d%0aSet-Cookie:%20hacked=1',
    '%ff%fe',
    '%c0%ae%c0%ae%c0%af',
    '%ed%a0%80',
    "'%20or%201=1%20--",
    '%3Cscript%3E',
    '%7B%7B7*7%7D%7D',
    '__proto__',
    'constructor',
    'theirs%00',
    'theirs',
    'x'.repeat(300),
  ];
  const { session } = target;
  return names.flatMap((name) => [
    { what: `the session ${name.slice(0, 30)}`, bytes: head(target, `GET /api/v1/sessions/${name}`) },
    {
      what: `the message ${name.slice(0, 30)}`,
      bytes: head(target, `GET /api/v1/sessions/${session}/messages/${name}`),
    },
    {
      what: `the media ${name.slice(0, 30)}`,
      bytes: head(target, `GET /api/v1/sessions/${session}/messages/${name}/media`),
    },
    {
      what: `the webhook ${name.slice(0, 30)}`,
      bytes: head(target, `GET /api/v1/sessions/${session}/webhooks/${name}`),
    },
    { what: `the bulk ${name.slice(0, 30)}`, bytes: head(target, `GET /api/v1/sessions/${session}/bulk/${name}`) },
    {
      what: `the group ${name.slice(0, 30)}`,
      bytes: head(target, `GET /api/v1/sessions/${session}/groups/${name}`),
      may: /^HTTP\/1\.1 (?:4\d\d|503) /,
    },
    { what: `the asset ${name.slice(0, 30)}`, bytes: head(target, `GET /assets/${name}`) },
    {
      what: `the page ${name.slice(0, 30)}`,
      bytes: head(target, `GET /dashboard/sessions/${name}`),
      may: /^HTTP\/1\.1 [34]/,
    },
    {
      what: `a search for ${name.slice(0, 30)}`,
      bytes: head(target, `GET /api/v1/sessions/${session}/messages?search=${name}`),
      may: /^HTTP\/1\.1 [24]/,
    },
    {
      what: `a page after ${name.slice(0, 30)}`,
      bytes: head(target, `GET /api/v1/sessions/${session}/messages?cursor=${name}`),
    },
  ]);
}

/** A text in every field that takes one, where it is a value, and where it is a name. */
function injection(target: Target, text: string, index: number): HostileRequest {
  const { session } = target;
  const bodies: readonly (readonly [string, unknown])[] = [
    [`/sessions/${session}/messages/text`, { to: text, text }],
    [`/sessions/${session}/messages/document`, { to: '+15551234567', base64: text, filename: text, mimetype: text }],
    [
      `/sessions/${session}/messages/contact`,
      { to: text, contact: { display_name: text, phones: [{ number: text }] } },
    ],
    [`/sessions/${session}/messages/image`, { to: '+15551234567', media_id: text, url: text }],
    [
      `/sessions/${session}/webhooks`,
      { url: text, secret: text, events: [text], conditions: { text: { [text]: text } } },
    ],
    [`/sessions/${session}/groups`, { subject: text, participants: [text] }],
    [`/sessions/${session}/messages/bulk`, { message: { type: text, text }, recipients: [text] }],
  ];
  const [path, body] = bodies[index % bodies.length] ?? ['/sessions', {}];
  return { what: `the text ${JSON.stringify(text.slice(0, 40))}`, bytes: json(target, path, JSON.stringify(body)) };
}

function jsonBombs(target: Target): readonly HostileRequest[] {
  const path = `/sessions/${target.session}/messages/text`;
  const bomb = (what: string, body: string | Buffer, ...headers: readonly string[]): HostileRequest => ({
    what,
    bytes: json(target, path, body, ...headers),
  });
  const wide = (item: string): string => `{"to": [${Array(60_000).fill(item).join(',')}]}`;
  return [
    bomb('arrays without end', `{"to": ${'['.repeat(120_000)}`),
    bomb('nested arrays', `{"to": ${'['.repeat(100_000)}${']'.repeat(100_000)}}`),
    bomb('nested objects', `${'{"a":'.repeat(40_000)}1${'}'.repeat(40_000)}`),
    bomb('an array of 60,000 numbers', wide('1')),
    bomb('an array of 60,000 objects', wide('{}')),
    bomb('as many fields', `{${Array.from({ length: 15_000 }, (_, index) => `"f${index}":1`).join(',')}}`),
    bomb('one field many times', `{${'"to":"x",'.repeat(20_000)}"text":1}`),
    bomb('a prototype', '{"__proto__": {"isAdmin": true}, "to": "+15551234567", "text": "x"}'),
    bomb('a prototype in escapes', '{"\\u005f_proto__": {"isAdmin": true}, "to": "+15551234567", "text": "x"}'),
    bomb('a constructor', '{"constructor": {"prototype": {"isAdmin": true}}}'),
    bomb('a number beyond numbers', '{"to": 1e999, "text": -1e999}'),
    bomb('a number of 100,000 digits', `{"to": ${'9'.repeat(100_000)}}`),
    bomb('half of a surrogate pair', '{"to": "+15551234567", "text": "\\ud83d"}'),
    bomb('a surrogate pair the wrong way', '{"to": "+15551234567", "text": "\\udc00\\ud83d"}'),
    bomb('U+0000', '{"to": "+15551234567", "text": "a\\u0000b"}'),
    bomb('U+0000 in a name', '{"to": "+15551234567", "te\\u0000xt": "b"}'),
    bomb('a raw U+0000', '{"to": "+15551234567", "text": "a\u0000b"}'),
    bomb('a raw line end', '{"to": "+15551234567", "text": "a\nb"}'),
    bomb(
      'bytes that are no UTF-8',
      Buffer.concat([Buffer.from('{"to": "'), Buffer.from([0xff, 0xfe, 0xc0, 0xaf]), Buffer.from('"}')]),
    ),
    bomb('UTF-16', Buffer.from('\ufeff{"to": "+15551234567"}', 'utf16le')),
    bomb('comments', '{"to": /* x */ "+15551234567"}'),
    bomb('a script', '<script>window.hacked = true</script>'),
    bomb('XML with an entity', '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><x>&a;</x>'),
    bomb('a gzip bomb', gzipSync(Buffer.alloc(20_000_000, 0x20)), 'Content-Encoding: gzip'),
    bomb('half of a gzip', gzipSync('{"to": "+15551234567"}').subarray(0, 15), 'Content-Encoding: gzip'),
    bomb('gzip in gzip', gzipSync(gzipSync('{}')), 'Content-Encoding: gzip, gzip'),
    bomb('a character set of its own', '{}', 'Content-Type: application/json; charset=utf-7'),
    bomb('escapes without end', `{"text": "${'\\u0041'.repeat(40_000)}"}`),
  ];
}

function multipartBombs(target: Target): readonly HostileRequest[] {
  const path = `/api/v1/sessions/${target.session}/messages/document`;
  const form = (what: string, type: string, body: string | Buffer): HostileRequest => {
    const payload = Buffer.from(body);
    const lines = [`Content-Type: ${type}`, `Content-Length: ${payload.length}`];
    return {
      what: `a form with ${what}`,
      bytes: Buffer.concat([Buffer.from(head(target, `POST ${path}`, ...lines)), payload]),
    };
  };
  const usual = 'multipart/form-data; boundary=x';
  const field = (name: string, value: string): string =>
    `--x\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;
  const file = (name: string, content: string, extra = ''): string =>
    `--x\r\nContent-Disposition: form-data; name="${name}"; filename="a.txt"${extra}\r\n` +
    `Content-Type: text/plain\r\n\r\n${content}\r\n`;
  const end = '--x--\r\n';
  return [
    form('no boundary', 'multipart/form-data', `${field('to', '1')}${end}`),
    form('an empty boundary', 'multipart/form-data; boundary=', `${field('to', '1')}${end}`),
    form('a boundary of 10 KB', `multipart/form-data; boundary=${'b'.repeat(10_000)}`, end),
    form('another boundary', 'multipart/form-data; boundary=y', `${field('to', '1')}${end}`),
    form('no end', usual, file('file', 'x'.repeat(100_000)).slice(0, -20)),
    form('nothing', usual, ''),
    form('its end alone', usual, end),
    form(
      'a thousand fields',
      usual,
      `${Array.from({ length: 1000 }, (_, index) => field(`f${index}`, 'x')).join('')}${end}`,
    ),
    form('one field a thousand times', usual, `${field('to', 'x').repeat(1000)}${end}`),
    form('a hundred files', usual, `${file('file', 'x').repeat(100)}${end}`),
    form('files of many names', usual, `${file('file', 'x')}${file('other', 'x')}${end}`),
    form('a file of another name', usual, `${file('../../file', 'x')}${end}`),
    form('a field name of 100 KB', usual, `${field('n'.repeat(100_000), 'x')}${end}`),
    form('a field of 400 KB', usual, `${field('caption', 'x'.repeat(400_000))}${end}`),
    form('a header of 100 KB', usual, `--x\r\nX-Big: ${'x'.repeat(100_000)}\r\n\r\nx\r\n${end}`),
    form(
      'a header without end',
      usual,
      `--x\r\nContent-Disposition: form-data; name="file"; filename="${'a'.repeat(200_000)}`,
    ),
    form('a part without headers', usual, `--x\r\n\r\nx\r\n${end}`),
    form(
      'a part that is multipart',
      usual,
      `--x\r\nContent-Type: multipart/mixed; boundary=y\r\n\r\n--y\r\n\r\nx\r\n--y--\r\n${end}`,
    ),
    form('names that are properties', usual, `${field('__proto__', '1')}${field('constructor', '1')}${end}`),
    form('a name that is a path', usual, `${field('a[b][c]', '1')}${field('to[$ne]', '1')}${end}`),
    form('U+0000 in a field', usual, `${field('to', 'a\u0000b')}${file('file', 'x')}${end}`),
    form('a transfer encoding', usual, `${file('file', '!!!!', '\r\nContent-Transfer-Encoding: base64')}${end}`),
    form('a part of an unknown encoding', usual, `${file('file', 'x', '\r\nContent-Transfer-Encoding: rot13')}${end}`),
  ];
}
