import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { at } from '../support/api-client.ts';
import { eventually } from '../support/eventually.ts';
import { GatewayUnderTest, requireCleanOracle, untilConnected, untilStatus } from '../support/gateway.ts';
import { startHttpReceiver, type HttpReceiver } from '../support/http-receiver.ts';

describe('pairing', () => {
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

  const events = (session: string): unknown[] =>
    receiver.requests.filter(({ json }) => at(json, 'session_id') === session).map(({ json }) => at(json, 'event'));

  test('by QR code: the code is shown as text and picture, and scanning it connects the session', async () => {
    await gateway.must(201, '/sessions', { id: 'by-qr', sandbox: true, webhook: { url: receiver.url } });
    const code = await gateway.get('/sessions/by-qr/qr?wait=20');
    assert.equal(code.status, 200, code.text);
    assert.match(String(at(code.json, 'qr')), /^https:\/\/wa\.me\/settings\/linked_devices#/);
    assert.match(String(at(code.json, 'qr_image')), /^data:image\/png;base64,iVBOR/);
    assert.equal(at(code.json, 'status'), 'waiting_for_qr');
    assert.ok(Number(at(code.json, 'timeout_seconds')) > 0);
    for (const type of ['image/png', 'image/svg+xml']) {
      const picture = await gateway.api.call('GET', '/api/v1/sessions/by-qr/qr', { headers: { accept: type } });
      assert.equal(picture.status, 200);
      assert.equal(picture.headers['content-type']?.split(';')[0], type);
    }

    const paired = await gateway.must(200, '/sessions/by-qr/sandbox/scan', { phone: '+1 555 000 2222' });
    assert.equal(at(paired, 'phone_number'), '15550002222');
    const session = await untilConnected(gateway, 'by-qr');
    assert.equal(at(session, 'is_logged_in'), true);
    assert.equal(at(session, 'phone_number'), '15550002222');
    const device = await gateway.get('/sessions/by-qr/device');
    assert.equal(at(device.json, 'jid'), '15550002222@s.whatsapp.net');
    assert.match(String(at(device.json, 'lid')), /^\d+@lid$/);
    assert.ok(Number(at(device.json, 'device_id')) > 0);
    await eventually(
      () => events('by-qr').includes('connected') && events('by-qr').includes('qr_code'),
      10_000,
      () => events('by-qr'),
    );

    const after = await gateway.get('/sessions/by-qr/qr');
    assert.equal(after.status, 409);
    assert.equal(at(after.json, 'error', 'type'), 'already_paired');
    const connect = await gateway.post('/sessions/by-qr/connect');
    assert.equal(connect.status, 409);
    assert.equal(at(connect.json, 'error', 'type'), 'already_connected');
    await requireCleanOracle(gateway, 'by-qr');
  });

  test('by pair code: the code is typed into the phone, a wrong one is refused', async () => {
    await gateway.must(201, '/sessions', {
      id: 'by-code',
      sandbox: true,
      webhook: { url: receiver.url },
      auto_connect: false,
    });
    const offer = await gateway.must(200, '/sessions/by-code/pair', { phone: '+1 (555) 000-3333' });
    assert.match(String(at(offer, 'code')), /^[1-9A-Z]{4}-[1-9A-Z]{4}$/);
    assert.equal(at(offer, 'phone'), '15550003333');
    assert.equal(at(offer, 'status'), 'waiting_for_pair_code');
    const wrong = await gateway.post('/sessions/by-code/sandbox/enter-code', { code: 'WWWW-WWWW' });
    assert.equal(wrong.status, 422);
    assert.equal(at(wrong.json, 'error', 'type'), 'wrong_pair_code');
    const paired = await gateway.must(200, '/sessions/by-code/sandbox/enter-code', { code: at(offer, 'code') });
    assert.equal(at(paired, 'phone_number'), '15550003333');
    await untilConnected(gateway, 'by-code');
    await eventually(
      () => events('by-code').includes('pair_code'),
      10_000,
      () => events('by-code'),
    );
  });

  test("by a pair code of one's own choice, at the alias route", async () => {
    await gateway.must(201, '/sessions', { id: 'by-own-code', sandbox: true });
    const offer = await gateway.must(200, '/sessions/by-own-code/pair-code', {
      phone_number: '15550004444',
      custom_code: 'WARDEN12',
    });
    assert.equal(at(offer, 'code'), 'WARD-EN12');
    await gateway.must(200, '/sessions/by-own-code/sandbox/enter-code', { code: 'WARD-EN12' });
    await untilConnected(gateway, 'by-own-code');
  });

  test('an interrupted pair code does not spoil the next attempt', async () => {
    await gateway.must(201, '/sessions', { id: 'interrupted', sandbox: true });
    await gateway.must(200, '/sessions/interrupted/pair', { phone: '15550005555' });
    await gateway.must(200, '/sessions/interrupted/restart');
    await untilStatus(gateway, 'interrupted', 'waiting_for_qr');
    await gateway.must(200, '/sessions/interrupted/sandbox/scan', { phone: '15550005555' });
    await untilConnected(gateway, 'interrupted');
  });

  test('a session that was logged out on the phone says so and can be paired again', async () => {
    await gateway.must(201, '/sessions', { id: 'unlinked', sandbox: true, webhook: { url: receiver.url } });
    await gateway.must(200, '/sessions/unlinked/sandbox/scan', { phone: '15550006666' });
    await untilConnected(gateway, 'unlinked');
    await gateway.must(200, '/sessions/unlinked/sandbox/faults', { fault: 'logout' });
    const session = await untilStatus(gateway, 'unlinked', 'logged_out');
    assert.equal(at(session, 'is_logged_in'), false);
    assert.match(String(at(session, 'status_reason')), /pair again/);
    await eventually(
      () => events('unlinked').includes('logged_out'),
      10_000,
      () => events('unlinked'),
    );
    await gateway.must(200, '/sessions/unlinked/connect');
    await gateway.must(200, '/sessions/unlinked/sandbox/scan', { phone: '15550006666' });
    await untilConnected(gateway, 'unlinked');
  });

  test('logging out by API unlinks the device at WhatsApp', async () => {
    await gateway.must(201, '/sessions', { id: 'leaving', sandbox: true });
    await gateway.must(200, '/sessions/leaving/sandbox/scan', { phone: '15550007777' });
    await untilConnected(gateway, 'leaving');
    const answer = await gateway.must(200, '/sessions/leaving/logout');
    assert.equal(at(answer, 'status'), 'logged_out');
    await untilStatus(gateway, 'leaving', 'logged_out');
    const again = await gateway.post('/sessions/leaving/logout');
    assert.equal(again.status, 409);
    assert.equal(at(again.json, 'error', 'type'), 'not_paired');
  });
});
