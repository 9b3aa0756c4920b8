/** What everybody is told while the gateway has no database yet. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { WardenError } from '../contract/errors.ts';
import { errorEnvelope } from './error-envelope.ts';
import { comeBackLater, readsStreams } from './streams/sse-frame.ts';

const retryAfterSeconds = 2;

export function refuseUntilReady(request: IncomingMessage, response: ServerResponse): void {
  if (readsStreams(request.headers.accept)) {
    const headers = { 'content-type': 'text/event-stream', 'cache-control': 'no-store', connection: 'close' };
    response.writeHead(200, headers).end(comeBackLater('the gateway waits for its database'));
    return;
  }
  const error = new WardenError('storage_unavailable', {
    message: 'The gateway waits for its database; GET /readyz tells when it is ready.',
  });
  const body = JSON.stringify(errorEnvelope(error, 'none'));
  response.writeHead(503, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(body),
    'retry-after': String(retryAfterSeconds),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    connection: 'close',
  });
  response.end(body);
}
