/**
 * Params of operations for property tests, made from the contract's own schemas: as they should be, and with one thing
 * wrong. What a schema does not tell of itself (which texts are phone numbers) is known here by the schema.
 */
import fc, { type Arbitrary } from 'fast-check';
import { z } from 'zod';
import { operations, type OperationName } from '../../src/contract/index.ts';
import type { Operation } from '../../src/contract/operation.ts';
import { groupJid } from '../../src/contract/operations/groups.ts';
import { httpUrl, messageId, person, phone, recipient, sessionId } from '../../src/contract/schemas.ts';
import { hostileTexts } from './hostile-text.ts';

type Params = Readonly<Record<string, unknown>>;

/** As much of JSON Schema as the contract uses. */
const schemaShape = z.object({
  type: z.union([z.string(), z.array(z.string())]).optional(),
  const: z.unknown().optional(),
  enum: z.array(z.unknown()).optional(),
  anyOf: z.array(z.unknown()).optional(),
  oneOf: z.array(z.unknown()).optional(),
  properties: z.record(z.string(), z.unknown()).optional(),
  required: z.array(z.string()).default([]),
  items: z.unknown().optional(),
  pattern: z.string().optional(),
  minLength: z.int().default(0),
  maxLength: z.int().default(2000),
  minItems: z.int().default(0),
  maxItems: z.int().default(5),
  minimum: z.number().optional(),
  maximum: z.number().optional(),
  form: z.string().optional(),
});

const digits = (minLength: number, maxLength: number): Arbitrary<string> =>
  fc.stringMatching(new RegExp(`^[1-9][0-9]{${minLength - 1},${maxLength - 1}}$`));
const phones = fc.oneof(
  digits(7, 15).map((number) => `+${number}`),
  digits(7, 12).map((number) => `00${number}`),
  digits(10, 12).map((number) => ` +${number.slice(0, 2)} (${number.slice(2, 5)}) ${number.slice(5)} `),
);
const people = fc.oneof(
  phones,
  digits(7, 15).map((number) => `${number}@s.whatsapp.net`),
  digits(7, 15).map((number) => `${number}:12@c.us`),
  digits(5, 20).map((number) => `${number}@lid`),
);
const groups = fc.oneof(
  digits(5, 25).map((number) => `${number}@g.us`),
  digits(5, 12).map((number) => `${number}-1500000000@g.us`),
);

const forms = new Map<unknown, { readonly name: string; readonly values: Arbitrary<string> }>([
  [recipient.def, { name: 'recipient', values: fc.oneof(people, groups) }],
  [person.def, { name: 'person', values: people }],
  [phone.def, { name: 'phone', values: phones }],
  [groupJid.def, { name: 'groupJid', values: groups }],
  [sessionId.def, { name: 'sessionId', values: fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/) }],
  [messageId.def, { name: 'messageId', values: fc.stringMatching(/^[A-Za-z0-9._:-]{4,128}$/) }],
  // Nothing that would really be asked for: the guard refuses both.
  [httpUrl.def, { name: 'httpUrl', values: fc.constantFrom('http://127.0.0.1/x', 'https://[::1]:8443/?q=1#x') }],
]);
const valuesByForm = new Map([...forms.values()].map(({ name, values }) => [name, values]));

/** Any text between the lengths: of hostile ones, and of all that Unicode has but U+0000. */
function texts(minLength: number, maxLength: number): Arbitrary<string> {
  const fitting = hostileTexts.filter(({ length }) => length >= minLength && length <= maxLength);
  const anything = fc
    .string({ unit: 'binary', minLength, maxLength: Math.min(maxLength, minLength + 40) })
    .map((text) => text.replaceAll('\u0000', ' ').toWellFormed().slice(0, maxLength).toWellFormed());
  return fitting.length === 0 ? anything : fc.oneof(anything, fc.constantFrom(...fitting));
}

function valuesOf(schema: unknown): Arbitrary<unknown> {
  const node = schemaShape.parse(schema);
  const ofForm = valuesByForm.get(node.form ?? '');
  if (ofForm !== undefined) return ofForm;
  if (node.const !== undefined) return fc.constant(node.const);
  if (node.enum !== undefined) return fc.constantFrom(...node.enum);
  const branches = node.anyOf ?? node.oneOf;
  if (branches !== undefined) return fc.oneof(...branches.map(valuesOf));
  if (Array.isArray(node.type)) return fc.oneof(...node.type.map((type) => valuesOf({ ...node, type })));
  switch (node.type) {
    case 'string':
      if (node.pattern !== undefined) return fc.stringMatching(new RegExp(node.pattern), { size: 'small' });
      return texts(node.minLength, Math.min(node.maxLength, 5000));
    case 'integer':
      return fc.oneof(
        fc.integer({ min: node.minimum ?? -1000, max: Math.min(node.maximum ?? 2 ** 31 - 1, 2 ** 31 - 1) }),
        fc.constantFrom(node.minimum ?? 0, node.maximum ?? 1),
      );
    case 'number':
      return fc.double({ min: node.minimum ?? -1e9, max: node.maximum ?? 1e9, noNaN: true });
    case 'boolean':
      return fc.boolean();
    case 'null':
      return fc.constant(null);
    case 'array':
      return fc.array(valuesOf(node.items), {
        minLength: node.minItems,
        maxLength: Math.max(node.minItems, Math.min(node.maxItems, 4)),
      });
    case 'object':
      return fc.record(
        Object.fromEntries(Object.entries(node.properties ?? {}).map(([name, value]) => [name, valuesOf(value)])),
        { requiredKeys: node.required },
      );
    default:
      return fc.constantFrom('x', 1, null);
  }
}

