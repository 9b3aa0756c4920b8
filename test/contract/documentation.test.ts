import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { renderApi } from '../../src/api/docs/api-table.ts';
import { renderConfiguration, renderDotEnvExample } from '../../src/config-documentation.ts';
import { listVariables } from '../../src/config-table.ts';
import { readConfig } from '../../src/config.ts';
import { errorCatalogue } from '../../src/contract/errors.ts';
import { eventNames } from '../../src/contract/events.ts';
import { operationNames, operations } from '../../src/contract/index.ts';
import { renderEvents } from '../../src/event-documentation.ts';
import { root } from '../support/source-files.ts';

const fileOf = (name: string): string => readFileSync(join(root, name), 'utf8');

describe('the documentation of the configuration', () => {
  test('docs/configuration.md lists every variable as the gateway reads it (npm run docs renews it)', () => {
    const text = fileOf('docs/configuration.md');
    assert.equal(text, renderConfiguration(text));
    for (const { variable } of listVariables()) assert.ok(text.includes(`| \`${variable.name}\``), variable.name);
  });

  test('.env.example shows every variable as the gateway reads it (npm run docs renews it)', () => {
    assert.equal(fileOf('.env.example'), renderDotEnvExample());
  });

  test('.env.example can be taken as it is', () => {
    const dotEnvPath = join(root, '.env.example');
    assert.deepEqual(readConfig({}, { dotEnvPath }), readConfig({}, { dotEnvPath: null }));
  });

  test('every variable of the table is read', () => {
    // A value that no kind of variable accepts; a variable that is not read does not complain of it.
    const textVariables = new Set([
      'HOST',
      'POSTGRES_USER',
      'POSTGRES_PASSWORD',
      'POSTGRES_DB',
      'WHATSAPP_STORAGE_PATH',
    ]);
    for (const { variable } of listVariables()) {
      const { name } = variable;
      if (textVariables.has(name) || name.startsWith('POSTGRES_')) continue;
      assert.throws(() => readConfig({ [name]: '\u0001' }, { dotEnvPath: null }), new RegExp(name), name);
    }
  });

  test('every variable has a name of its own and a sentence', () => {
    const names = listVariables().flatMap(({ variable }) => [variable.name, ...variable.aliases]);
    assert.equal(new Set(names).size, names.length);
    for (const { variable } of listVariables()) {
      assert.match(variable.name, /^[A-Z][A-Z0-9_]+$/);
      assert.match(variable.sentence, /^[A-Z].*\.$/);
      if (variable.fallback !== null && variable.fallback !== '') variable.parse(variable.fallback);
    }
  });
});

describe('the documentation of webhooks', () => {
  test('lists every event as the contract has it (npm run docs renews it)', () => {
    const text = fileOf('docs/webhooks.md');
    assert.equal(text, renderEvents(text));
    for (const name of eventNames) assert.ok(text.includes(`\n\`${name}\` is emitted `), name);
  });
});

describe('the documentation of the API', () => {
  test('lists every route and every error as the contract has them (npm run docs renews it)', () => {
    const text = fileOf('docs/api.md');
    assert.equal(text, renderApi(text));
    for (const name of operationNames) {
      const { method, path } = operations[name];
      assert.ok(text.includes(`| \`${method} ${path}\``), name);
    }
    for (const code of Object.keys(errorCatalogue)) assert.ok(text.includes(`| \`${code}\` |`), code);
  });
});
