import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Validator } from '@seriousme/openapi-schema-validator';
import { openApiDocument } from '../../src/api/openapi.ts';
import { at } from '../support/api-client.ts';

const probes = new Set(['/health', '/livez', '/readyz']);
const document = openApiDocument({ version: '1.2.3', baseUrl: 'http://127.0.0.1:3451' });

describe('the OpenAPI document', () => {
  test('is valid OpenAPI 3.1 in the eyes of an independent validator', async () => {
    const validator = new Validator();
    const { valid, errors } = await validator.validate({ ...document });
    assert.deepEqual(errors ?? [], []);
    assert.equal(valid, true);
    assert.equal(validator.version, '3.1');
  });

  test('says of every operation that it is limited, and how a client is told', () => {
    const served = Object.entries(document.paths ?? {}).filter(([path]) => !probes.has(path));
    assert.ok(served.length > 90);
    for (const [path, methods] of served) {
      for (const [method, operation] of Object.entries(methods)) {
        const answer: unknown = at(operation, 'responses', '429');
        assert.ok(at(answer, 'content', 'application/json', 'examples', 'rate_limited'), `${method} ${path}`);
        assert.ok(at(answer, 'content', 'application/json', 'examples', 'too_many_attempts'), `${method} ${path}`);
        assert.deepEqual(
          ['Retry-After', 'RateLimit-Policy', 'RateLimit'].filter(
            (field) => at(answer, 'headers', field) === undefined,
          ),
          [],
          `${method} ${path}`,
        );
      }
    }
  });
});
