import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { at } from '../support/api-client.ts';
import { GatewayUnderTest, inbox, pairedSession, requireCleanOracle } from '../support/gateway.ts';
import { postForm } from '../support/media-forms.ts';
import { smallMediaDisk } from '../support/small-disk.ts';

const contact = '15551234567';

describe('a gateway whose disk is full', () => {
  let gateway: GatewayUnderTest;
  const probe = mkdtempSync(join(tmpdir(), 'warden-disk-'));

  before(async () => {
    const wrapper = smallMediaDisk(probe);
    // Where nothing can be mounted, the quota is what the file does not fit into.
    gateway = await GatewayUnderTest.start(wrapper === null ? { env: { SPOOL_QUOTA_MB: '1' } } : { wrapper });
    await pairedSession(gateway, 'a', { phone: '15550071001' });
    await gateway.must(201, '/sessions/a/sandbox/contacts', { phone: contact });
  });

  after(async () => {
    await gateway.dispose();
    rmSync(probe, { recursive: true, force: true });
  });

  const large = Buffer.alloc(3 << 20, 'a line of text\n');
  const document = (blob: Blob) =>
    postForm(gateway, '/sessions/a/messages/document', {
      fields: { to: contact },
      file: { blob, name: 'notes.txt' },
    });

  test('refuses files with 507 in every form, keeps nothing of them, and sends texts and small files', async () => {
    for (const answer of [
      await document(new Blob([large], { type: 'text/plain' })),
      await gateway.post('/sessions/a/messages/document', {
        to: contact,
        base64: large.toString('base64'),
        filename: 'notes.txt',
      }),
      await gateway.post('/sessions/a/media/upload', { base64: large.toString('base64') }),
    ]) {
      assert.deepEqual(
        [answer.status, at(answer.json, 'error', 'type')],
        [507, 'storage_full'],
        JSON.stringify(answer),
      );
    }
    await gateway.must(200, '/sessions/a/messages/text', { to: contact, text: 'A text needs no room' });
    const small = await document(new Blob(['a small file'], { type: 'text/plain' }));
    assert.equal(small.status, 200, JSON.stringify(small.json));
    const kinds = (await inbox(gateway, 'a', contact)).map((each) => at(each, 'text') ?? 'file');
    assert.equal(kinds.length, 2);
    assert.equal(kinds[0], 'A text needs no room');
    await requireCleanOracle(gateway, 'a');
    assert.equal(at((await gateway.get('/sessions/a')).json, 'child', 'restarts'), 0);
  });
});
