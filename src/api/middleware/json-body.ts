import { koaBody } from 'koa-body';
import { WardenError } from '../../contract/errors.ts';
import type { RequestMiddleware } from '../state.ts';

const jsonTypes = ['application/json', 'application/*+json'];

/** Reads the JSON body of POST and PATCH into the state. An empty body counts as none; anything but JSON is refused. */
export function jsonBody(limitBytes: number): RequestMiddleware {
  const read = koaBody({
    json: true,
    jsonLimit: limitBytes,
    jsonTypes,
    // Strict mode would refuse null, true and 1 as malformed; they are well-formed, and the schemas name what is wrong.
    jsonStrict: false,
    urlencoded: false,
    text: false,
    multipart: false,
    patchNode: false,
  });
  return async (ctx, next) => {
    // Only a request with a token has its body read.
    if (ctx.state.principal !== null && (ctx.method === 'POST' || ctx.method === 'PATCH')) {
      if (isEmpty(ctx.req.headers)) ctx.state.body = undefined;
      else if (typeof ctx.is(jsonTypes) !== 'string') throw new WardenError('unsupported_media_type');
      else ctx.state.body = await readBody();
    }
    await next();

    async function readBody(): Promise<unknown> {
      try {
        await read(ctx, async () => undefined);
      } catch (error) {
        throw refusal(error);
      }
      const body: unknown = ctx.request.body;
      // The parser answers an empty text unparsed.
      return body === '' ? undefined : body;
    }
  };
}

function isEmpty(headers: Readonly<Record<string, string | string[] | undefined>>): boolean {
  return headers['transfer-encoding'] === undefined && Number(headers['content-length'] ?? 0) === 0;
}

function refusal(error: unknown): WardenError {
  const status = error instanceof Error && 'status' in error ? error.status : null;
  if (status === 413) return new WardenError('payload_too_large', { cause: error });
  if (status === 415) {
    return new WardenError('unsupported_media_type', {
      message: 'The encoding or character set of the body is not supported; send UTF-8 JSON, plain or gzipped.',
      cause: error,
    });
  }
  return new WardenError('invalid_json', { details: [{ field: 'body', expected: 'a JSON object' }], cause: error });
}
