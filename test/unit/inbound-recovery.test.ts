import assert from 'node:assert/strict';
import { test } from 'node:test';
import { serialize } from 'node:v8';
import { proto } from '@whiskeysockets/baileys';
import { ChatExpirations } from '../../src/child/engine/chat-expirations.ts';
import { Inbound } from '../../src/child/inbound.ts';
import { Recorder } from '../../src/child/recorder.ts';
import { systemClock } from '../../src/clock.ts';
import type { RecordItem } from '../../src/contract/ipc.ts';
import { trusted } from '../../src/contract/trusted.ts';

const contact = '15550100002@s.whatsapp.net';
const own = { id: '15550100001:3@s.whatsapp.net', lid: '1001:3@lid' };

function entry(id: string, message: proto.IMessage) {
  const encoded = proto.Message.encode(message).finish();
  // One byte of padding, as the Signal layer leaves it.
  const plaintext = Buffer.concat([encoded, Buffer.from([1])]);
  const attrs = { id, from: '1002@lid', sender_pn: contact, t: '1700000000', addressing_mode: 'lid' };
  return { id: `inbox:${id}`, value: serialize({ tag: 'message', attrs, plaintext }) };
}

test('what the inbox of a dead child holds is recorded as if it had just come, with its entry settled', async () => {
  const items: RecordItem[] = [];
  const empty = { get: () => Promise.resolve({}), set: () => Promise.resolve(), message: () => Promise.resolve(null) };
  const recorder = new Recorder({
    commit: (batch) => Promise.resolve(void items.push(...batch)),
    onLost: () => assert.fail('nothing is lost'),
  });
  const sock = { user: own, signalRepository: { lidMapping: { getPNForLID: () => null, getLIDForPN: () => null } } };
  // Only what recovery touches; the whole of it runs in the end-to-end tests.
  const inbound = new Inbound(
    trusted<ConstructorParameters<typeof Inbound>[0]>({
      session: 'test',
      link: () => ({ own }),
      store: empty,
      recorder,
      expirations: new ChatExpirations(empty),
      limits: { undecryptablePatienceMs: 1_000 },
      clock: systemClock,
      onError: (text: string) => assert.fail(text),
    }),
  );
  const key = { remoteJid: '1002@lid', fromMe: false, id: 'TARGET' };
  const { MESSAGE_EDIT, REVOKE } = proto.Message.ProtocolMessage.Type;
  inbound.recover(trusted(sock), [
    entry('M1', { conversation: 'Hello' }),
    entry('E1', { protocolMessage: { key, type: MESSAGE_EDIT, editedMessage: { conversation: 'New' } } }),
    entry('D1', { protocolMessage: { key, type: REVOKE } }),
    entry('R1', { reactionMessage: { key, text: '👍' } }),
  ]);
  await inbound.drain();
  inbound.close();
  assert.deepEqual(
    items.map((item) => [item.tag, 'inboxId' in item ? item.inboxId : null, 'event' in item ? item.event?.name : null]),
    [
      ['message', 'inbox:M1', 'message'],
      ['change', 'inbox:E1', 'message_edited'],
      ['change', 'inbox:D1', 'message_deleted'],
      ['event', 'inbox:R1', 'reaction'],
    ],
  );
});
