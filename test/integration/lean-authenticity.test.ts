import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { at } from '../support/api-client.ts';
import { eventually } from '../support/eventually.ts';
import { startForgingServer, type ForgedChain, type ForgingServer } from '../support/forging-server.ts';
import { GatewayUnderTest } from '../support/gateway.ts';

describe('a server that is not WhatsApp', () => {
  let server: ForgingServer;
  let gateway: GatewayUnderTest;

  before(async () => {
    server = await startForgingServer();
    gateway = await GatewayUnderTest.start({
      env: { WHATSAPP_URL: server.wsUrl, WHATSAPP_ROOT_KEY: server.rootKeyHex },
    });
  });

  after(async () => {
    await gateway.dispose();
    await server.close();
  });

  /** Waits until the session gives this reason, and answers it. */
  async function untilReason(id: string, reason: RegExp): Promise<unknown> {
    let last: unknown = null;
    return eventually(
      async () => {
        last = (await gateway.get(`/sessions/${id}`)).json;
        return reason.test(String(at(last, 'status_reason'))) ? last : null;
      },
      20_000,
      () => last,
    );
  }

  async function scanned(id: string, signer: 'account' | 'stranger'): Promise<void> {
    server.forge('none');
    await gateway.must(201, '/sessions', { id });
    const code = await gateway.get(`/sessions/${id}/qr?wait=20`);
    server.scan(String(at(code.json, 'qr')), signer);
  }

  const forgeries: readonly (readonly [ForgedChain, string])[] = [
    ['strange_root', 'whose chain begins at another root'],
    ['strange_intermediate', 'whose leaf was signed by a stranger'],
    ['key_of_another_server', 'that shows the certificate of another server'],
    ['other_issuer', 'whose leaf names another issuer'],
  ];
  for (const [forged, words] of forgeries) {
    test(`${words} learns nothing, and the session says why it is not connected`, async () => {
      const id = forged.replaceAll('_', '-');
      const before = { connections: server.connections, logins: server.logins };
      server.forge(forged);
      await gateway.must(201, '/sessions', { id });
      const session = await untilReason(id, /could not prove that it is WhatsApp/);
      assert.equal(at(session, 'is_logged_in'), false);
      assert.equal(server.connections, before.connections + 1);
      assert.equal(server.logins, before.logins);
      await gateway.delete(`/sessions/${id}`);
    });
  }

  test('with a genuine chain is talked to, and a device identity that the account has signed is accepted', async () => {
    await scanned('genuine', 'account');
    await eventually(() => server.signed === 1, 10_000);
    await gateway.delete('/sessions/genuine?force=true');
  });

  test('cannot pair the session with an identity that a stranger has signed', async () => {
    const { signed } = server;
    await scanned('stolen', 'stranger');
    const session = await untilReason('stolen', /not signed by the phone/);
    assert.equal(at(session, 'is_logged_in'), false);
    assert.equal(server.signed, signed);
  });
});
