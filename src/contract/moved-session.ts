/** A message that was sent not long ago: a recipient who could not decrypt it may ask for it again. */
export interface SentMessage extends Omit<MessageRecord, 'fromMe' | 'media' | 'proto'> {
  readonly proto: Uint8Array;
}

/** A session on its way from one gateway, or from another program, into a gateway. Types only. */
import type { DeviceInfo, MessageRecord, StoredValue } from './ipc.ts';
import type { PacingOverrides } from './pacing.ts';

export interface MovedSession {
  readonly name: string | null;
  readonly sandbox: boolean;
  readonly memoryCapMb: number | null;
  readonly isolated: boolean | null;
  readonly pacing: PacingOverrides | null;
  /** Null when nobody has asked the account yet. */
  readonly device: DeviceInfo | null;
  /** Unix milliseconds; null when that is not known. */
  readonly linkedAt: number | null;
  readonly creds: StoredValue;
  /** Signal keys, and messages that wait to be recorded. */
  readonly keys: readonly { readonly type: string; readonly id: string; readonly value: StoredValue }[];
  /** Chats that the session began itself, so that pacing does not count them as new; unix milliseconds. */
  readonly openedChats: readonly { readonly chat: string; readonly at: number }[];
  readonly sent: readonly SentMessage[];
}
