/**
 * Messages of strangers in the size that the rest of the gateway is made for. WhatsApp's own applications let nobody write
 * 65,536 characters, but a stranger's client may send megabytes: such a message is told with its texts cut, instead of
 * never getting through the channel (`maxFrameBytes`). Pure.
 */
import { proto, unpadRandomMax16, type WAMessage } from '@whiskeysockets/baileys';
import { estimateBytes } from '../../contract/frame-size.ts';
import { trusted } from '../../contract/trusted.ts';

/**
 * What a message may take before it is cut. A text stands up to three times in a frame (row, event, caption), two bytes a
 * character, and once as up to three bytes of UTF-8.
 */
const fittingBytes = 192 * 1024;
/** Of one text, and of all texts together, in characters. */
const longest = { text: 65_536, together: 98_304 };
/** Of one picture or other binary part, bytes; what is larger is left out. */
const longestBinary = 16 * 1024;
const mostItems = 4096;
const longestName = 1024;
/** Of a plaintext as it is kept: other key changes have to fit beside it into one frame. */
const keptBytes = 512 * 1024;

/** The message itself when it fits; a copy otherwise, since the library goes on with what it has given. */
export function fittingMessage(message: WAMessage): WAMessage {
  const { pushName } = message;
  const isNameLong = typeof pushName === 'string' && pushName.length > longestName;
  const isFitting = estimateBytes(message.message, fittingBytes) <= fittingBytes;
  if (isFitting && !isNameLong) return message;
  const copy: WAMessage = { ...message };
  if (!isFitting) copy.message = shortened(message.message ?? null);
  if (isNameLong) copy.pushName = cut(pushName, longestName);
  return copy;
}

/** A decrypted, padded plaintext as the inbox may keep it: of a message that is too large one with its texts cut. */
export function keptPlaintext(plaintext: Uint8Array): Uint8Array {
  if (plaintext.byteLength <= keptBytes) return plaintext;
  const content = decoded(plaintext);
  // What is no message leaves an entry without content, which the next child settles.
  const bytes =
    content === null ? [] : proto.Message.encode(proto.Message.fromObject(trusted(shortened(content)))).finish();
  // The padding is as many bytes as it says, one at least.
  return Buffer.concat([Buffer.from(bytes), Buffer.of(1)]);
}

function decoded(plaintext: Uint8Array): proto.IMessage | null {
  try {
    return proto.Message.decode(unpadRandomMax16(plaintext));
  } catch {
    return null;
  }
}

function shortened<Content>(content: Content): Content {
  let left = longest.together;
  const copyOf = (value: unknown): unknown => {
    if (typeof value === 'string') {
      const text = cut(value, Math.min(longest.text, left));
      left -= text.length;
      return text;
    }
    if (value instanceof Uint8Array) return value.byteLength > longestBinary ? new Uint8Array() : value;
    if (typeof value !== 'object' || value === null || ('low' in value && 'high' in value)) return value;
    if (Array.isArray(value)) {
      const items: unknown[] = [];
      for (const item of value.slice(0, mostItems)) {
        if (left <= 0) break;
        items.push(copyOf(item));
      }
      return items;
    }
    return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, copyOf(field)]));
  };
  return trusted<Content>(copyOf(content));
}

/** Never through the middle of a character. */
const cut = (text: string, length: number): string =>
  text.length <= length ? text : text.slice(0, length).toWellFormed();
