/** Pure: what an event is about, read from its data, whatever its name. */
import { isGroupJid } from '../contract/ids.ts';

/** An event as far as it is looked at here. */
export interface ToldEvent {
  readonly name: string;
  readonly data: object;
}

/** Null where the event has no such thing. */
export interface EventFacts {
  /** The addresses of its chat. */
  readonly chats: readonly string[] | null;
  /** The addresses of whoever did it. */
  readonly senders: readonly string[];
  readonly isGroup: boolean | null;
  readonly isFromMe: boolean | null;
  readonly text: string | null;
}

/** Events about what the account itself has sent; they have no field that says so. */
const ownEvents: ReadonlySet<string> = new Set(['message_sent', 'message_failed', 'receipt']);

/** The chat that orders the event among others: one lane of deliveries each; all without a chat share one. */
export function laneOf({ data }: ToldEvent): string {
  return textField(data, 'chat') ?? textField(data, 'group') ?? '';
}

/** The facts of an event. An event about a person alone (presence, a call) counts to the chat with that person. */
export function factsOf({ name, data }: ToldEvent): EventFacts {
  const from = present([
    textField(data, 'participant'),
    textField(data, 'from'),
    textField(data, 'from_lid'),
    phoneJid(textField(data, 'from_phone')),
  ]);
  const said = fieldOf(data, 'is_from_me');
  const place = textField(data, 'chat') ?? textField(data, 'group');
  const person = textField(data, 'jid');
  const senders = from.length > 0 ? from : present([textField(data, 'by'), person]);
  // `connected` tells the account's own address, which is no chat.
  const chat = place ?? (name === 'connected' ? null : (from[0] ?? person));
  if (chat === null) return { chats: null, senders, isGroup: null, isFromMe: null, text: null };
  const isGroup = isGroupJid(chat);
  const isFromMe = typeof said === 'boolean' ? said : ownEvents.has(name);
  return {
    chats: isGroup || isFromMe ? [chat] : [...new Set([chat, ...from])],
    senders,
    isGroup,
    isFromMe,
    text: textField(data, 'body'),
  };
}

const phoneJid = (phone: string | null): string | null => (phone === null ? null : `${phone}@s.whatsapp.net`);
const present = (values: readonly (string | null)[]): readonly string[] => values.filter((value) => value !== null);

function textField(data: object, name: string): string | null {
  const value = fieldOf(data, name);
  return typeof value === 'string' ? value : null;
}

function fieldOf(data: object, name: string): unknown {
  return Object.entries(data).find(([key]) => key === name)?.[1];
}
