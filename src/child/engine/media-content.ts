/** Messages with a file: what was uploaded, and what the message says of it. */
import type { proto, WASocket } from '@whiskeysockets/baileys';
import { assertNever } from '../../contract/assert-never.ts';
import { WardenError } from '../../contract/errors.ts';
import type { PreparedMedia } from '../../contract/ipc.ts';
import { decodeContent, type MessageContent } from './message-content.ts';
import { uploadFile } from './media-upload.ts';

/** What a sender says of a file; the rest is known from the file itself. */
export interface MediaWords {
  readonly caption?: string | undefined;
  readonly fileName?: string | undefined;
  readonly isViewOnce?: boolean | undefined;
  /** A voice note. */
  readonly isPtt?: boolean | undefined;
  /** A video that plays in a loop without sound. */
  readonly isGif?: boolean | undefined;
  /** A round video note. */
  readonly isPtv?: boolean | undefined;
}

interface UploadSettings {
  readonly timeoutMs: number;
  /** Unix milliseconds. */
  readonly now: number;
}

/** The bare message with the file, uploaded now or earlier. Throws what `uploadFile` throws. */
export async function uploadedContent(
  sock: WASocket,
  media: PreparedMedia,
  { timeoutMs, now }: UploadSettings,
): Promise<MessageContent> {
  const { kind, source } = media;
  if (source.tag === 'uploaded') return decodeContent(source.content);
  const file = {
    ...(await uploadFile(sock, { kind, path: source.path, timeoutMs })),
    mediaKeyTimestamp: Math.floor(now / 1000),
    mimetype: media.mimetype,
  };
  const { width, height, seconds, thumbnail: jpegThumbnail, waveform, fileName } = media;
  switch (kind) {
    case 'image':
      return { imageMessage: { ...file, width, height, jpegThumbnail } };
    case 'video':
      return { videoMessage: { ...file, width, height, seconds, jpegThumbnail } };
    case 'audio':
      return { audioMessage: { ...file, seconds, waveform } };
    case 'document':
      return { documentMessage: { ...file, fileName: fileName ?? 'file', title: fileName ?? 'file', jpegThumbnail } };
    case 'sticker':
      return { stickerMessage: { ...file, width, height, isAnimated: media.isAnimated, stickerSentTs: now } };
    default:
      return assertNever(kind);
  }
}

/** The message as it goes out. Pure; throws `media_type_not_supported` when the file is not of that kind. */
export function worded(bare: MessageContent, kind: PreparedMedia['kind'], words: MediaWords): MessageContent {
  const viewOnce = words.isViewOnce === true ? true : null;
  const caption = words.caption ?? null;
  const once = (message: MessageContent): MessageContent =>
    viewOnce === null ? message : { viewOnceMessageV2: { message } };
  switch (kind) {
    case 'image':
      return once({ imageMessage: { ...part(bare.imageMessage), caption, viewOnce } });
    case 'video': {
      const video = part(bare.videoMessage);
      // A video note has no caption.
      if (words.isPtv === true) return once({ ptvMessage: { ...video, viewOnce } });
      return once({ videoMessage: { ...video, caption, gifPlayback: words.isGif === true, viewOnce } });
    }
    case 'audio': {
      const audioMessage: proto.Message.IAudioMessage = {
        ...part(bare.audioMessage),
        ptt: words.isPtt === true,
        viewOnce,
      };
      if (words.isPtt !== true) audioMessage.waveform = null;
      // Phones put voice notes that can be heard once into another field.
      return viewOnce === null ? { audioMessage } : { viewOnceMessageV2Extension: { message: { audioMessage } } };
    }
    case 'document': {
      const document = part(bare.documentMessage);
      const fileName = words.fileName ?? document.fileName ?? 'file';
      return { documentMessage: { ...document, caption, fileName, title: fileName } };
    }
    case 'sticker':
      return { stickerMessage: part(bare.stickerMessage) };
    default:
      return assertNever(kind);
  }
}

function part<Part extends object>(found: Part | null | undefined): Part {
  if (!found) throw new WardenError('media_type_not_supported', { message: 'What was uploaded is of another kind.' });
  return found;
}
