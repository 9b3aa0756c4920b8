/** From what a client sent to an operation's params, or to an error that names every wrong field. Pure. */
import type { z } from 'zod';
import { WardenError, type ErrorDetail } from '../../contract/errors.ts';
import { operations, type OperationName, type Params } from '../../contract/index.ts';
import { objectionsToText } from './input-text.ts';

const mostDetails = 50;
const longestReceived = 60;

/** The table seen so that a generic name keeps its own params. */
const schemas: { readonly [N in OperationName]: { readonly params: z.ZodType<Params<N>> } } = operations;

/** The params of an operation; throws `invalid_request` with a detail per wrong field, unknown ones included. */
export function parseParams<N extends OperationName>(name: N, input: unknown): Params<N> {
  const objections = objectionsToText(input);
  if (objections.length > 0) throw invalidRequest(objections);
  const parsed = schemas[name].params.safeParse(input, { reportInput: true });
  if (!parsed.success) throw invalidRequest(parsed.error.issues.flatMap((issue) => detailsOf(issue, [])));
  return parsed.data;
}

/** `invalid_request` about these fields. */
export function invalidRequest(details: readonly ErrorDetail[]): WardenError {
  return new WardenError('invalid_request', { details: details.slice(0, mostDetails) });
}

type Issue = z.core.$ZodIssue;

function detailsOf(issue: Issue, prefix: readonly PropertyKey[]): readonly ErrorDetail[] {
  const path = [...prefix, ...issue.path];
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      field: fieldName([...path, key]),
      expected: 'no field of this name',
      received: 'an unknown field',
    }));
  }
  const field = fieldName(path);
  const received = describeReceived(issue.input, field);
  return [{ field, expected: expectation(issue), ...(received === null ? {} : { received }) }];
}

function expectation(issue: Issue): string {
  switch (issue.code) {
    case 'invalid_type':
      return article(issue.expected);
    case 'invalid_value':
      return issue.values.length === 1
        ? JSON.stringify(issue.values[0])
        : `one of ${issue.values.map((value) => JSON.stringify(value)).join(', ')}`;
    case 'too_small':
      return `${issue.exact === true ? 'exactly' : 'at least'} ${issue.minimum}${unit(issue.origin)}`;
    case 'too_big':
      return `${issue.exact === true ? 'exactly' : 'at most'} ${issue.maximum}${unit(issue.origin)}`;
    case 'not_multiple_of':
      return `a multiple of ${issue.divisor}`;
    case 'invalid_union': {
      const branches = issue.errors.flatMap(([first]) => (first === undefined ? [] : [expectation(first)]));
      return branches.length === 0 ? issue.message : [...new Set(branches)].join(', or ');
    }
    default:
      // The contract words its own patterns and checks as what is expected.
      return issue.message;
  }
}

const articles: Readonly<Record<string, string>> = {
  int: 'a whole number',
  number: 'a number',
  string: 'a string',
  boolean: 'true or false',
  array: 'an array',
  object: 'a JSON object',
};

const article = (type: string): string => articles[type] ?? type;

function unit(origin: string): string {
  if (origin === 'string') return ' characters';
  return origin === 'array' || origin === 'set' ? ' items' : '';
}

/** `a.b[2]`; the whole body is `body`. */
export function fieldName(path: readonly PropertyKey[]): string {
  let name = '';
  for (const part of path) {
    if (typeof part === 'number') name += `[${part}]`;
    else name += `${name === '' ? '' : '.'}${String(part)}`;
  }
  return name === '' ? 'body' : name.slice(0, 200);
}

/** A short word for a value; never the whole of it, and nothing of a secret. Never walks into it: it may be deep. */
export function describeReceived(value: unknown, field: string): string | null {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return `an array of ${value.length}`;
  switch (typeof value) {
    case 'string': {
      if (/secret|token|password|passphrase|^files?(\.|$)/i.test(field))
        return `a string of ${value.length} characters`;
      const short = value.length > longestReceived ? `${value.slice(0, longestReceived)}…` : value;
      return JSON.stringify(short);
    }
    case 'number':
    case 'boolean':
      return String(value);
    case 'object':
      return 'an object';
    default:
      return null;
  }
}