/** The fields of an operation as a client writes them. */
function fieldsOf(
  name: OperationName,
): ReadonlyMap<string, { readonly values: Arbitrary<unknown>; required: boolean }> {
  const operation: Operation = operations[name];
  const written = z.toJSONSchema(operation.params, {
    io: 'input',
    unrepresentable: 'any',
    override: ({ zodSchema, jsonSchema }) => {
      const form = forms.get(zodSchema._zod.def);
      if (form !== undefined) Object.assign(jsonSchema, { form: form.name });
    },
  });
  const { properties = {}, required } = schemaShape.parse(written);
  return new Map(
    Object.entries(properties).map(([field, schema]) => [
      field,
      { values: valuesOf(schema), required: required.includes(field) },
    ]),
  );
}

/** Values that exist where the test runs, by the name of their field. */
export type LiveValues = Readonly<Record<string, readonly unknown[]>>;

/**
 * Params that an operation should understand: its example, with some fields in other values of their schema. What
 * a schema cannot say alone (two fields that exclude each other) makes some of them wrong all the same.
 */
export function plausibleParams(name: OperationName, live: LiveValues = {}): Arbitrary<Params> {
  const operation: Operation = operations[name];
  const fields = [...fieldsOf(name)].map(([field, { values }]) => {
    const known = live[field];
    return [field, known === undefined ? values : fc.oneof(fc.constantFrom(...known), values)] as const;
  });
  return fc
    .tuple(fc.constant(operation.example.params), fc.record(Object.fromEntries(fields), { requiredKeys: [] }))
    .map(([example, others]) => ({ ...example, ...others }));
}

export interface WrongParams {
  readonly params: unknown;
  /** The field that must be named in the answer; null when the whole is wrong. */
  readonly field: string | null;
}

/** Params with one thing wrong that no schema takes, in a field of the body or the query. */
export function wrongParams(name: OperationName): Arbitrary<WrongParams> {
  const operation: Operation = operations[name];
  const inPath = new Set([...operation.path.matchAll(/:(\w+)/g)].map(([, field]) => field));
  const hasBody = operation.method === 'POST' || operation.method === 'PATCH';
  const base = operation.example.params;
  const fields = [...fieldsOf(name)].filter(([field]) => !inPath.has(field));
  const wrong: Arbitrary<WrongParams>[] = [
    texts(1, 60)
      .filter((field) => !(field in base) && !fields.some(([known]) => known === field) && field !== '__proto__')
      .map((field) => ({ params: { ...base, [`${field}_`]: 'x' }, field: `${field}_` })),
  ];
  if (hasBody) {
    wrong.push(
      fc.constantFrom<unknown>([], [base], 'text', 7, true, -0.5).map((params) => ({ params, field: 'body' })),
      fc
        .tuple(fc.constantFrom('__proto__', 'constructor', 'prototype', 'toString', ''), fc.jsonValue())
        .map(([field, value]) => ({
          params: Object.defineProperty({ ...base }, field, { value, enumerable: true }),
          field: null,
        })),
    );
  }
  if (fields.length > 0) {
    const field = fc.constantFrom(...fields.map(([known]) => known));
    // Nothing takes these: a value of another kind, and one that no database stores.
    const impossible = hasBody
      ? fc.constantFrom<unknown>({ $gt: '' }, [[[]]], { length: 1e9 }, 'a\u0000b', '\ud83d', deep(40))
      : fc.constantFrom<unknown>('a\u0000b');
    wrong.push(fc.tuple(field, impossible).map(([at, value]) => ({ params: { ...base, [at]: value }, field: at })));
    const required = fields.filter(([, { required }]) => required).map(([known]) => known);
    if (required.length > 0) {
      wrong.push(
        fc.constantFrom(...required).map((missing) => ({
          params: Object.fromEntries(Object.entries(base).filter(([known]) => known !== missing)),
          field: missing,
        })),
      );
    }
  }
  return fc.oneof(...wrong);
}

function deep(levels: number): unknown {
  let value: unknown = 'x';
  for (let level = 0; level < levels; level += 1) value = level % 2 === 0 ? [value] : { x: value };
  return value;
}
