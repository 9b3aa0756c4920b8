/** The part of the configuration table that is about limits of requests and connections. */
import { durationMs, integer, type Variable } from './config-variables.ts';

// oxlint-disable-next-line max-params -- one line of the table
const perSecond = (name: string, fallback: string, sentence: string): Variable<number> =>
  integer({ name, fallback, min: 0, max: 100_000, unit: 'requests', sentence });
// oxlint-disable-next-line max-params -- one line of the table
const burst = (name: string, fallback: string, sentence: string): Variable<number> =>
  integer({ name, fallback, min: 1, max: 1_000_000, unit: 'requests', sentence });

export const limitVariables = {
  tokenPerSecond: perSecond(
    'RATE_LIMIT_PER_SECOND',
    '60',
    'Requests that each token may make a second in the long run; 0 sets no limit.',
  ),
  tokenBurst: burst('RATE_LIMIT_BURST', '120', 'Requests that it may make at once.'),
  sessionPerSecond: perSecond(
    'SESSION_RATE_LIMIT_PER_SECOND',
    '60',
    'Requests about each session a second, of all tokens together and without what it sends; 0 sets no limit.',
  ),
  sessionBurst: burst('SESSION_RATE_LIMIT_BURST', '120', 'Requests about it at once.'),
  browserPerSecond: perSecond(
    'DASHBOARD_RATE_LIMIT_PER_SECOND',
    '100',
    'Requests of each signed-in browser a second, and of each address for what needs no login; 0 sets no limit.',
  ),
  browserBurst: burst('DASHBOARD_RATE_LIMIT_BURST', '500', 'Requests of it at once.'),
  failedLogins: integer({
    name: 'FAILED_LOGIN_LIMIT',
    fallback: '10',
    min: 0,
    max: 1_000,
    sentence: 'Wrong tokens that an address may send in a minute before it has to wait; 0 sets no limit.',
  }),
  uploadMax: integer({
    name: 'UPLOAD_MAX',
    fallback: '32',
    min: 1,
    max: 900,
    sentence: 'Requests with a file that may be read at the same time.',
  }),
  uploadMaxPerToken: integer({
    name: 'UPLOAD_MAX_PER_TOKEN',
    fallback: '16',
    min: 0,
    max: 900,
    sentence: 'The same of each token; 0 sets no limit of its own.',
  }),
  maxConnections: integer({
    name: 'HTTP_MAX_CONNECTIONS',
    fallback: '1000',
    min: 10,
    max: 100_000,
    sentence: 'Connections of clients that may be open at the same time; further ones are closed at once.',
  }),
  maxConnectionsPerAddress: integer({
    name: 'HTTP_MAX_CONNECTIONS_PER_ADDRESS',
    fallback: '500',
    min: 0,
    max: 100_000,
    sentence: 'The same of each address but those of TRUST_PROXY; 0 sets no limit of its own.',
  }),
  headersTimeoutMs: durationMs({
    name: 'HTTP_HEADERS_TIMEOUT_MS',
    fallback: '10000',
    min: 1_000,
    sentence: 'How long a client may take to send the head of its request.',
  }),
  requestTimeoutMs: durationMs({
    name: 'HTTP_REQUEST_TIMEOUT_MS',
    fallback: '300000',
    min: 1_000,
    sentence: 'How long it may take to send all of it, with a file; bodies without one have 30 seconds.',
  }),
  keepAliveTimeoutMs: durationMs({
    name: 'HTTP_KEEP_ALIVE_MS',
    fallback: '65000',
    min: 1_000,
    sentence: 'How long a connection stays open for the next request.',
  }),
  maxHeaderBytes: integer({
    name: 'HTTP_MAX_HEADER_BYTES',
    fallback: '16384',
    min: 4_096,
    max: 1_048_576,
    unit: 'bytes',
    sentence: 'Largest head of a request.',
  }),
} as const;
