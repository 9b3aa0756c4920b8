import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { at } from '../support/api-client.ts';
import { eventually } from '../support/eventually.ts';
import { GatewayUnderTest, token } from '../support/gateway.ts';
import { startHttpReceiver, type HttpReceiver } from '../support/http-receiver.ts';
import { runShell } from '../support/shell.ts';

const documentAt = (path: string): string => fileURLToPath(new URL(`../../../${path}`, import.meta.url));

describe('the README', () => {
  let gateway: GatewayUnderTest;
  let receiver: HttpReceiver;

  before(async () => {
    gateway = await GatewayUnderTest.start();
    receiver = await startHttpReceiver();
  });

  after(async () => {
    await gateway.dispose();
    await receiver.close();
  });

  test('has a tour that works as it is pasted', async () => {
    const text = await readFile(documentAt('README.md'), 'utf8');
    const tour = /<!-- tour:begin -->\s*```sh\n([\s\S]*?)```\s*<!-- tour:end -->/.exec(text)?.[1];
    assert.ok(tour !== undefined, 'the README has a tour');
    // Only what depends on this test's own ports and token is replaced.
    const receiverLine = /^node -e .*\n/m;
    assert.match(tour, receiverLine);
    const script = tour
      .replace(receiverLine, '')
      .replace('$(cat whatsapp_sessions/secrets/superadmin-token)', token)
      .replaceAll('http://127.0.0.1:3451', gateway.baseUrl)
      .replaceAll('http://127.0.0.1:3999/', receiver.url);
    const stdout = await runShell(script);
    assert.doesNotMatch(stdout, /"success":false/, stdout);
    assert.match(stdout, /"text":"Hello from Warden"/);
    const bodies = (): unknown[] => receiver.requests.map(({ json }) => at(json, 'data', 'body'));
    await eventually(() => bodies().includes('Hello back'), 10_000, bodies);
    const events = (): unknown[] => receiver.requests.map(({ json }) => at(json, 'data', 'status'));
    await eventually(() => events().includes('read'), 10_000, events);
  });

  test('leads to the page on the sandbox, whose example plays a customer as it is pasted', async () => {
    const text = await readFile(documentAt('docs/sandbox.md'), 'utf8');
    const example = /```sh\nnpm start &\n([\s\S]*?)```/.exec(text)?.[1];
    assert.ok(example !== undefined, 'the page has an example');
    const script = example
      .replace('$(cat whatsapp_sessions/secrets/superadmin-token)', token)
      .replaceAll('http://127.0.0.1:3451', gateway.baseUrl)
      .replaceAll('http://127.0.0.1:8000/whatsapp', receiver.url);
    const stdout = await runShell(script);
    assert.doesNotMatch(stdout, /"success":false/, stdout);
    const questions = (): unknown[] => receiver.requests.map(({ json }) => at(json, 'data', 'body'));
    await eventually(() => questions().includes('What are your opening hours?'), 10_000, questions);
  });
});
