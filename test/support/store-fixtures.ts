/** Rows for tests of the store; fictitious numbers only. */
import assert from 'node:assert/strict';
import { WardenError, type ErrorCode } from '../../src/contract/errors.ts';
import type { SessionEvent } from '../../src/contract/events.ts';
import { parseMessageId, parseSessionId, type MessageId, type SessionId } from '../../src/contract/ids.ts';
import type { MessageRecord, PreparedMedia, RecordItem } from '../../src/contract/ipc.ts';
import type { Store } from '../../src/store/store.ts';
import type { NewWebhook } from '../../src/store/webhook-records.ts';

export const contactJid = '15550100002@s.whatsapp.net';

export function sessionId(text: string): SessionId {
  const id = parseSessionId(text);
  assert.ok(id !== null, `${text} is no session id`);
  return id;
}

export function messageId(text: string): MessageId {
  const id = parseMessageId(text);
  assert.ok(id !== null, `${text} is no message id`);
  return id;
}

export const bytes = (...values: readonly number[]): Uint8Array => Uint8Array.from(values);

/** For `assert.rejects`: an error of the catalogue. */
export function hasCode(code: ErrorCode): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof WardenError, `expected ${code}, got ${String(error)}`);
    assert.equal(error.code, code);
    return true;
  };
}

export function newWebhook(id: string, patch: Partial<NewWebhook> = {}): NewWebhook {
  return {
    id,
    url: `http://127.0.0.1:9/${id}`,
    secret: 'test-secret',
    events: ['all'],
    conditions: null,
    ordered: false,
    allowPrivate: true,
    ...patch,
  };
}

/** Creates a session, and takes it: answers its id with the epoch that writes carry. */
export async function createOwnedSession(
  store: Store,
  name: string,
  webhook: NewWebhook | null = null,
): Promise<{ readonly session: SessionId; readonly epoch: number }> {
  const session = sessionId(name);
  await store.sessions.create({
    id: session,
    name: null,
    sandbox: false,
    desired: 'stopped',
    memoryCapMb: null,
    webhook,
  });
  const epoch = await store.sessions.takeEpoch(session);
  assert.ok(epoch !== null);
  return { session, epoch };
}

export function messageRecord(id: string, patch: Partial<MessageRecord> = {}): MessageRecord {
  return {
    id,
    chat: contactJid,
    sender: contactJid,
    fromMe: false,
    type: 'text',
    timestamp: 1_700_000_000_000,
    body: `body of ${id}`,
    proto: bytes(1, 2, 3),
    key: bytes(4, 5, 6),
    media: null,
    ...patch,
  };
}

/** Some event whose data name `id`. */
export function someEvent(id: string): SessionEvent {
  return { name: 'message_failed', data: { message_id: id, chat: contactJid, code: null, reason: 'test' } };
}

export function receivedItem(
  id: string,
  patch: { readonly record?: Partial<MessageRecord>; readonly inboxId?: string } = {},
): RecordItem {
  return {
    tag: 'message',
    record: messageRecord(id, patch.record),
    event: someEvent(id),
    inboxId: patch.inboxId ?? null,
  };
}

export function statusItem(
  ids: readonly string[],
  status: Extract<RecordItem, { tag: 'status' }>['status'],
  at = 1_700_000_001_000,
): RecordItem {
  return { tag: 'status', ids, status, at, errorCode: null, event: someEvent(`${status}:${ids.join('+')}`) };
}

/** A picture of one pixel, ready to be sent. */
export function preparedImage(source: PreparedMedia['source']): PreparedMedia {
  return {
    kind: 'image',
    source,
    mimetype: 'image/png',
    bytes: 68,
    fileName: null,
    width: 1,
    height: 1,
    seconds: null,
    waveform: null,
    thumbnail: null,
    isAnimated: false,
  };
}
