import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { z } from 'zod';
import { eventNames, events, type EventEnvelope } from '../../src/contract/events.ts';
import { operationNames, operations } from '../../src/contract/index.ts';
import type { Operation } from '../../src/contract/operation.ts';
import { sessionStatus } from '../../src/contract/operations/sessions.ts';
import { signatureHeaders } from '../../src/webhooks/signature.ts';
import { root } from '../support/source-files.ts';

interface Schema {
  readonly $ref?: string | undefined;
  readonly properties?: Readonly<Record<string, Schema>> | undefined;
  readonly items?: Schema | undefined;
  readonly anyOf?: readonly Schema[] | undefined;
  readonly $defs?: Readonly<Record<string, Schema>> | undefined;
}

const schema: z.ZodType<Schema> = z.lazy(() =>
  z.object({
    $ref: z.string().optional(),
    properties: z.record(z.string(), schema).optional(),
    items: schema.optional(),
    anyOf: z.array(schema).optional(),
    $defs: z.record(z.string(), schema).optional(),
  }),
);

/** The fields of a schema, those within others by their path: `media`, `media.url`. */
function fieldsOf(type: z.ZodType, io: 'input' | 'output'): readonly string[] {
  const whole = schema.parse(z.toJSONSchema(type, { io, unrepresentable: 'any' }));
  const walk = ({ $ref, properties = {}, items, anyOf = [] }: Schema, prefix: string): readonly string[] => [
    ...Object.entries(properties).flatMap(([name, field]) => [`${prefix}${name}`, ...walk(field, `${prefix}${name}.`)]),
    ...(items === undefined ? [] : walk(items, prefix)),
    ...anyOf.flatMap((each) => walk(each, prefix)),
    ...($ref === undefined ? [] : walk(whole.$defs?.[$ref.replace('#/$defs/', '')] ?? {}, prefix)),
  ];
  return walk(whole, '');
}

const all = operationNames.map((name): { readonly name: string; readonly operation: Operation } => ({
  name,
  operation: operations[name],
}));
const envelope = {
  id: true,
  event: true,
  session_id: true,
  timestamp: true,
  sequence: true,
  data: true,
} as const satisfies Record<keyof EventEnvelope, true>;
const anyDelivery = { id: 'evt', at: 0, body: Buffer.from(''), secret: 'secret', previousSecret: null };
const sendFields = fieldsOf(operations.sendText.params, 'input').filter((name) =>
  fieldsOf(operations.sendDocument.params, 'input').includes(name),
);

/** Everything that the right-hand side may name. */
const known = new Set<string>([
  ...all.flatMap(({ operation: { method, path, aliases = [] } }) =>
    [path, ...aliases].map((each) => `${method} ${each}`),
  ),
  ...['/health', '/livez', '/readyz'].map((path) => `GET ${path}`),
  ...eventNames,
  ...eventNames.flatMap((name) => fieldsOf(events[name].data, 'output').map((field) => `${name}.${field}`)),
  ...Object.keys(envelope),
  ...all.flatMap(({ name, operation: { params, result } }) =>
    [...fieldsOf(params, 'input'), ...fieldsOf(result, 'output')].map((field) => `${name}.${field}`),
  ),
  // The fields that all sends, and all sends of files, have in common stand without the name of one.
  ...sendFields,
  ...['text', 'url', 'base64', 'mimetype', 'caption', 'filename', 'ptt', 'latitude', 'longitude'].filter((field) =>
    all.some(({ operation }) => operation.runs === 'send' && fieldsOf(operation.params, 'input').includes(field)),
  ),
  ...['is_logged_in'].filter((field) => fieldsOf(operations.getSessionStatus.result, 'output').includes(field)),
  ...sessionStatus.options,
  ...Object.keys(signatureHeaders(anyDelivery)),
  'Authorization',
  'Bearer',
  'X-API-Key',
  'Idempotency-Key',
  'success',
]);

const lines = readFileSync(join(root, 'docs', 'migrating.md'), 'utf8').split('\n');

/** The rows of all tables whose last column is ours, with the heading above them. */
function ourCells(): readonly { readonly row: string; readonly cell: string }[] {
  const cells: { readonly row: string; readonly cell: string }[] = [];
  let isOurs = false;
  for (const line of lines) {
    if (!line.startsWith('|')) isOurs = false;
    else if (line.endsWith('| Warden |')) isOurs = true;
    else if (isOurs && !line.startsWith('| ---')) cells.push({ row: line, cell: line.split('|').at(-2) ?? '' });
  }
  return cells;
}

describe('the page for those who come from another gateway', () => {
  test('names only operations, events, fields and headers that Warden has', () => {
    const cells = ourCells();
    assert.ok(cells.length > 100, `${cells.length} rows`);
    const wrong = cells.flatMap(({ row, cell }) =>
      [...cell.matchAll(/`([^`]+)`/g)].flatMap(([, token = '']) => (known.has(token) ? [] : [`${token} in ${row}`])),
    );
    assert.deepEqual(wrong, []);
  });

  test('names something in every row, or says that there is nothing', () => {
    const empty = ourCells().filter(
      ({ cell }) => !cell.includes('`') && !/none|the same|only the last part|bare objects/.test(cell),
    );
    assert.deepEqual(
      empty.map(({ row }) => row),
      [],
    );
  });

  test('has rows with two cells', () => {
    assert.deepEqual(
      ourCells().flatMap(({ row }) => (row.split('|').length === 4 ? [] : [row])),
      [],
    );
  });
});
