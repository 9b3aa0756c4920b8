/** Reads a multipart body: one file, streamed into the spool, and the fields of the operation as text. */
import type { Writable } from 'node:stream';
import { koaBody } from 'koa-body';
import type { z } from 'zod';
import { WardenError } from '../../contract/errors.ts';
import { safeFileName } from '../../media/media-kinds.ts';
import type { UploadedFile } from '../../media/prepare-media.ts';
import type { SpoolSink } from '../../media/spool-sink.ts';
import type { Spool } from '../../media/spool.ts';
import type { RequestContext } from '../state.ts';

export interface MultipartBody {
  readonly fields: Readonly<Record<string, unknown>>;
  /** Held in the spool. */
  readonly upload: UploadedFile | null;
}

interface MultipartLimits {
  readonly spool: Spool;
  /** Of the file. */
  readonly capBytes: number;
  /** Of all fields together. */
  readonly fieldBytes: number;
}

const mostFields = 100;
const fileField = 'file';

/** Throws `media_too_large`, `storage_full`, `payload_too_large`, `invalid_request`; no file stays behind then. */
export async function readMultipart(
  ctx: RequestContext,
  { spool, capBytes, fieldBytes }: MultipartLimits,
): Promise<MultipartBody> {
  const sinks: SpoolSink[] = [];
  const discard = async (): Promise<void> => {
    for (const sink of sinks) {
      if (sink.isWhole) await spool.release(spool.adopt(sink).path);
      else await sink.abandon();
    }
  };
  const read = koaBody({
    multipart: true,
    json: false,
    text: false,
    urlencoded: false,
    formidable: {
      maxFiles: 1,
      maxFields: mostFields,
      maxFieldsSize: fieldBytes,
      // The sink counts, and its errors say what a user can do.
      maxFileSize: Number.MAX_SAFE_INTEGER,
      maxTotalFileSize: Number.MAX_SAFE_INTEGER,
      allowEmptyFiles: true,
      minFileSize: 0,
      fileWriteStreamHandler: (): Writable => {
        const sink = spool.sink(capBytes);
        sinks.push(sink);
        return sink;
      },
    },
  });
  try {
    await read(ctx, async () => undefined);
    // The parser may come to its end before a full disk or a cap has reached it.
    const failure = sinks.find((sink) => sink.failure !== null)?.failure;
    if (failure) throw failure;
    const upload = takeFile(ctx.request.files, sinks, spool);
    return { fields: fieldsOf(ctx.request.body), upload };
  } catch (error) {
    await discard();
    throw refusal(error);
  }
}

function takeFile(
  files: RequestContext['request']['files'],
  sinks: readonly SpoolSink[],
  spool: Spool,
): UploadedFile | null {
  const [name, ...others] = Object.keys(files ?? {});
  if (name === undefined) return null;
  const found = files?.[name];
  const [sink] = sinks;
  if (name !== fileField || others.length > 0 || sink === undefined || found === undefined || Array.isArray(found)) {
    throw new WardenError('invalid_request', {
      details: [{ field: name, expected: `one file, in a field named ${fileField}`, received: 'a file' }],
    });
  }
  return {
    file: spool.adopt(sink),
    fileName: safeFileName(found.originalFilename),
    declaredType: found.mimetype ?? null,
  };
}

function fieldsOf(body: unknown): Readonly<Record<string, unknown>> {
  return typeof body === 'object' && body !== null ? { ...body } : {};
}

/** What formidable complains about is the client's doing. */
function refusal(error: unknown): WardenError {
  if (error instanceof WardenError) return error;
  const status = error instanceof Error && 'httpCode' in error ? error.httpCode : null;
  if (status === 413) return new WardenError('payload_too_large', { cause: error });
  return new WardenError('invalid_request', {
    message: 'The body is not complete multipart/form-data.',
    details: [{ field: 'body', expected: 'multipart/form-data with at most one file' }],
    cause: error,
  });
}

/**
 * Text fields as the schema wants them: a field that is not right as text is read as JSON, or as the only item of a list.
 * What fits in no way stays text, for the schema to refuse by name. Pure.
 */
export function coerceFields(schema: z.ZodType, fields: unknown): unknown {
  const shape: unknown = 'shape' in schema ? schema.shape : null;
  if (typeof shape !== 'object' || shape === null || typeof fields !== 'object' || fields === null) return fields;
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => {
      const field: unknown = Object.hasOwn(shape, name) ? Reflect.get(shape, name) : undefined;
      return [name, isSchema(field) ? coerced(field, value) : value];
    }),
  );
}

const isSchema = (value: unknown): value is z.ZodType =>
  typeof value === 'object' && value !== null && 'safeParse' in value && typeof value.safeParse === 'function';

function coerced(field: z.ZodType, value: unknown): unknown {
  const readings = [value, fromJson(value), [value]];
  return readings.find((reading) => reading !== undefined && field.safeParse(reading).success) ?? value;
}

function fromJson(value: unknown): unknown {
  if (typeof value !== 'string') return undefined;
  try {
    return JSON.parse(value);
  } catch {
    return undefined;
  }
}
