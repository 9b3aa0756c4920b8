import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Validator } from '@seriousme/openapi-schema-validator';
import { openApiDocument } from '../../src/api/openapi.ts';

const document = openApiDocument({ version: '1.2.3', baseUrl: 'http://127.0.0.1:3451' });

describe('the OpenAPI document', () => {
  test('is valid OpenAPI 3.1 in the eyes of an independent validator', async () => {
    const validator = new Validator();
    const { valid, errors } = await validator.validate({ ...document });
    assert.deepEqual(errors ?? [], []);
    assert.equal(valid, true);
    assert.equal(validator.version, '3.1');
  });
});
