/** The listener and its limits: Node's own are made for friends. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { WardenError } from '../contract/errors.ts';
import { holderOfAddress, plainAddress } from './auth/allowed-address.ts';
import { createProxyCheck, type TrustedProxies } from './auth/trusted-proxies.ts';
import { errorEnvelope } from './error-envelope.ts';
import { Slots } from './limits/slots.ts';

export interface HttpLimits {
  /** For a client to send its whole request; how long an answer may take is the operations' business. */
  readonly requestTimeoutMs: number;
  readonly headersTimeoutMs: number;
  readonly keepAliveTimeoutMs: number;
  readonly maxConnections: number;
  /** Of each address that is no trusted proxy; null for no limit of its own. */
  readonly maxConnectionsPerAddress: number | null;
  readonly trustProxy: TrustedProxies;
  readonly maxHeaderBytes: number;
}

export const defaultHttpLimits: HttpLimits = {
  // A file of a hundred megabytes over a slow line; bodies without a file have their own limit.
  requestTimeoutMs: 300_000,
  headersTimeoutMs: 10_000,
  keepAliveTimeoutMs: 65_000,
  maxConnections: 1000,
  maxConnectionsPerAddress: 500,
  trustProxy: { tag: 'none' },
  maxHeaderBytes: 16 * 1024,
};

type RequestListener = (request: IncomingMessage, response: ServerResponse) => unknown;

/** A server that is not listening yet. What Node's parser refuses is answered in the error envelope, too. */
export function createHttpServer(listener: RequestListener, limits: HttpLimits = defaultHttpLimits): Server {
  const server = createServer(
    {
      requestTimeout: limits.requestTimeoutMs,
      headersTimeout: limits.headersTimeoutMs,
      keepAliveTimeout: limits.keepAliveTimeoutMs,
      maxHeaderSize: limits.maxHeaderBytes,
      connectionsCheckingInterval: Math.min(5000, limits.headersTimeoutMs),
      // Answered by the host check, in the envelope.
      requireHostHeader: false,
    },
    (request, response) => void listener(request, response),
  );
  server.maxConnections = limits.maxConnections;
  server.on('connection', refuseCrowds(limits));
  server.on('clientError', refuseUnparsable);
  return server;
}

/** Closes what one address opens beyond its share, so that it cannot take all connections for itself. */
function refuseCrowds({ maxConnectionsPerAddress: most, trustProxy }: HttpLimits): (socket: Socket) => void {
  const slots = new Slots({ most: Number.POSITIVE_INFINITY, mostOf: [most] });
  const isProxy = createProxyCheck(trustProxy);
  return (socket) => {
    const address = plainAddress(socket.remoteAddress ?? '');
    if (most === null || isProxy(address)) return;
    const release = slots.take([holderOfAddress(address)]);
    if (typeof release === 'function') socket.once('close', release);
    else socket.destroy();
  };
}

/** Stops accepting and waits for answers under way, up to the budget; what is still open then stays so. */
export async function stopAccepting(server: Server, budgetMs: number): Promise<void> {
  if (!server.listening) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  server.close(() => resolve());
  server.closeIdleConnections();
  const timer = setTimeout(resolve, budgetMs);
  await promise;
  clearTimeout(timer);
}

/** Stops accepting and waits for answers under way; after the budget what is still open is cut. */
export async function closeHttpServer(server: Server, budgetMs: number): Promise<void> {
  await stopAccepting(server, budgetMs);
  server.closeAllConnections();
}

const acceptReportMs = 60_000;

/**
 * Keeps a listener alive that cannot accept for want of descriptors, which node would make an uncaught exception of; the
 * first such failure in a minute is reported.
 */
export function surviveAcceptErrors(server: Server, report: (error: Error) => void): void {
  let reportedAt = Number.NEGATIVE_INFINITY;
  server.on('error', (error) => {
    const now = performance.now();
    if (!server.listening || now - reportedAt < acceptReportMs) return;
    reportedAt = now;
    report(error);
  });
}

const messages: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: 'The headers of the request are too large.',
  ERR_HTTP_REQUEST_TIMEOUT: 'The request did not arrive completely in time.',
};

function refuseUnparsable(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const message = messages[error.code ?? ''] ?? 'This is not an HTTP request.';
  const body = JSON.stringify(errorEnvelope(new WardenError('invalid_request', { message }), 'none'));
  const head = [
    'HTTP/1.1 400 Bad Request',
    'content-type: application/json; charset=utf-8',
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}
