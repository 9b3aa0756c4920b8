/** Where the file of a message lies at WhatsApp, read from its content. Pure. */
import { normalizeMessageContent } from '@whiskeysockets/baileys';
import type { MediaLocation } from '../../contract/ipc.ts';
import type { MessageContent } from './message-content.ts';

/** The parts of a message that name a file; stickers have the keys of images. */
interface FilePart {
  readonly url?: string | null;
  readonly directPath?: string | null;
  readonly mediaKey?: Uint8Array | null;
  readonly fileSha256?: Uint8Array | null;
  readonly fileEncSha256?: Uint8Array | null;
  readonly fileLength?: unknown;
  readonly mimetype?: string | null;
  readonly fileName?: string | null;
  readonly seconds?: number | null;
}

const mediaKeyBytes = 32;
const noBytes = new Uint8Array();

/** Null for a message without a file, and for one that names no key: nobody can read that. */
export function mediaLocationOf(message: MessageContent | null | undefined): MediaLocation | null {
  const content = normalizeMessageContent(message);
  if (!content) return null;
  const { imageMessage, videoMessage, ptvMessage, audioMessage, documentMessage, stickerMessage } = content;
  return (
    located('image', imageMessage) ??
    located('video', videoMessage ?? ptvMessage) ??
    located('audio', audioMessage) ??
    located('document', documentMessage) ??
    located('sticker', stickerMessage)
  );
}

function located(kind: MediaLocation['kind'], part: FilePart | null | undefined): MediaLocation | null {
  if (!part || part.mediaKey?.byteLength !== mediaKeyBytes || (!part.url && !part.directPath)) return null;
  // A long integer of the protobuf library, a number, or null.
  const bytes = Number(part.fileLength ?? Number.NaN);
  return {
    kind,
    url: part.url || null,
    directPath: part.directPath || null,
    mediaKey: part.mediaKey,
    fileSha256: part.fileSha256 ?? noBytes,
    fileEncSha256: part.fileEncSha256 ?? noBytes,
    fileLength: Number.isSafeInteger(bytes) && bytes >= 0 ? bytes : null,
    mimetype: part.mimetype || null,
    fileName: part.fileName || null,
    seconds: part.seconds || null,
  };
}
