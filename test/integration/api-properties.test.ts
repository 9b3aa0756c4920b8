/** Whatever is wrong with a request, its sender is told which field it is, and the gateway is as it was. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import fc from 'fast-check';
import { operationNames, operations } from '../../src/contract/index.ts';
import type { Operation } from '../../src/contract/operation.ts';
import { at, type ApiAnswer } from '../support/api-client.ts';
import { startApi, type ApiUnderTest } from '../support/api-under-test.ts';
import { wrongParams } from '../support/arbitrary-params.ts';
import { operationRequest } from '../support/operation-request.ts';
import { propertyRuns, propertySeed } from '../support/property-runs.ts';

let api: ApiUnderTest;
before(async () => {
  api = await startApi();
  const created = await api.client.call('POST', '/api/v1/sessions', { body: { id: 'known', auto_connect: false } });
  assert.equal(created.status, 201, created.text);
});
after(() => api.close());

async function ask(operation: Operation, params: unknown): Promise<ApiAnswer> {
  const { method, path, raw } = operationRequest(operation, 'known', params);
  return api.client.call(method, path, raw === null ? {} : { raw, headers: { 'content-type': 'application/json' } });
}

const fieldsOf = (answer: ApiAnswer): readonly string[] => {
  const details = at(answer.json, 'error', 'details');
  return Array.isArray(details) ? details.map((detail: unknown) => String(at(detail, 'field'))) : [];
};

const isAbout = (named: string, field: string): boolean =>
  named === field || named.startsWith(`${field}.`) || named.startsWith(`${field}[`);

const seed = propertySeed();

describe(`a request with one thing wrong (PROPERTY_SEED=${seed})`, () => {
  for (const name of operationNames) {
    test(`to ${name} is refused with the field`, async () => {
      await fc.assert(
        fc.asyncProperty(wrongParams(name), async ({ params, field }) => {
          const answer = await ask(operations[name], params);
          const seen = `${JSON.stringify(params)?.slice(0, 500)} → ${answer.status} ${answer.text}`;
          assert.equal(answer.status, 400, seen);
          const type = String(at(answer.json, 'error', 'type'));
          // The parser itself refuses keys that change what an object is.
          assert.ok(type === 'invalid_request' || (field === null && type === 'invalid_json'), seen);
          const named = fieldsOf(answer);
          assert.ok(named.length > 0, seen);
          if (field !== null)
            assert.ok(
              named.some((each) => isAbout(each, field.slice(0, 200))),
              `${field}: ${seen}`,
            );
        }),
        { seed, numRuns: propertyRuns(10) },
      );
    });
  }

  test('leaves nothing behind', async () => {
    assert.equal(Reflect.get({}, 'isAdmin'), undefined);
    assert.deepEqual(Object.keys(Object.prototype), []);
    const sessions = await api.client.call('GET', '/api/v1/sessions');
    assert.equal(at(sessions.json, 'total'), 1, sessions.text);
    assert.equal(api.supervisor.sent.length, 0);
  });
});
