/**
 * What no field of any operation may hold: text that the database cannot store (U+0000, halves of surrogate pairs) and
 * nesting that only an attacker writes. Pure, and without recursion.
 */
import type { ErrorDetail } from '../../contract/errors.ts';

const deepest = 32;

interface Visit {
  readonly value: unknown;
  readonly field: string;
  readonly depth: number;
}

/** A detail per offending field; empty when the input is fine. */
export function objectionsToText(input: unknown): readonly ErrorDetail[] {
  const objections: ErrorDetail[] = [];
  const waiting: Visit[] = [{ value: input, field: '', depth: 0 }];
  for (let visit = waiting.pop(); visit !== undefined; visit = waiting.pop()) {
    const { value, field, depth } = visit;
    const name = field === '' ? 'body' : field;
    if (typeof value === 'string') {
      const objection = objectionToString(value);
      if (objection !== null) objections.push({ field: name, ...objection });
    } else if (typeof value === 'object' && value !== null) {
      if (depth >= deepest) {
        const root = /^[^.[]*/.exec(name)?.[0] ?? name;
        return [{ field: root.slice(0, 200), expected: `at most ${deepest} levels of nesting`, received: 'more' }];
      }
      const isArray = Array.isArray(value);
      for (const [key, child] of Object.entries(value)) {
        const inner = isArray ? `${field}[${key}]` : field === '' ? key : `${field}.${key}`;
        if (!isArray && objectionToString(key) !== null) {
          objections.push({ field: name, expected: 'field names of well-formed Unicode without U+0000' });
        }
        waiting.push({ value: child, field: inner, depth: depth + 1 });
      }
    }
  }
  return objections;
}

function objectionToString(text: string): { readonly expected: string; readonly received: string } | null {
  if (text.includes('\u0000')) return { expected: 'text without the character U+0000', received: 'text with it' };
  if (!text.isWellFormed()) return { expected: 'well-formed Unicode', received: 'half of a surrogate pair' };
  return null;
}
