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
  readonly location: DescribedLocation | null;
  readonly contacts: readonly { readonly displayName: string; readonly vcard: string }[] | null;
  readonly poll: DescribedPoll | null;
  readonly viewOnce: boolean;
  readonly forwarded: boolean;
  readonly ephemeralSeconds: number | null;
}

interface DescribedLocation {
  readonly latitude: number;
  readonly longitude: number;
  readonly name: string | null;
  readonly address: string | null;
}

export interface DescribedPoll {
  readonly question: string;
  readonly options: readonly string[];
  /** 0 for any number. */
  readonly selectable: number;
}

/**
 * - shown: something a person would see as a message.
 * - control: an edit, a deletion, a reaction, a key or a notice of the protocol; told by other events or not at all.
 * - stub: a notice of WhatsApp without content, for example of a group that changed.
 * - undecryptable: the content is still missing; a later message with the same id may bring it.
 */
export type MessageKind = 'shown' | 'control' | 'stub' | 'undecryptable';

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
  reactionMessage: 'reaction',
  pinInChatMessage: 'pin',
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
  const content = normalizeMessageContent(message.message);
  const type = content === undefined ? undefined : getContentType(content);
  // Of a message in several parts one may be unreadable, while what it says is not.
  const isUndecryptable = message.messageStubType === ciphertextStub;
  if (isUndecryptable && type === undefined) return 'undecryptable';
  if (message.category === 'peer') return 'control';
  if (message.messageStubType && !isUndecryptable) return 'stub';
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
    location: locationOf(content),
    contacts: contactsOf(content),
    poll: pollOf(content),
    viewOnce: isViewOnce(message, part),
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

/** The poll in a message, null when it is none. */
export function pollOf(message: proto.IMessage | null | undefined): DescribedPoll | null {
  const content = normalizeMessageContent(message);
  const poll = content?.pollCreationMessage ?? content?.pollCreationMessageV2 ?? content?.pollCreationMessageV3;
  if (!poll) return null;
  return {
    question: poll.name ?? '',
    options: (poll.options ?? []).map(({ optionName }) => optionName ?? ''),
    selectable: poll.selectableOptionsCount ?? 0,
  };
}

/** The secret that votes in a poll are encrypted with; null when the message has none. */
export function messageSecretOf(message: proto.IMessage | null | undefined): Uint8Array | null {
  const secret =
    message?.messageContextInfo?.messageSecret ?? normalizeMessageContent(message)?.messageContextInfo?.messageSecret;
  return secret && secret.byteLength > 0 ? secret : null;
}

/** Whether a message can be opened once only. */
function isViewOnce(message: proto.IMessage | null | undefined, part: unknown): boolean {
  const outer = message?.ephemeralMessage?.message ?? message;
  if (outer?.viewOnceMessage ?? outer?.viewOnceMessageV2 ?? outer?.viewOnceMessageV2Extension) return true;
  return typeof part === 'object' && part !== null && Reflect.get(part, 'viewOnce') === true;
}

function locationOf(content: proto.IMessage | undefined): DescribedLocation | null {
  const { locationMessage, liveLocationMessage } = content ?? {};
  const place = locationMessage ?? liveLocationMessage;
  if (!place) return null;
  return {
    latitude: place.degreesLatitude ?? 0,
    longitude: place.degreesLongitude ?? 0,
    name: locationMessage?.name || null,
    address: locationMessage?.address || liveLocationMessage?.caption || null,
  };
}

function contactsOf(content: proto.IMessage | undefined): ContentDescription['contacts'] {
  const cards = content?.contactMessage ? [content.contactMessage] : content?.contactsArrayMessage?.contacts;
  return cards?.map(({ displayName, vcard }) => ({ displayName: displayName ?? '', vcard: vcard ?? '' })) ?? null;
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
