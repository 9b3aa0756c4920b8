import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { createUploadSlots } from '../../src/api/limits/upload-slots.ts';
import { createRequestLimits } from '../../src/api/middleware/limit-requests.ts';
import { publicRoutes } from '../../src/api/public-routes.ts';
import { createOperationRunner } from '../../src/api/rest/operation-runner.ts';
import { apiPrefix, operationRoutes } from '../../src/api/rest/routes.ts';
import { operationNames, operations } from '../../src/contract/index.ts';
import { errorCatalogue } from '../../src/contract/errors.ts';
import { at, keysOf } from '../support/api-client.ts';
import { noLimits, startApi, testToken, type ApiUnderTest } from '../support/api-under-test.ts';

let api: ApiUnderTest;
before(async () => {
  api = await startApi();
});
after(() => api.close());

const verbs = ['get', 'post', 'patch', 'delete', 'put'];

async function documented(): Promise<{ readonly json: unknown; readonly routes: ReadonlySet<string> }> {
  const { json, status } = await api.client.call('GET', '/api-docs/openapi.json', { token: null });
  assert.equal(status, 200);
  const routes = new Set<string>();
  for (const path of keysOf(at(json, 'paths'))) {
    const item = at(json, 'paths', path);
    const base = at(item, 'servers', 0, 'url') === '/' ? '' : apiPrefix;
    for (const verb of verbs) if (at(item, verb) !== undefined) routes.add(`${verb.toUpperCase()} ${base}${path}`);
  }
  return { json, routes };
}

describe('the OpenAPI document', () => {
  test('describes every route that is served, and no other', async () => {
    const served = new Set<string>();
    // Pages for people and the document itself are not part of the API.
    const pages = new Set([
      '/',
      '/assets/:file',
      '/assets/js/:file',
      '/api-docs/openapi.json',
      '/swagger-ui',
      '/swagger-ui/assets/5/:file',
    ]);
    for (const router of [
      operationRoutes(api.dependencies, {
        run: createOperationRunner(api.dependencies),
        limits: createRequestLimits(noLimits, api.dependencies.clock),
        uploads: createUploadSlots(noLimits.uploads),
      }),
      publicRoutes(api.dependencies.settings),
    ]) {
      for (const { path, methods } of router.stack) {
        if (pages.has(String(path))) continue;
        for (const method of methods) {
          if (method !== 'HEAD') served.add(`${method} ${String(path).replace(/:(\w+)/g, '{$1}')}`);
        }
      }
    }
    // The probes are answered before everything else, also while there is no application yet.
    for (const probe of ['/livez', '/readyz']) served.add(`GET ${probe}`);
    const { routes } = await documented();
    assert.deepEqual([...routes].toSorted(), [...served].toSorted());
    assert.ok(served.size >= operationNames.length);
  });

  test('gives every operation its parameters, an example that is valid, its errors and a curl command', async () => {
    const { json } = await documented();
    assert.equal(at(json, 'openapi'), '3.1.1');
    for (const name of operationNames) {
      const operation = operations[name];
      const path = operation.path.replace(/:(\w+)/g, '{$1}');
      const described = at(json, 'paths', path, operation.method.toLowerCase());
      assert.equal(at(described, 'operationId'), name);
      const responses = at(described, 'responses');
      for (const code of operation.errors) {
        const { status } = errorCatalogue[code];
        const example = at(
          responses,
          status,
          'content',
          'application/json',
          'examples',
          code,
          'value',
          'error',
          'type',
        );
        assert.equal(example, code, `${name} ${code}`);
      }
      for (const status of [400, 401, 500]) assert.notEqual(at(responses, status), undefined, `${name} ${status}`);
      const content = at(responses, operation.status, 'content');
      if ('answersFile' in operation) assert.notEqual(at(content, 'application/octet-stream'), undefined, name);
      else if (operation.runs === 'stream') {
        const data = /^data: (.*)$/m.exec(String(at(content, 'text/event-stream', 'example')))?.[1];
        assert.deepEqual(JSON.parse(data ?? ''), operation.example.result, name);
      } else assert.deepEqual(at(content, 'application/json', 'example'), operation.example.result);
      assert.match(
        String(at(described, 'x-codeSamples', 0, 'source')),
        /^curl -X [A-Z]+ 'https:\/\/warden\.example\/api\/v1\//,
      );
      assert.ok(operation.params.safeParse(operation.example.params).success, `${name}: example params`);
      assert.ok(operation.result.safeParse(operation.example.result).success, `${name}: example result`);
      const params = at(described, 'parameters');
      const inPath = Array.isArray(params) ? params.filter((each: unknown) => at(each, 'in') === 'path') : [];
      assert.equal(inPath.length, [...operation.path.matchAll(/:/g)].length, name);
    }
  });

  test('refers to nothing that it does not hold', async () => {
    const { json } = await documented();
    const references = JSON.stringify(json).matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g);
    for (const [, name = ''] of references) assert.notEqual(at(json, 'components', 'schemas', name), undefined, name);
  });

  test('holds a curl command that works as pasted', async () => {
    const { json } = await documented();
    const source = String(at(json, 'paths', '/sessions', 'post', 'x-codeSamples', 0, 'source'));
    const body = /-d '(.*)'$/s.exec(source)?.[1];
    const answer = await api.client.call('POST', '/api/v1/sessions', {
      raw: body ?? '',
      headers: { 'content-type': 'application/json' },
    });
    assert.equal(answer.status, 201, answer.text);
  });
});

