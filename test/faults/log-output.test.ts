import assert from 'node:assert/strict';
import { closeSync, openSync } from 'node:fs';
import { describe, test } from 'node:test';
import { privateMemoryBytes } from '../../src/supervisor/proc.ts';
import { at } from '../support/api-client.ts';
import { eventually } from '../support/eventually.ts';
import { GatewayUnderTest, pairedSession } from '../support/gateway.ts';

const contact = '15551234567';
const megabyte = 1_048_576;

async function sendsText(gateway: GatewayUnderTest): Promise<void> {
  await pairedSession(gateway, 'a', { phone: '15550070001' });
  await gateway.must(201, '/sessions/a/sandbox/contacts', { phone: contact });
  await gateway.must(200, '/sessions/a/messages/text', { to: contact, text: 'with no log' });
}

describe('a gateway whose log cannot be written', () => {
  test('because the disk is full serves and stops as ever', async () => {
    const full = openSync('/dev/full', 'w');
    const gateway = await GatewayUnderTest.start({ stdout: full });
    try {
      await sendsText(gateway);
      assert.equal(await gateway.stop(), 0);
    } finally {
      await gateway.dispose();
      closeSync(full);
    }
  });

  test('because nobody reads it serves without delay or growth, and says afterwards what is missing', async () => {
    const gateway = await GatewayUnderTest.start({ stdout: 'unread' });
    try {
      await sendsText(gateway);
      // The log has a line for each request, with its id.
      const headers = { 'x-request-id': 'x'.repeat(64) };
      const ask = async (count: number): Promise<void> => {
        for (let n = 0; n < count; n += 16) {
          const asked = Array.from({ length: 16 }, () => gateway.api.call('GET', '/api/v1/no-such-thing', { headers }));
          assert.ok((await Promise.all(asked)).every(({ status }) => status === 404));
        }
      };
      await ask(8_000);
      const before = privateMemoryBytes(gateway.pid) ?? 0;
      await ask(16_000);
      const grown = (privateMemoryBytes(gateway.pid) ?? 0) - before;
      assert.ok(grown < 45 * megabyte, `it grew by ${grown / megabyte} MB`);
      assert.equal((await gateway.get('/sessions/a')).status, 200);

      gateway.readOutput();
      const lines = () => gateway.output.split('\n').filter((line) => line.startsWith('{'));
      const report = await eventually(() => lines().find((line) => line.includes('log lines were dropped')));
      assert.ok(Number(at(JSON.parse(report), 'lines')) > 6000);
      await ask(8);
      await eventually(() => lines().at(-1)?.includes(headers['x-request-id']));
      const torn = lines()
        .slice(0, -1)
        .filter((line) => !line.endsWith('}'));
      assert.deepEqual(torn, []);
      assert.equal(await gateway.stop(), 0);
    } finally {
      await gateway.dispose();
    }
  });

  test('because nobody reads it can be stopped all the same', async () => {
    const gateway = await GatewayUnderTest.start({ stdout: 'unread' });
    try {
      const path = `/api/v1/no-such-thing/${'x'.repeat(8000)}`;
      for (let n = 0; n < 200; n++) await gateway.api.call('GET', path);
      assert.equal(await gateway.stop(), 0);
    } finally {
      await gateway.dispose();
    }
  });
});
