/** Who is online and who is typing, told when it changes and not when it is repeated: pure. */
import type { RecordItem } from '../../contract/ipc.ts';

export interface SeenPresence {
  readonly jid: string;
  readonly status: 'available' | 'unavailable';
  /** Unix seconds; null when unknown or hidden. */
  readonly lastSeen: number | null;
}

export interface SeenChatState {
  readonly chat: string;
  readonly from: string;
  readonly state: 'composing' | 'recording' | 'paused';
}

/** A chat state as last seen, at unix milliseconds. */
export interface KnownChatState {
  readonly state: SeenChatState['state'];
  readonly at: number;
}

/** Phones repeat a state every ten seconds while it lasts; whoever falls silent for longer has begun anew. */
const repetitionMs = 25_000;

export function isNewPresence(known: SeenPresence | undefined, seen: SeenPresence): boolean {
  return known?.status !== seen.status || known.lastSeen !== seen.lastSeen;
}

export function isNewChatState(known: KnownChatState | undefined, seen: KnownChatState): boolean {
  return known?.state !== seen.state || seen.at - known.at > repetitionMs;
}

export function presenceItem({ jid, status, lastSeen }: SeenPresence, at: number): RecordItem {
  return { tag: 'event', at, event: { name: 'presence', data: { jid, status, last_seen: lastSeen } } };
}

export function chatStateItem({ chat, from, state }: SeenChatState, at: number): RecordItem {
  return { tag: 'event', at, event: { name: 'chat_presence', data: { chat, from, state } } };
}
