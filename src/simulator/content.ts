/**
 * What a decrypted message says, in the terms of the sandbox's inbox. How simulated people write messages stands in
 * `content/`, a file per kind.
 */
import { type DescribedMedia, describeMedia, mediaKinds } from './content/described-media.ts';
import { bytesOf, type Fields, fieldsOf, listOf, numberOf, textOf } from './content/fields.ts';
import type { EncryptedVote } from './content/poll-votes.ts';
import { type ContactCard, readVcard } from './content/vcard.ts';
import { proto } from './wire/proto.ts';

/** Optional fields are there only when the message says so. */
export interface DescribedContent {
  /**
   * `text`, `image`, `video`, `audio`, `document`, `sticker`, `location`, `contact`, `poll`, `poll_vote`, `reaction`,
   * `edit`, `delete`, `pin`; WhatsApp's own field name without `Message` for all other kinds.
   */
  readonly type: string;
  readonly text: string | null;
  readonly caption: string | null;
  readonly quotedId: string | null;
  readonly editOf?: string;
  readonly deleteOf?: string;
  /** An empty emoji takes an earlier reaction back. */
  readonly reaction?: { readonly emoji: string; readonly message_id: string };
  readonly poll?: DescribedPoll;
  readonly vote?: EncryptedVote & { readonly pollId: string };
  readonly location?: DescribedLocation;
  readonly contacts?: readonly ContactCard[];
  readonly media?: DescribedMedia;
  /** JIDs as the message has them. */
  readonly mentions?: readonly string[];
  readonly forwarded?: true;
  readonly viewOnce?: true;
  readonly ephemeralSeconds?: number;
  /** The protobuf as JSON: bytes in base64, enumerations by name. */
  readonly raw: unknown;
}

export interface DescribedPoll {
  readonly question: string;
  readonly options: readonly string[];
  /** How many may be chosen; 0 for any number. */
  readonly selectable: number;
}

export interface DescribedLocation {
  readonly latitude: number;
  readonly longitude: number;
  readonly name: string | null;
  readonly address: string | null;
}

type Said = Omit<DescribedContent, 'raw'>;

/** Fields beside the content itself. */
const ENVELOPE_FIELDS = new Set(['messageContextInfo', 'senderKeyDistributionMessage']);
const VIEW_ONCE = new Set(['viewOnceMessage', 'viewOnceMessageV2', 'viewOnceMessageV2Extension']);
/** Fields that hold another whole message. */
const WRAPPERS = new Set([...VIEW_ONCE, 'ephemeralMessage', 'documentWithCaptionMessage', 'editedMessage']);

/** Whether these bytes are a message protobuf. */
export function isMessage(content: Uint8Array): boolean {
  try {
    proto.Message.decode(content);
    return true;
  } catch {
    return false;
  }
}

/** Reads a message protobuf. Throws when the bytes are none. */
export function describeContent(content: Uint8Array): DescribedContent {
  const raw: unknown = proto.Message.decode(content).toJSON();
  return { ...describe(fieldsOf(raw)), raw };
}

/** The secret that votes on this poll are encrypted with; empty when the message has none. */
export function messageSecretOf(content: Uint8Array): Uint8Array {
  return proto.Message.decode(content).messageContextInfo?.messageSecret ?? Buffer.alloc(0);
}