describe('the pages for people', () => {
  test('need no token, and hold none', async () => {
    for (const path of ['/dashboard/login', '/swagger-ui', '/api-docs/openapi.json']) {
      const page = await api.client.call('GET', path, { token: null });
      assert.equal(page.status, 200, path);
      assert.ok(!page.text.includes(testToken));
    }
    const root = await api.client.call('GET', '/', { token: null });
    assert.equal(root.status, 302);
    assert.equal(root.headers['location'], '/dashboard');
    const health = await api.client.call('GET', '/health', { token: null });
    assert.equal(health.text, 'OK');
    assert.match(health.headers['content-type'] ?? '', /^text\/plain/);
  });

  test('load everything from this host, and everything they ask for is there', async () => {
    for (const path of ['/dashboard/login', '/swagger-ui']) {
      const { text } = await api.client.call('GET', path, { token: null });
      const links = [...text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, link = '']) => link);
      assert.ok(links.length >= 3, path);
      for (const link of links) {
        assert.match(link, /^\/(?!\/)/, `${path} loads ${link}`);
        const asset = await api.client.call('GET', link, { token: null });
        assert.equal(asset.status, 200, link);
      }
    }
  });

  test('run no script but their own', async () => {
    const login = await api.client.call('GET', '/dashboard/login', { token: null });
    assert.doesNotMatch(login.text, /<script|<style|style=|onclick/);
    const swagger = await api.client.call('GET', '/swagger-ui', { token: null });
    const nonce = /'nonce-([^']+)'/.exec(swagger.headers['content-security-policy'] ?? '')?.[1] ?? '';
    assert.ok(nonce.length >= 20);
    const scripts = swagger.text.match(/<script/g) ?? [];
    assert.ok(scripts.length > 0);
    assert.equal(swagger.text.split(`<script nonce="${nonce}"`).length - 1, scripts.length);
    const again = await api.client.call('GET', '/swagger-ui', { token: null });
    assert.ok(!again.text.includes(nonce));
  });

  test('are not sent again to a browser that has their parts already', async () => {
    const first = await api.client.call('GET', '/assets/base.css', { token: null });
    assert.match(first.headers['content-type'] ?? '', /^text\/css/);
    const headers = { 'if-none-match': first.headers['etag'] ?? '' };
    const second = await api.client.call('GET', '/assets/base.css', { token: null, headers });
    assert.equal(second.status, 304);
  });
});
