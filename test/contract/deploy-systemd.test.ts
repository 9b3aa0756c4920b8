import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { longestStopMs } from '../../src/stop-budget.ts';
import {
  configurationOf,
  defaults,
  descriptorsPerChild,
  readText,
  sessionsThatFit,
  stages,
  threadsPerChild,
  unknownVariables,
  wordsOf,
} from '../support/deployment.ts';
import { root } from '../support/source-files.ts';

const text = readText('deploy/warden.service');
const settings = new Map(
  text
    .split('\n')
    .filter((line) => /^[A-Z]\w+=/.test(line))
    .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
);
const valueOf = (name: string): string => settings.get(name) ?? '';

describe('deploy/warden.service', () => {
  test('is a unit in the eyes of systemd, where that is installed', () => {
    const folder = mkdtempSync(join(tmpdir(), 'warden-unit-'));
    try {
      const path = join(folder, 'warden.service');
      // The files that it names are those of this clone, whatever stands in its path.
      const clone = join(folder, 'clone');
      symlinkSync(root, clone);
      writeFileSync(path, text.replaceAll('/opt/warden', clone));
      const { error, status, stdout, stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', path], {
        encoding: 'utf8',
      });
      if (error !== undefined && 'code' in error && error.code === 'ENOENT') return;
      assert.deepEqual([`${stdout}${stderr}`, status], ['', 0]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test('starts the gateway as the image does', () => {
    const image = stages().at(-1);
    assert.ok(image !== undefined);
    const [, ...args] = valueOf('ExecStart').split(' ');
    assert.deepEqual(args, wordsOf(image, 'CMD').slice(1));
    assert.equal(valueOf('WorkingDirectory'), '/opt/warden');
  });

  test('sets variables that the gateway reads, and keeps its files where systemd lets it write', () => {
    const environment: Record<string, string> = {};
    for (const pair of valueOf('Environment').split(' ')) {
      const [name = '', value = ''] = pair.split('=', 2);
      environment[name] = value;
    }
    assert.deepEqual(unknownVariables(Object.keys(environment)), []);
    assert.equal(configurationOf(environment).storagePath, `/var/lib/${valueOf('StateDirectory')}`);
    assert.equal(valueOf('ProtectSystem'), 'strict');
  });

  test('lets the gateway end by itself', () => {
    assert.ok(Number(valueOf('TimeoutStopSec')) * 1_000 > longestStopMs(defaults));
    assert.equal(valueOf('KillMode'), 'mixed');
  });

  test('does not repeat a start that cannot succeed', () => {
    const exitOfBadConfiguration = /ConfigError\)[\s\S]*?process\.exit\((\d+)\)/.exec(readText('src/main.ts'))?.[1];
    assert.equal(valueOf('RestartPreventExitStatus'), exitOfBadConfiguration);
  });

  test('tells how many sessions its memory admits, and has processes and descriptors for twice as many', () => {
    const sessions = sessionsThatFit(Number.parseInt(valueOf('MemoryMax'), 10) * 1024, defaults);
    const [, told, capMb] = /(\d+) sessions of (\d+) MB/.exec(text) ?? [];
    assert.deepEqual([Number(told), Number(capMb)], [sessions, defaults.sessionMemoryMb]);
    assert.ok(Number(valueOf('TasksMax')) >= 2 * sessions * threadsPerChild);
    assert.ok(Number(valueOf('LimitNOFILE')) >= 2 * sessions * descriptorsPerChild + 2_000);
  });
});
