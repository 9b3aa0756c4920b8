import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { at } from '../support/api-client.ts';
import { eventually } from '../support/eventually.ts';
import { GatewayUnderTest, untilConnected } from '../support/gateway.ts';
import { startSimulator, type SimulatorProcess } from '../support/simulator.ts';

describe('an ordinary session', () => {
  let server: SimulatorProcess;
  let gateway: GatewayUnderTest;

  before(async () => {
    server = await startSimulator();
    gateway = await GatewayUnderTest.start({
      env: { WHATSAPP_URL: server.wsUrl, WHATSAPP_ROOT_KEY: server.rootKeyHex },
    });
  });

  after(async () => {
    await gateway.dispose();
    await server.stop();
  });

  test("works with a WhatsApp server of the operator's own, of which the gateway knows only the address", async () => {
    await gateway.must(201, '/sessions', { id: 'ordinary' });
    const code = await gateway.get('/sessions/ordinary/qr?wait=20');
    const paired = await server.api('POST', '/phones/scan', { qr: at(code.json, 'qr'), phone: '15550030001' });
    assert.equal(paired.status, 200);
    await untilConnected(gateway, 'ordinary');
    assert.equal((await server.api('POST', '/contacts', { phone: '15551112222' })).status, 201);
    await gateway.must(200, '/sessions/ordinary/messages/text', { to: '15551112222', text: 'Over the wire' });
    const received = await eventually(async () => {
      const { body } = await server.api('GET', '/accounts/15550030001/inbox?contact=15551112222');
      return at(body, 'messages', 0, 'text') === 'Over the wire';
    }, 15_000);
    assert.ok(received);
  });

  test('is no sandbox', async () => {
    const answer = await gateway.post('/sessions/ordinary/sandbox/scan');
    assert.equal(answer.status, 409);
    assert.equal(at(answer.json, 'error', 'type'), 'not_a_sandbox_session');
  });
});
