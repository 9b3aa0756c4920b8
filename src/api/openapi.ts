/** The OpenAPI document, derived from the operation table. */
import { z } from 'zod';
import { createDocument, type ZodOpenApiOperationObject, type ZodOpenApiPathsObject } from 'zod-openapi';
import { errorCatalogue, type ErrorCode } from '../contract/errors.ts';
import { operationNames, operations } from '../contract/index.ts';
import type { Operation } from '../contract/operation.ts';
import { sessionIdPattern } from '../contract/ids.ts';
import { curlExample } from './curl-example.ts';
import { keyHeader, keyPattern, replayedHeader } from './rest/idempotency-key.ts';
import { openApiPath, pathParamsOf } from './operation-path.ts';

export interface OpenApiInfo {
  readonly version: string;
  readonly baseUrl: string;
}

/** What every route below /api/v1 can answer; the document names them once per status. */
export const commonErrors: readonly ErrorCode[] = [
  'invalid_request',
  'unauthorized',
  'forbidden',
  'misdirected_request',
  'internal_error',
  'storage_unavailable',
  'shutting_down',
];
export const bodyErrors: readonly ErrorCode[] = ['invalid_json', 'payload_too_large', 'unsupported_media_type'];

const errorSchema = z
  .object({
    success: z.literal(false),
    message: z.string().optional().describe('Only with 401 and 403.'),
    error: z.object({
      code: z.int().min(400).max(599).describe('The HTTP status.'),
      type: z.string().describe('The name to program against.'),
      message: z.string().describe('What happened and what to do about it.'),
      details: z.array(z.object({ field: z.string(), expected: z.string(), received: z.string().optional() })),
      request_id: z.string().describe('Also in the x-request-id header and in the log.'),
      retryable: z.boolean().describe('Whether the same request may succeed later.'),
    }),
  })
  .meta({ id: 'Error' });

const sessionIdParam = z.string().regex(sessionIdPattern).meta({ description: 'The session.', example: 'support' });
const keySchema = z.string().regex(keyPattern).meta({
  description: 'Makes the request safe to repeat: with the same key it is carried out once, and answered again.',
  example: 'order-4711-confirmation',
});
const replayHeaders = z.object({
  [replayedHeader]: z.literal('true').optional().meta({ description: 'The answer is that of an earlier request.' }),
});
const binary = z.string().meta({ override: { type: 'string', format: 'binary' } });

/** A plain value, ready for JSON. */
export function openApiDocument({ version, baseUrl }: OpenApiInfo): ReturnType<typeof createDocument> {
  const paths: ZodOpenApiPathsObject = {
    '/health': {
      servers: [{ url: '/' }],
      get: {
        operationId: 'health',
        tags: ['Gateway'],
        summary: 'Whether the gateway answers',
        security: [],
        responses: { '200': { description: 'It does.', content: { 'text/plain': { example: 'OK' } } } },
      },
    },
    '/livez': {
      servers: [{ url: '/' }],
      get: {
        operationId: 'livez',
        tags: ['Gateway'],
        summary: 'Whether the process lives, whatever it depends on',
        security: [],
        responses: { '200': { description: 'It does.', content: { 'text/plain': { example: 'ok' } } } },
      },
    },
    '/readyz': {
      servers: [{ url: '/' }],
      get: {
        operationId: 'readyz',
        tags: ['Gateway'],
        summary: 'Whether the gateway can do its work',
        description: '`?verbose` lists every check.',
        security: [],
        responses: {
          '200': { description: 'It can.', content: { 'text/plain': { example: 'ok' } } },
          '503': {
            description: 'It cannot, with the cause.',
            content: { 'text/plain': { example: '[-]database: The database does not answer.' } },
          },
        },
      },
    },
  };
  for (const name of operationNames) {
    const operation: Operation = operations[name];
    for (const [index, path] of [operation.path, ...(operation.aliases ?? [])].entries()) {
      const key = openApiPath(path);
      const operationId = index === 0 ? name : `${name}Alias${index}`;
      paths[key] = {
        ...paths[key],
        [operation.method.toLowerCase()]: describeOperation({ ...operation, path }, operationId, baseUrl),
      };
    }
  }
  return createDocument({
    openapi: '3.1.1',
    info: {
      title: 'Warden',
      version,
      description: 'A self-hosted WhatsApp gateway. Send the token as `Authorization: Bearer <token>` or `X-API-Key`.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/api/v1' }],
    security: [{ bearer: [] }, { apiKey: [] }],
    tags: [...new Set(operationNames.map((name) => operations[name].tag))].map((name) => ({ name })),
    paths,
    components: {
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer' },
        apiKey: { type: 'apiKey', in: 'header', name: 'X-API-Key' },
      },
    },
  });
}

