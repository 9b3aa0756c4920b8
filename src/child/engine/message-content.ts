/** What a message holds, in the contract's words. Pure; works on the library's protobuf types. */
import { trusted } from '../../contract/trusted.ts';
import { getContentType, normalizeMessageContent, proto, type WAMessage } from '@whiskeysockets/baileys';

export type MessageContent = proto.IMessage;

/** What a webhook tells of a message's content. */
export interface ContentDescription {
  readonly type: string;
  readonly text: string | null;
  readonly caption: string | null;
  readonly quoted: { readonly messageId: string; readonly from: string | null; readonly body: string | null } | null;
  readonly mentions: readonly string[];
  readonly forwarded: boolean;
  readonly ephemeralSeconds: number | null;
}

/**
 * - shown: something a person would see as a message.
 * - control: an edit, a deletion, a reaction, a key or a notice of the protocol; told by other events or not at all.
 * - undecryptable: the content is still missing; a later message with the same id may bring it.
 */
export type MessageKind = 'shown' | 'control' | 'undecryptable';

const ciphertextStub = proto.WebMessageInfo.StubType.CIPHERTEXT;

const typeNames: Readonly<Record<string, string>> = {
  conversation: 'text',
  extendedTextMessage: 'text',
  imageMessage: 'image',
  videoMessage: 'video',
  ptvMessage: 'video',
  audioMessage: 'audio',
  documentMessage: 'document',
  stickerMessage: 'sticker',
  locationMessage: 'location',
  liveLocationMessage: 'location',
  contactMessage: 'contact',
  contactsArrayMessage: 'contact',
  pollCreationMessage: 'poll',
  pollCreationMessageV2: 'poll',
  pollCreationMessageV3: 'poll',
};

const controlTypes = new Set([
  'protocolMessage',
  'reactionMessage',
  'encReactionMessage',
  'pollUpdateMessage',
  'keepInChatMessage',
  'pinInChatMessage',
  'senderKeyDistributionMessage',
]);

export function kindOf(message: WAMessage): MessageKind {
  if (message.messageStubType === ciphertextStub) return 'undecryptable';
  if (message.category === 'peer' || message.messageStubType) return 'control';
  const content = normalizeMessageContent(message.message);
  const type = content === undefined ? undefined : getContentType(content);
  return type === undefined || controlTypes.has(type) ? 'control' : 'shown';
}

/** Describes the content of a shown message. */
export function describeContent(message: proto.IMessage | null | undefined): ContentDescription {
  const content = normalizeMessageContent(message);
  const type = content === undefined ? undefined : getContentType(content);
  const part: unknown = content === undefined || type === undefined ? undefined : content[type];
  const context = contextOf(part);
  const text = content?.conversation || content?.extendedTextMessage?.text || null;
  const caption = textField(part, 'caption');
  return {
    type: type === undefined ? 'unknown' : (typeNames[type] ?? 'unknown'),
    text,
    caption,
    quoted: quotedOf(context),
    mentions: context?.mentionedJid ?? [],
    forwarded: context?.isForwarded === true,
    ephemeralSeconds: context?.expiration || null,
  };
}

/** The text a person reads: the message's own, or the caption of its media. */
export function bodyOf(message: proto.IMessage | null | undefined): string | null {
  const { text, caption } = describeContent(message);
  return text ?? caption;
}

export function encodeContent(message: proto.IMessage): Uint8Array {
  return proto.Message.encode(proto.Message.fromObject(message)).finish();
}

export function decodeContent(bytes: Uint8Array): proto.IMessage {
  return proto.Message.decode(bytes);
}

function quotedOf(context: proto.IContextInfo | null): ContentDescription['quoted'] {
  if (!context?.stanzaId) return null;
  return { messageId: context.stanzaId, from: context.participant || null, body: bodyOf(context.quotedMessage) };
}

function contextOf(part: unknown): proto.IContextInfo | null {
  if (typeof part !== 'object' || part === null || !('contextInfo' in part)) return null;
  // Every content part of the protobuf that has a `contextInfo` declares it with this type.
  return trusted<proto.IContextInfo | null>(part.contextInfo ?? null);
}

function textField(part: unknown, name: string): string | null {
  if (typeof part !== 'object' || part === null) return null;
  const value: unknown = Reflect.get(part, name);
  return typeof value === 'string' && value !== '' ? value : null;
}
