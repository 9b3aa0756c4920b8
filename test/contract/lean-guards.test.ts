import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { loadLeanBuild, type LeanBuild } from '../support/lean-build.ts';

describe('the build of the lean child', () => {
  let folder = '';
  let lean: LeanBuild | null = null;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'warden-lean-'));
    lean = await loadLeanBuild();
  });

  after(() => rmSync(folder, { recursive: true, force: true }));

  /** Builds with one file of the library changed. */
  function buildWith(file: string, change: (source: string) => string): Promise<unknown> {
    const readSource = (path: string): string => {
      const source = readFileSync(path, 'utf8');
      if (!path.endsWith(file)) return source;
      const changed = change(source);
      assert.notEqual(changed, source, 'the test changes the file');
      return changed;
    };
    assert.ok(lean !== null);
    return lean.buildLeanChild({ folder, readSource });
  }

  const changes: readonly (readonly [string, string, (source: string) => string])[] = [
    [
      'verifies signatures by itself',
      'lib/Utils/crypto.js',
      (text) => text.replace('return true;', 'return verified;'),
    ],
    [
      'checks certificates in another way',
      'lib/Utils/noise-handler.js',
      (text) =>
        text
          .replace('if (!verifyIntermediate)', 'if (!verifyIntermediate && strict)')
          .replace('noise intermediate', 'the'),
    ],
    [
      'takes the issuer from elsewhere',
      'lib/Utils/noise-handler.js',
      (text) => text.replace('const { issuerSerial } = details;', 'const issuerSerial = details.issuerSerial;'),
    ],
    [
      'checks the account signature in another way',
      'lib/Utils/validate-connection.js',
      (text) => text.replace('if (!Curve.verify(accountSignatureKey', 'if (!(await Curve).verify(accountSignatureKey'),
    ],
    ['verifies pre-keys by itself', 'libsignal/src/curve.js', (text) => text.replace('isInit ? true :', 'isInit ||')],
    [
      'starts sessions in another way',
      'libsignal/src/session_builder.js',
      (text) => text.replace('device.signedPreKey.signature, true);', 'device.signedPreKey.signature);'),
    ],
    [
      'tries sessions in another way',
      'libsignal/src/session_cipher.js',
      (text) => text.replace('session.indexInfo.used = Date.now();', 'session.indexInfo.used = now;'),
    ],
    [
      'limits time in another way',
      'lib/Utils/generics.js',
      (text) => text.replace('promise(resolve, reject);', 'void promise(resolve, reject);'),
    ],
    [
      'generates a class in another form',
      'WAProto/index.js',
      (text) => text.replace('ADVKeyIndexList = (function() {', 'ADVKeyIndexList = (() => {'),
    ],
    [
      'declares something new beside the classes',
      'WAProto/index.js',
      (text) => text.replace('const $root', 'const $extra = 1; const $root'),
    ],
  ];
  for (const [words, file, change] of changes) {
    test(`fails with a sentence when the library ${words}`, async () => {
      await assert.rejects(buildWith(file, change), (error: Error) => {
        assert.equal(error.name, 'UnexpectedShape');
        assert.match(error.message, /does not have the shape that the lean child's build expects: .+\. The library/s);
        assert.match(error.message, new RegExp(file.split('/').at(-1) ?? ''));
        return true;
      });
    });
  }

  test('does not take a step that it does not know', async () => {
    assert.ok(lean !== null);
    await assert.rejects(lean.buildLeanChild({ folder, without: ['magic'] }), /no step magic/);
  });
});
