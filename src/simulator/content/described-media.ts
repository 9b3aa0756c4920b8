/** Pure. What a message says of its media. */
import type { MediaFile } from '../media/media-depot.ts';
import type { MediaKind } from '../media/media-keys.ts';
import { bytesOf, type Fields, numberOf, textOf } from './fields.ts';

export interface DescribedMedia {
  readonly file: MediaFile;
  readonly mimetype: string | null;
  readonly fileName: string | null;
  readonly seconds: number | null;
  readonly isPtt: boolean;
  /** The JPEG that the message itself carries, in base64. */
  readonly jpegThumbnail: string | null;
}

/** Field names of messages with media. */
export const mediaKinds: Readonly<Record<string, MediaKind>> = {
  imageMessage: 'image',
  videoMessage: 'video',
  ptvMessage: 'video',
  audioMessage: 'audio',
  documentMessage: 'document',
  stickerMessage: 'sticker',
};

export function describeMedia(kind: MediaKind, fields: Fields): DescribedMedia {
  return {
    file: {
      kind,
      mediaKey: bytesOf(fields['mediaKey']),
      directPath: textOf(fields['directPath']) ?? '',
      url: textOf(fields['url']) ?? '',
      fileSha256: bytesOf(fields['fileSha256']),
      fileEncSha256: bytesOf(fields['fileEncSha256']),
      fileLength: numberOf(fields['fileLength']) ?? 0,
    },
    mimetype: textOf(fields['mimetype']),
    fileName: textOf(fields['fileName']),
    seconds: numberOf(fields['seconds']),
    isPtt: fields['ptt'] === true,
    jpegThumbnail: textOf(fields['jpegThumbnail']) || null,
  };
}
