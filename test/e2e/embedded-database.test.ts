import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { at } from '../support/api-client.ts';
import { eventually } from '../support/eventually.ts';
import { GatewayUnderTest, inbox, pairedSession, untilConnected } from '../support/gateway.ts';

describe('a gateway without a database of its own', () => {
  let gateway: GatewayUnderTest;

  before(async () => {
    gateway = await GatewayUnderTest.start({ database: null });
  });

  after(() => gateway.dispose());

  test('starts one, keeps its sessions in it, and finds them again after a crash', async () => {
    await pairedSession(gateway, 'kept', { phone: '15550040001' });
    await gateway.must(201, '/sessions/kept/sandbox/contacts', { phone: '15551234567' });
    await gateway.must(200, '/sessions/kept/messages/text', { to: '15551234567', text: 'before the crash' });
    await gateway.kill();
    await gateway.boot();
    await untilConnected(gateway, 'kept');
    await gateway.must(200, '/sessions/kept/messages/text', { to: '15551234567', text: 'after the crash' });
    const texts = await eventually(async () => {
      const found = (await inbox(gateway, 'kept', '15551234567')).map((each) => at(each, 'text'));
      return found.length >= 2 ? found : null;
    });
    assert.deepEqual(texts, ['before the crash', 'after the crash']);
    assert.match(gateway.output, /embedded/i);
  });
});
