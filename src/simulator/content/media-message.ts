/** Messages with media as simulated people write them; the file has been uploaded. */
import { assertNever } from '../../contract/assert-never.ts';
import type { MediaFile } from '../media/media-depot.ts';
import type { proto } from '../wire/proto.ts';
import { contextInfo, type MessageContext } from './context-info.ts';

export interface MediaFacts {
  readonly mimetype: string;
  readonly fileName: string | null;
  readonly caption: string | null;
  readonly seconds: number | null;
  /** A voice note. */
  readonly isPtt: boolean;
  readonly isViewOnce: boolean;
  readonly jpegThumbnail: Uint8Array | null;
  /** Unix seconds. */
  readonly at: number;
}

export function mediaMessage(file: MediaFile, facts: MediaFacts, context: MessageContext): proto.IMessage {
  const plain = plainMessage(file, facts, context);
  if (facts.isViewOnce) {
    // Phones put voice notes that can be heard once into another field.
    return file.kind === 'audio'
      ? { viewOnceMessageV2Extension: { message: plain } }
      : { viewOnceMessageV2: { message: plain } };
  }
  const isCaptionedDocument = file.kind === 'document' && facts.caption !== null;
  return isCaptionedDocument ? { documentWithCaptionMessage: { message: plain } } : plain;
}

function plainMessage(file: MediaFile, facts: MediaFacts, context: MessageContext): proto.IMessage {
  const common = {
    url: file.url,
    directPath: file.directPath,
    mediaKey: file.mediaKey,
    mediaKeyTimestamp: facts.at,
    fileSha256: file.fileSha256,
    fileEncSha256: file.fileEncSha256,
    fileLength: file.fileLength,
    mimetype: facts.mimetype,
    contextInfo: contextInfo(context),
  };
  const { caption, seconds, jpegThumbnail } = facts;
  const viewOnce = facts.isViewOnce ? true : null;
  switch (file.kind) {
    case 'image':
      return { imageMessage: { ...common, caption, jpegThumbnail, viewOnce } };
    case 'video':
      return { videoMessage: { ...common, caption, seconds, jpegThumbnail, viewOnce } };
    case 'audio':
      return { audioMessage: { ...common, seconds, ptt: facts.isPtt, viewOnce } };
    case 'document':
      return {
        documentMessage: {
          ...common,
          caption,
          fileName: facts.fileName ?? 'file',
          title: facts.fileName,
          jpegThumbnail,
        },
      };
    case 'sticker':
      return { stickerMessage: common };
    default:
      return assertNever(file.kind);
  }
}
