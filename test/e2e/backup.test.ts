import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { at } from '../support/api-client.ts';
import { eventually } from '../support/eventually.ts';
import { GatewayUnderTest, pairedSession, requireCleanOracle, untilConnected } from '../support/gateway.ts';

const contact = '15551234567';

/** Both directions, as docs/operations.md promises it of what was restored. */
async function talk(gateway: GatewayUnderTest, words: string): Promise<void> {
  await gateway.must(201, '/sessions/support/sandbox/messages', { from: contact, text: `${words} in` });
  const sent = await gateway.post('/sessions/support/messages/text', { to: contact, text: `${words} out` });
  assert.ok(sent.status === 200 || sent.status === 202, sent.text);
  const read = async (): Promise<string> => JSON.stringify((await gateway.get('/sessions/support/sandbox/inbox')).json);
  await eventually(async () => (await read()).includes(`${words} out`), 20_000, read);
  const kept = async (): Promise<string> => JSON.stringify((await gateway.get('/sessions/support/messages')).json);
  await eventually(async () => (await kept()).includes(`${words} in`), 20_000, kept);
}

test('a copy of the folder of a stopped gateway is that gateway: no new QR code, all messages, both directions', async (context) => {
  const folder = await mkdtemp(join(tmpdir(), 'warden-backup-'));
  const [first, second] = [join(folder, 'first'), join(folder, 'second')];
  // Open enough for the user that Postgres may run as, so that the database lies in it in any case.
  await mkdir(first, { mode: 0o711 });
  await chmod(folder, 0o711);
  const original = await GatewayUnderTest.start({ database: null, env: { WHATSAPP_STORAGE_PATH: first } });
  context.after(() => original.dispose());
  await pairedSession(original, 'support', { phone: '15550001111' });
  await talk(original, 'before');
  assert.equal(await original.stop(), 0);

  // With owners and modes, as the manual says.
  await promisify(execFile)('cp', ['-a', first, second]);
  const restored = await GatewayUnderTest.start({ database: null, env: { WHATSAPP_STORAGE_PATH: second } });
  context.after(() => restored.dispose());
  // In the order in which they stand: what is in use cannot be removed.
  context.after(() => rm(folder, { recursive: true, force: true }));
  await untilConnected(restored, 'support');
  await eventually(async () => at((await restored.get('/sessions/support/messages')).json, 'total') === 2);
  await talk(restored, 'after');
  await requireCleanOracle(restored, 'support');
});
