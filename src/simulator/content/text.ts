/** Text messages as simulated people write them. */
import { proto } from '../wire/proto.ts';
import { contextInfo, type MessageContext, noContext, type Quoted } from './context-info.ts';

export type { Quoted } from './context-info.ts';

/** `conversation`, or `extendedTextMessage` when there is more to tell than the text. */
export function textMessage(text: string, context: MessageContext): proto.IMessage {
  const info = contextInfo(context);
  return info === null ? { conversation: text } : { extendedTextMessage: { text, contextInfo: info } };
}

/** A message protobuf with a text that may quote another message. */
export function textContent(text: string, quoted: Quoted | null): Uint8Array {
  return proto.Message.encode(textMessage(text, { ...noContext, quoted })).finish();
}
