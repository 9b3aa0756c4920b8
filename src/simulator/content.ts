/**
 * What a decrypted message says, in the terms of the sandbox's inbox. How simulated people write messages stands in
 * `content/`, a file per kind.
 */
import { proto } from './wire/proto.ts';

export interface DescribedContent {
  /** `text`, `image`, `reaction`, `edit`, `delete` …: WhatsApp's own field name without `Message` for all other kinds. */
  readonly type: string;
  readonly text: string | null;
  readonly caption: string | null;
  readonly quotedId: string | null;
  /** The protobuf as JSON: bytes in base64, enumerations by name. */
  readonly raw: unknown;
}

type Fields = Readonly<Record<string, unknown>>;

/** Fields beside the content itself. */
const ENVELOPE_FIELDS = new Set(['messageContextInfo', 'senderKeyDistributionMessage']);
/** Fields that hold another whole message. */
const WRAPPERS = new Set([
  'ephemeralMessage',
  'viewOnceMessage',
  'viewOnceMessageV2',
  'documentWithCaptionMessage',
  'editedMessage',
]);

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

function describe(message: Fields): Omit<DescribedContent, 'raw'> {
  const kind = Object.keys(message).find((key) => !ENVELOPE_FIELDS.has(key));
  if (kind === undefined) return { type: 'empty', text: null, caption: null, quotedId: null };
  const fields = fieldsOf(message[kind]);
  if (WRAPPERS.has(kind)) return describe(fieldsOf(fields['message']));
  const quotedId = textOf(fieldsOf(fields['contextInfo'])['stanzaId']);
  switch (kind) {
    case 'conversation':
      return { type: 'text', text: textOf(message[kind]), caption: null, quotedId: null };
    case 'extendedTextMessage':
      return { type: 'text', text: textOf(fields['text']), caption: null, quotedId };
    case 'protocolMessage':
      return describeProtocolMessage(fields);
    default:
      return {
        type: kind.replace(/Message(V\d)?$/, ''),
        text: textOf(fields['text']),
        caption: textOf(fields['caption']),
        quotedId,
      };
  }
}

function describeProtocolMessage(fields: Fields): Omit<DescribedContent, 'raw'> {
  // REVOKE is 0, the default, and may therefore be left out.
  const type = textOf(fields['type']) ?? 'REVOKE';
  switch (type) {
    case 'MESSAGE_EDIT':
      return { ...describe(fieldsOf(fields['editedMessage'])), type: 'edit' };
    case 'REVOKE':
      return { type: 'delete', text: null, caption: null, quotedId: null };
    default:
      return { type: type.toLowerCase(), text: null, caption: null, quotedId: null };
  }
}

function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? Object.fromEntries(Object.entries(value)) : {};
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}
