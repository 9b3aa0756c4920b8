import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Agent, EventSource } from 'undici';
import { at } from '../support/api-client.ts';
import { eventually } from '../support/eventually.ts';
import { token, untilConnected } from '../support/gateway.ts';
import { PairedGateway } from '../support/paired-gateway.ts';
import { root } from '../support/source-files.ts';
import { SseClient } from '../support/sse-client.ts';

const contact = '15551234567';

/** An EventSource as programs use it; it is somebody else's, and reconnects by itself. */
class Listener {
  readonly source: EventSource;
  readonly received: { readonly id: string; readonly data: unknown }[] = [];
  readonly #agent = new Agent();
  opened = 0;

  constructor(url: string, names: readonly string[]) {
    // An EventSource cannot set headers; what carries its requests can.
    const dispatcher = this.#agent.compose(
      (dispatch) => (options, handler) => dispatch({ ...options, headers: withToken(options.headers) }, handler),
    );
    this.source = new EventSource(url, { node: { dispatcher } });
    this.source.addEventListener('open', () => (this.opened += 1));
    for (const name of names) {
      this.source.addEventListener(name, (event) => {
        if (!('data' in event) || !('lastEventId' in event)) return;
        this.received.push({ id: String(event.lastEventId), data: JSON.parse(String(event.data)) });
      });
    }
  }

  bodies(): readonly string[] {
    return this.received
      .filter(({ data }) => at(data, 'event') === 'message')
      .map(({ data }) => String(at(data, 'data', 'body')));
  }

  named(name: string): readonly unknown[] {
    return this.received.filter(({ data }) => at(data, 'event') === name).map(({ data }) => data);
  }

  async close(): Promise<void> {
    this.source.close();
    await this.#agent.destroy();
  }
}

function withToken(headers: unknown): Record<string, string> {
  const pairs = typeof headers === 'object' && headers !== null ? Object.entries(headers) : [];
  return {
    ...Object.fromEntries(pairs.map(([name, value]) => [name, String(value)])),
    authorization: `Bearer ${token}`,
  };
}

describe('listening to a session', () => {
  let paired: PairedGateway;
  let listener: Listener;

  before(async () => {
    paired = await PairedGateway.start();
    await paired.contact(contact);
  });
  after(async () => {
    await listener.close();
    await paired.dispose();
  });

  function assertNothingTwice(): void {
    const sequences = listener.received.map(({ data }) => Number(at(data, 'sequence')));
    const inOrder = [...new Set(sequences)].toSorted((a, b) => a - b);
    assert.deepEqual(sequences, inOrder);
  }

  const write = (text: string) => paired.ask('/sandbox/messages', { from: contact, text });

  test('messages that come in and go out are told as they happen, as webhooks are told of them', async () => {
    const url = `${paired.gateway.baseUrl}/api/v1/sessions/support/events`;
    listener = new Listener(url, ['message', 'message_sent', 'session_status']);
    await eventually(() => listener.opened > 0);
    await write('hello');
    await paired.ask('/messages/text', { to: contact, text: 'welcome' });
    await eventually(() => listener.bodies().includes('hello') && listener.named('message_sent').length > 0);
    const told = await paired.event('message', (data) => at(data, 'body') === 'hello');
    assert.deepEqual(at(listener.named('message')[0], 'data'), told);
  });

  test('nothing is missed and nothing told twice when the gateway is killed and comes back', async () => {
    const { gateway } = paired;
    const before = listener.bodies().length;
    await write('before');
    await eventually(() => listener.bodies().length === before + 1);
    await gateway.kill();
    await gateway.boot();
    await untilConnected(gateway, 'support');
    // Written while the listener may not be back yet.
    const texts = Array.from({ length: 20 }, (_, index) => `after ${index}`);
    for (const text of texts) await write(text);
    await eventually(
      () => listener.bodies().length >= before + 1 + texts.length,
      30_000,
      () => ({ bodies: listener.bodies(), state: listener.source.readyState, opened: listener.opened }),
    );
    // In which order messages that come in together are recorded is the session's business.
    assert.deepEqual(listener.bodies().slice(before).toSorted(), ['before', ...texts].toSorted());
    assert.equal(listener.opened >= 2, true);
    assertNothingTwice();
  });

  test('the programs in docs/streams.md listen as they are pasted', async () => {
    const examples = [...readFileSync(join(root, 'docs/streams.md'), 'utf8').matchAll(/^```js\n([\s\S]*?)^```/gm)];
    assert.equal(examples.length, 2);
    // Only what depends on this test's port is replaced, and the page that a browser would bring.
    const { baseUrl } = paired.gateway;
    const [node = '', browser = ''] = examples.map(([, code = '']) =>
      code.replace('http://127.0.0.1:3451', baseUrl).replace("fetch('/", `fetch('${baseUrl}/`),
    );
    const page = "void listen(process.env.TOKEN, ({ event, data }) => console.log(event, data.body ?? ''));";
    for (const code of [node, `${browser}\n${page}`]) {
      const program = spawn(process.execPath, ['--input-type=module', '--eval', code], {
        cwd: root,
        env: { TOKEN: token },
      });
      try {
        let output = '';
        program.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
        program.stderr.setEncoding('utf8').on('data', (text: string) => (output += text));
        await eventually(
          async () => {
            await write('for the example');
            return output.includes('for the example');
          },
          15_000,
          () => output,
        );
      } finally {
        program.kill('SIGKILL');
      }
    }
  });

  test('a stop in order ends streams at once and is not held up by them', async () => {
    const { gateway } = paired;
    const client = await SseClient.open(`${gateway.baseUrl}/api/v1/events`, { token });
    await eventually(() => client.lastId !== '');
    const reader = { ended: client.untilEnded(), exit: gateway.stop() };
    await reader.ended;
    assert.match(client.comments.at(-1) ?? '', /stops/);
    assert.equal(await reader.exit, 0);
    await gateway.boot();
    await untilConnected(gateway, 'support');
    await write('after the stop');
    await eventually(() => listener.bodies().includes('after the stop'), 30_000);
    assertNothingTwice();
  });
});
