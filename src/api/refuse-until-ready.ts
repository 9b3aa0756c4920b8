/** What everybody is told while the gateway has no database yet. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { WardenError } from '../contract/errors.ts';
import { errorEnvelope } from './error-envelope.ts';

const retryAfterSeconds = 2;

export function refuseUntilReady(_request: IncomingMessage, response: ServerResponse): void {
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
