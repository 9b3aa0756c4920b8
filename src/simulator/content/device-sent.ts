/** The form in which a device tells the other devices of its account what it has sent. */
import { proto } from '../wire/proto.ts';

/** Wraps a message protobuf for the sender's other devices. */
export function deviceSentContent(destination: string, content: Uint8Array): Uint8Array {
  return proto.Message.encode({
    deviceSentMessage: { destinationJid: destination, message: proto.Message.decode(content) },
  }).finish();
}

/** The message protobuf inside, and the chat it went to; null when the content is not wrapped. */
export function unwrapDeviceSent(content: Uint8Array): { destination: string; content: Uint8Array } | null {
  const wrapped = proto.Message.decode(content).deviceSentMessage;
  if (wrapped?.message === undefined || wrapped.message === null) return null;
  return { destination: wrapped.destinationJid ?? '', content: proto.Message.encode(wrapped.message).finish() };
}