function describeOperation(operation: Operation, operationId: string, baseUrl: string): ZodOpenApiOperationObject {
  const inPath = pathParamsOf(operation.path);
  const hasBody = operation.method === 'POST' || operation.method === 'PATCH';
  const shape = operation.params instanceof z.ZodObject ? operation.params.shape : {};
  const pathShape: Record<string, z.ZodType> = {};
  for (const name of inPath) pathShape[name] = name === 'id' ? sessionIdParam : asSchema(shape[name]);
  const restNames = Object.keys(shape).filter((name) => name === 'id' || !inPath.includes(name));
  const query: Record<string, z.ZodType> = {};
  for (const name of hasBody ? [] : restNames) query[name] = asSchema(shape[name]);
  const example = Object.fromEntries(
    Object.entries(operation.example.params).filter(([name]) => restNames.includes(name)),
  );
  return {
    operationId,
    tags: [operation.tag],
    summary: operation.summary,
    ...(operation.description === undefined ? {} : { description: operation.description }),
    requestParams: {
      ...(inPath.length === 0 ? {} : { path: z.object(pathShape) }),
      ...(Object.keys(query).length === 0 ? {} : { query: z.object(query) }),
      ...(operation.idempotent === false ? {} : { header: z.object({ [keyHeader]: keySchema.optional() }) }),
      ...(operation.runs === 'stream' ? { header: resumeHeader } : {}),
    },
    ...(hasBody && restNames.length > 0
      ? {
          requestBody: {
            content: {
              'application/json': { schema: operation.params, example },
              ...(operation.media === undefined ? {} : { 'multipart/form-data': { schema: multipartForm(shape) } }),
            },
          },
        }
      : {}),
    responses: { ...successes(operation), ...failures(operation, hasBody) },
    'x-codeSamples': [{ lang: 'Shell', label: 'curl', source: curlExample(operation, baseUrl) }],
    'x-scope': operation.scope,
  };
}

/** The same fields as a form; the file takes the place of the ways to name one. */
function multipartForm(shape: Readonly<Record<string, unknown>>): z.ZodType {
  const fields = Object.entries(shape).filter(([name]) => name !== 'url' && name !== 'base64' && name !== 'media_id');
  return z.object({ ...Object.fromEntries(fields.map(([name, schema]) => [name, asSchema(schema)])), file: binary });
}

const asSchema = (schema: unknown): z.ZodType => (schema instanceof z.ZodType ? schema : z.string());

const resumeHeader = z.object({
  'Last-Event-ID': z.string().optional().meta({ description: 'Goes on after the message with this id.' }),
});
const streamDescription = 'Messages for as long as the connection lasts; the schema is that of the `data` of each.';

function streamContent({ result, example }: Operation) {
  const data: unknown = example.result;
  const name = typeof data === 'object' && data !== null && 'event' in data ? String(data.event) : 'message';
  const message = `id: 5f0c9a1e-1042\nevent: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
  return { 'text/event-stream': { schema: result, example: message } };
}

type Responses = ZodOpenApiOperationObject['responses'];

function successes(operation: Operation): Responses {
  const json = { 'application/json': { schema: operation.result, example: operation.example.result } };
  if (operation.path.endsWith('/qr')) {
    const pictures = { 'image/png': { schema: binary }, 'image/svg+xml': { schema: binary } };
    return { '200': { description: 'The code.', content: { ...json, ...pictures } } };
  }
  if (operation.answersFile === true) {
    return { '200': { description: 'The file.', content: { 'application/octet-stream': { schema: binary } } } };
  }
  const headers = operation.idempotent === false ? {} : { headers: replayHeaders };
  if (operation.runs === 'stream')
    return { '200': { description: streamDescription, content: streamContent(operation) } };
  const done = { [String(operation.status)]: { description: 'Done.', content: json, ...headers } };
  if (operation.runs !== 'send') return done;
  return {
    ...done,
    '202': { description: 'Accepted; WhatsApp has not acknowledged it yet.', content: json, ...headers },
  };
}

function failures(operation: Operation, hasBody: boolean): Responses {
  const codes = new Set<ErrorCode>([
    ...commonErrors,
    ...(hasBody ? bodyErrors : []),
    ...keyErrorsOf(operation),
    ...(operation.path.includes(':id') ? (['session_not_found'] as const) : []),
    ...operation.errors,
  ]);
  const byStatus = Map.groupBy(codes, (code) => errorCatalogue[code].status);
  const responses: Responses = {};
  for (const [status, group] of [...byStatus].toSorted(([a], [b]) => a - b)) {
    responses[`${status}`] = {
      description: group.map((code) => `\`${code}\`: ${errorCatalogue[code].sentence}`).join('\n\n'),
      content: {
        'application/json': {
          schema: errorSchema,
          examples: Object.fromEntries(group.map((code) => [code, { value: exampleError(code) }])),
        },
      },
    };
  }
  return responses;
}

/** What a key can lead to; the outcome of a message is always known. */
export function keyErrorsOf({ runs, idempotent }: Operation): readonly ErrorCode[] {
  if (idempotent === false) return [];
  const codes: readonly ErrorCode[] = ['idempotency_key_reused', 'request_in_progress'];
  if (runs === 'send') return [...codes, 'message_expired'];
  return idempotent === true ? [...codes, 'outcome_unknown'] : codes;
}

function exampleError(code: ErrorCode): z.output<typeof errorSchema> {
  const { status, sentence, retryable } = errorCatalogue[code];
  const details = code === 'invalid_request' ? [{ field: 'to', expected: 'a phone number', received: '"hello"' }] : [];
  return {
    success: false,
    ...(status === 401 || status === 403 ? { message: sentence } : {}),
    error: {
      code: status,
      type: code,
      message: sentence,
      details,
      request_id: 'req_01JGQ0000000000000000000',
      retryable,
    },
  };
}
