import { koaBody } from 'koa-body';
import { WardenError } from '../../contract/errors.ts';
import type { UploadSlots } from '../limits/upload-slots.ts';
import { mayHoldFile, takesMultipart } from '../media-paths.ts';
import type { RequestContext, RequestMiddleware } from '../state.ts';
import { inTime } from './in-time.ts';

const jsonTypes = ['application/json', 'application/*+json'];

export interface BodyLimits {
  readonly limitBytes: number;
  /** Of bodies that may hold a file as base64. */
  readonly mediaLimitBytes: number;
  readonly uploads: UploadSlots;
}

/**
 * Reads the JSON body of POST and PATCH into the state. An empty body counts as none; anything but JSON is refused.
 * Multipart bodies are left to the routes that take files.
 */
export function jsonBody({ limitBytes, mediaLimitBytes, uploads }: BodyLimits): RequestMiddleware {
  const read = reader(limitBytes);
  const readMedia = reader(mediaLimitBytes);
  return async (ctx, next) => {
    // Only a request with a token has its body read.
    if (ctx.state.principal !== null && (ctx.method === 'POST' || ctx.method === 'PATCH')) {
      if (isEmpty(ctx.req.headers)) ctx.state.body = undefined;
      else if (takesMultipart(ctx.path) && typeof ctx.is('multipart/form-data') === 'string')
        ctx.state.body = undefined;
      else if (typeof ctx.is(jsonTypes) !== 'string') throw new WardenError('unsupported_media_type');
      else if (mayHoldFile(ctx.path) && !isSmall(ctx.req.headers, limitBytes))
        ctx.state.body = await uploads(ctx, () => readMedia(ctx));
      else ctx.state.body = await inTime(ctx, read(ctx));
    }
    await next();
  };
}

function reader(limitBytes: number): (ctx: RequestContext) => Promise<unknown> {
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
  return async (ctx) => {
    try {
      await read(ctx, async () => undefined);
    } catch (error) {
      throw refusal(error);
    }
    const body: unknown = ctx.request.body;
    // The parser answers an empty text unparsed.
    return body === '' ? undefined : body;
  };
}

type Headers = Readonly<Record<string, string | string[] | undefined>>;

/** Says that it is no larger than any other body, and is held to that. */
function isSmall(headers: Headers, limitBytes: number): boolean {
  const isPlain = headers['transfer-encoding'] === undefined && headers['content-encoding'] === undefined;
  return isPlain && Number(headers['content-length'] ?? 0) <= limitBytes;
}

function isEmpty(headers: Headers): boolean {
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
