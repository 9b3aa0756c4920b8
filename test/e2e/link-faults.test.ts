import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { at } from '../support/api-client.ts';
import { eventually } from '../support/eventually.ts';
import { GatewayUnderTest, pairedSession, untilConnected, untilStatus } from '../support/gateway.ts';
import { startHttpReceiver, type HttpReceiver } from '../support/http-receiver.ts';

describe('a session whose WhatsApp misbehaves', () => {
  let gateway: GatewayUnderTest;
  let receiver: HttpReceiver;
  let sessions = 0;
  /** All logins that are refused and leave the pairing in place are those of one session. */
  let refusedSession: string | undefined;

  before(async () => {
    gateway = await GatewayUnderTest.start({ env: { KEEP_ALIVE_MS: '5000', QUERY_TIMEOUT_MS: '5000' } });
    receiver = await startHttpReceiver();
  });

  after(async () => {
    await gateway.dispose();
    await receiver.close();
  });

  const newSession = async (): Promise<string> => {
    const id = `faulty-${++sessions}`;
    await pairedSession(gateway, id, {
      phone: `1555006${String(sessions).padStart(4, '0')}`,
      webhook: { url: receiver.url },
    });
    return id;
  };
  const events = (session: string): { readonly event: unknown; readonly data: unknown }[] =>
    receiver.requests
      .filter(({ json }) => at(json, 'session_id') === session)
      .map(({ json }) => ({ event: at(json, 'event'), data: at(json, 'data') }));
  const count = (session: string, name: string): number => events(session).filter(({ event }) => event === name).length;
  const setFault = (id: string, fault: object): Promise<unknown> =>
    gateway.must(200, `/sessions/${id}/sandbox/faults`, fault);
  const clearFaults = (id: string): Promise<unknown> => gateway.delete(`/sessions/${id}/sandbox/faults`);

  for (const fault of [
    { fault: 'disconnect' },
    { fault: 'stream_error', code: 515 },
    { fault: 'stream_error', code: 503 },
    { fault: 'stream_error', code: 500 },
  ]) {
    test(`comes back by itself after ${JSON.stringify(fault)}, and tells of it`, async () => {
      const id = await newSession();
      await eventually(
        () => count(id, 'connected') === 1,
        10_000,
        () => events(id),
      );
      await setFault(id, fault);
      await eventually(
        () => count(id, 'disconnected') === 1 && count(id, 'connected') === 2,
        30_000,
        () => events(id),
      );
      assert.equal(at(events(id).find(({ event }) => event === 'disconnected')?.data, 'will_reconnect'), true);
      await untilConnected(gateway, id);
      assert.equal(at((await gateway.get(`/sessions/${id}`)).json, 'child', 'restarts'), 0);
    });
  }

  test('is found when WhatsApp falls silent, and connects anew', async () => {
    const id = await newSession();
    await eventually(() => count(id, 'connected') === 1);
    await setFault(id, { fault: 'silent' });
    await eventually(
      () => count(id, 'disconnected') === 1,
      40_000,
      () => events(id),
    );
    await clearFaults(id);
    await eventually(
      () => count(id, 'connected') === 2,
      60_000,
      () => events(id),
    );
  });

  for (const [code, status, reason] of [
    [400, 'connecting', /400/],
    [403, 'logged_out', /locked/],
    [406, 'logged_out', /banned/],
    [405, 'failed', /WHATSAPP_VERSION/],
    [409, 'failed', /409/],
    [411, 'failed', /log out and pair again/],
    [413, 'failed', /413/],
    [414, 'failed', /414/],
    [415, 'failed', /415/],
    [418, 'failed', /418/],
    [419, 'failed', /419/],
    [429, 'connecting', /fewer connections/],
    [500, 'connecting', /has trouble/],
    [501, 'failed', /501/],
    [503, 'connecting', /reconnecting/],
  ] as const) {
    test(`shows why when its login is refused with ${code}`, async () => {
      const id = (refusedSession ??= await newSession());
      await setFault(id, { fault: 'refuse_login', code });
      await setFault(id, { fault: 'disconnect' });
      await untilReason(id, status, reason);
      const session = (await gateway.get(`/sessions/${id}`)).json;
      assert.equal(at(session, 'is_logged_in'), true, 'the pairing is kept');
      await clearFaults(id);
      await gateway.must(200, `/sessions/${id}/restart`);
      await untilConnected(gateway, id);
    });
  }

  test('forgets its pairing when its login is refused with 401, and can be paired again', async () => {
    const id = await newSession();
    await setFault(id, { fault: 'refuse_login', code: 401 });
    await setFault(id, { fault: 'disconnect' });
    await untilReason(id, 'logged_out', /unlinked/);
    assert.equal(at((await gateway.get(`/sessions/${id}`)).json, 'is_logged_in'), false);
    await gateway.must(200, `/sessions/${id}/connect`);
    await untilStatus(gateway, id, 'waiting_for_qr');
  });

  test('waits out a ban, says so, and comes back by itself when it is over', async () => {
    const id = await newSession();
    await setFault(id, { fault: 'ban', seconds: 2 });
    await untilReason(id, 'failed', /banned/);
    await untilConnected(gateway, id);
    assert.equal(at((await gateway.get(`/sessions/${id}`)).json, 'is_logged_in'), true);
  });

  test('shows that it was replaced, and comes back when it is asked to', async () => {
    const id = await newSession();
    await setFault(id, { fault: 'replaced' });
    await untilReason(id, 'failed', /same credentials/);
    assert.equal(at((await gateway.get(`/sessions/${id}`)).json, 'is_logged_in'), true);
    await gateway.must(200, `/sessions/${id}/restart`);
    await untilConnected(gateway, id);
  });

  test('is logged out by WhatsApp and tells it, once', async () => {
    const id = await newSession();
    await setFault(id, { fault: 'logout' });
    await untilStatus(gateway, id, 'logged_out');
    await eventually(
      () => count(id, 'logged_out') === 1,
      10_000,
      () => events(id),
    );
    assert.equal(at((await gateway.get(`/sessions/${id}`)).json, 'is_logged_in'), false);
  });

  async function untilReason(id: string, status: string, reason: RegExp): Promise<void> {
    let last: unknown;
    await eventually(
      async () => {
        last = (await gateway.get(`/sessions/${id}/status`)).json;
        return at(last, 'status') === status && reason.test(String(at(last, 'status_reason')));
      },
      30_000,
      () => last,
    );
  }
});
