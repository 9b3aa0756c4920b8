import assert from 'node:assert/strict';
import { randomBytes, randomInt } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import protobuf from 'protobufjs';
import { trusted } from '../../src/contract/trusted.ts';
import { loadLeanBuild } from '../support/lean-build.ts';

interface MessageClass {
  decode(bytes: Uint8Array): object;
  encode(message: unknown): { finish(): Uint8Array };
  fromObject(plain: unknown): unknown;
  toObject(message: unknown, options: object): unknown;
  getTypeUrl(): string;
}

const dist = fileURLToPath(new URL('../../', import.meta.url));
const original = join(dirname(createRequire(import.meta.url).resolve('@whiskeysockets/baileys')), '..', 'WAProto');
const casesPerMessage = 4;
const deepest = 3;

describe('the lazily made protobuf classes', () => {
  const reflection = protobuf.loadSync(join(original, 'WAProto.proto'));
  let folder = '';
  let theirs: object = {};
  let ours: object = {};
  let count = 0;

  before(async () => {
    folder = mkdtempSync(join(dist, 'lean-messages-'));
    const { splitMessages } = await loadLeanBuild();
    const file = join(original, 'index.js');
    const runtime = pathToFileURL(join(dist, 'src', 'child', 'lean', 'lazy-members.js')).href;
    const pieces = JSON.stringify(join(folder, 'pieces'));
    const split = splitMessages({ source: readFileSync(file, 'utf8'), file, runtime, pieces });
    count = split.count;
    writeFileSync(join(folder, 'pieces'), split.pieces);
    // Otherwise both would register under one name, and refer to each other's classes.
    writeFileSync(
      join(folder, 'messages.mjs'),
      split.code.replaceAll('$protobuf.roots["default"]', '$protobuf.roots["lean"]'),
    );
    const load = async (path: string): Promise<object> => trusted<object>(await import(pathToFileURL(path).href));
    theirs = await load(file);
    ours = await load(join(folder, 'messages.mjs'));
  });

  after(() => rmSync(folder, { recursive: true, force: true }));

  /** Types and enums of the schema, with the path under which the modules have them. */
  function declared(
    kind: 'type' | 'enum',
    from: protobuf.NamespaceBase = reflection,
  ): readonly protobuf.ReflectionObject[] {
    return from.nestedArray.flatMap((each) => {
      const own = kind === 'type' ? each instanceof protobuf.Type : each instanceof protobuf.Enum;
      return [...(own ? [each] : []), ...(each instanceof protobuf.Namespace ? declared(kind, each) : [])];
    });
  }

  function find(module: object, { fullName }: protobuf.ReflectionObject): unknown {
    const path = fullName.split('.').slice(1);
    return path.reduce<unknown>((place, name) => Reflect.get(trusted<object>(place), name), module);
  }

  test('are all there, in the same order', () => {
    assert.ok(count > 600);
    assert.equal(declared('type').length + declared('enum').length, count);
    const names = (module: object): readonly string[] => Object.keys(trusted<object>(Reflect.get(module, 'proto')));
    assert.deepEqual(names(ours), names(theirs));
  });

  test('have the same enums', () => {
    for (const each of declared('enum')) {
      const [our, their] = [find(ours, each), find(theirs, each)];
      assert.deepEqual(our, their, each.fullName);
      assert.deepEqual(Object.getPrototypeOf(our), Object.getPrototypeOf(their), each.fullName);
    }
  });

  test('encode, decode and tell random messages like the originals', () => {
    let cases = 0;
    for (const each of declared('type')) {
      if (!(each instanceof protobuf.Type)) continue;
      // Both come from the same generator.
      const our = trusted<MessageClass>(find(ours, each));
      const their = trusted<MessageClass>(find(theirs, each));
      assert.deepEqual(Object.keys(our), Object.keys(their), each.fullName);
      assert.equal(our.getTypeUrl(), their.getTypeUrl());
      for (let round = 0; round < casesPerMessage; round += 1) {
        const bytes: Uint8Array = each.encode(each.fromObject(random(each, 0))).finish();
        const ourMessage: object = our.decode(bytes);
        const theirMessage: object = their.decode(bytes);
        const json: string = JSON.stringify(theirMessage);
        assert.equal(JSON.stringify(ourMessage), json, each.fullName);
        assert.deepEqual(our.encode(ourMessage).finish(), their.encode(theirMessage).finish(), each.fullName);
        const [ourCopy, theirCopy] = [our.fromObject(JSON.parse(json)), their.fromObject(JSON.parse(json))];
        assert.deepEqual(our.encode(ourCopy).finish(), their.encode(theirCopy).finish(), each.fullName);
        const options = { longs: String, enums: String, bytes: String, defaults: true, oneofs: true };
        assert.equal(
          JSON.stringify(our.toObject(ourCopy, options)),
          JSON.stringify(their.toObject(theirCopy, options)),
          each.fullName,
        );
        cases += 1;
      }
    }
    assert.ok(cases > 1_500, `${cases} cases`);
  });
});

/** A plain object with about half of a type's fields. */
function random(type: protobuf.Type, depth: number): Record<string, unknown> {
  const fields = type.fieldsArray.filter(() => randomInt(0, 2) === 1);
  return Object.fromEntries(
    fields.flatMap((field): [string, unknown][] => {
      field.resolve();
      if (field.map) return [];
      if (field.resolvedType instanceof protobuf.Type && depth >= deepest) return [];
      const value = (): unknown => randomValue(field, depth);
      return [[field.name, field.repeated ? Array.from({ length: randomInt(0, 3) }, value) : value()]];
    }),
  );
}

function randomValue(field: protobuf.Field, depth: number): unknown {
  if (field.resolvedType instanceof protobuf.Type) return random(field.resolvedType, depth + 1);
  if (field.resolvedType instanceof protobuf.Enum) {
    const values = Object.values(field.resolvedType.values);
    return values[randomInt(0, values.length)];
  }
  switch (field.type) {
    case 'string':
      return randomBytes(randomInt(0, 12)).toString('base64');
    case 'bytes':
      return randomBytes(randomInt(0, 40));
    case 'bool':
      return randomInt(0, 2) === 1;
    case 'float':
    case 'double':
      return randomInt(0, 1000) / 4;
    case 'uint64':
    case 'int64':
    case 'sint64':
    case 'fixed64':
    case 'sfixed64':
      return randomInt(0, 2 ** 47);
    default:
      return randomInt(0, 2 ** 31 - 1);
  }
}