function describe(message: Fields): Said {
  const kind = Object.keys(message).find((key) => !ENVELOPE_FIELDS.has(key));
  if (kind === undefined) return said('empty');
  const fields = fieldsOf(message[kind]);
  if (WRAPPERS.has(kind)) {
    return { ...describe(fieldsOf(fields['message'])), ...(VIEW_ONCE.has(kind) ? { viewOnce: true } : {}) };
  }
  const context = describeContext(fieldsOf(fields['contextInfo']));
  const mediaKind = mediaKinds[kind];
  if (mediaKind !== undefined) {
    return {
      ...said(mediaKind, { caption: textOf(fields['caption']), media: describeMedia(mediaKind, fields) }),
      ...context,
      ...(fields['viewOnce'] === true ? { viewOnce: true } : {}),
    };
  }
  switch (kind) {
    case 'conversation':
      return said('text', { text: textOf(message[kind]) });
    case 'extendedTextMessage':
      return { ...said('text', { text: textOf(fields['text']) }), ...context };
    case 'protocolMessage':
      return describeProtocolMessage(fields);
    case 'reactionMessage':
      return said('reaction', { reaction: { emoji: textOf(fields['text']) ?? '', message_id: keyId(fields['key']) } });
    case 'locationMessage':
    case 'liveLocationMessage':
      return { ...said('location', { location: describeLocation(fields) }), ...context };
    case 'contactMessage':
      return { ...said('contact', { contacts: [describeCard(fields)] }), ...context };
    case 'contactsArrayMessage':
      return {
        ...said('contact', { contacts: listOf(fields['contacts']).map(fieldsOf).map(describeCard) }),
        ...context,
      };
    case 'pollCreationMessage':
    case 'pollCreationMessageV2':
    case 'pollCreationMessageV3':
      return { ...said('poll', { poll: describePoll(fields) }), ...context };
    case 'pollUpdateMessage':
      return said('poll_vote', { vote: describeVote(fields) });
    case 'pinInChatMessage':
      return said('pin');
    default:
      return {
        ...said(kind.replace(/Message(V\d)?$/, ''), {
          text: textOf(fields['text']),
          caption: textOf(fields['caption']),
        }),
        ...context,
      };
  }
}

function said(type: string, parts: Partial<Said> = {}): Said {
  return { type, text: null, caption: null, quotedId: null, ...parts };
}

function describeContext(context: Fields): Partial<Said> {
  const quotedId = textOf(context['stanzaId']);
  const mentions = listOf(context['mentionedJid']).flatMap((jid) => textOf(jid) ?? []);
  const expiration = numberOf(context['expiration']) ?? 0;
  return {
    ...(quotedId === null ? {} : { quotedId }),
    ...(mentions.length === 0 ? {} : { mentions }),
    ...(context['isForwarded'] === true ? { forwarded: true } : {}),
    ...(expiration === 0 ? {} : { ephemeralSeconds: expiration }),
  };
}

function describeProtocolMessage(fields: Fields): Said {
  // REVOKE is 0, the default, and may therefore be left out.
  const type = textOf(fields['type']) ?? 'REVOKE';
  switch (type) {
    case 'MESSAGE_EDIT':
      return { ...describe(fieldsOf(fields['editedMessage'])), type: 'edit', editOf: keyId(fields['key']) };
    case 'REVOKE':
      return said('delete', { deleteOf: keyId(fields['key']) });
    default:
      return said(type.toLowerCase());
  }
}

function describeLocation(fields: Fields): DescribedLocation {
  return {
    latitude: Number(fields['degreesLatitude'] ?? 0),
    longitude: Number(fields['degreesLongitude'] ?? 0),
    name: textOf(fields['name']),
    address: textOf(fields['address']),
  };
}

function describeCard(fields: Fields): ContactCard {
  return readVcard(textOf(fields['vcard']) ?? '', textOf(fields['displayName']));
}

function describePoll(fields: Fields): DescribedPoll {
  return {
    question: textOf(fields['name']) ?? '',
    options: listOf(fields['options']).map((option) => textOf(fieldsOf(option)['optionName']) ?? ''),
    selectable: numberOf(fields['selectableOptionsCount']) ?? 0,
  };
}

function describeVote(fields: Fields) {
  const vote = fieldsOf(fields['vote']);
  return {
    pollId: keyId(fields['pollCreationMessageKey']),
    encPayload: bytesOf(vote['encPayload']),
    encIv: bytesOf(vote['encIv']),
  };
}

function keyId(key: unknown): string {
  return textOf(fieldsOf(key)['id']) ?? '';
}
