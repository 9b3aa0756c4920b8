/**
 * Members of objects that come to be when they are first asked for, out of pieces of source text in a file. The lean
 * child's protobuf classes are such: 672 of them are declared, a session uses some dozens.
 */
import { openSync, readSync } from 'node:fs';

/** Declares `owner[name]`; its source stands in the file from `offset` on. */
// oxlint-disable-next-line eslint/max-params -- called 672 times by generated code, without an object for each
export type LazyMember = (owner: object, name: string, offset: number, length: number) => void;

/**
 * Opens the file of pieces. Each piece is a statement that assigns to `$value`, and sees the names of `scope` and
 * `$lazy`, which is what is answered. The file stays open, so that a build that replaces it does not disturb.
 */
export function openLazyMembers(path: string, scope: Readonly<Record<string, unknown>>): LazyMember {
  const file = openSync(path, 'r');
  const materialise = (offset: number, length: number): unknown => {
    const bytes = Buffer.allocUnsafe(length);
    if (readSync(file, bytes, 0, length, offset) !== length) throw new Error(`${path} is shorter than it was built`);
    const code = `"use strict";let $value;${bytes.toString('latin1')};return $value`;
    // The text is this package's own, as written by its build.
    // oxlint-disable-next-line typescript/no-implied-eval
    const create: unknown = new Function('$lazy', ...Object.keys(scope), code);
    return typeof create === 'function' ? Reflect.apply(create, undefined, [lazy, ...Object.values(scope)]) : undefined;
  };
  // oxlint-disable-next-line eslint/max-params -- see above
  const lazy: LazyMember = (owner, name, offset, length) => {
    const settle = (value: unknown): unknown => {
      Object.defineProperty(owner, name, { value, enumerable: true, configurable: true, writable: true });
      return value;
    };
    const get = (): unknown => settle(materialise(offset, length));
    Object.defineProperty(owner, name, { get, set: settle, enumerable: true, configurable: true });
  };
  return lazy;
}
