/** Pure. Which content may be sent as which kind of media, and what its type is called. */
import { assertNever } from '../contract/assert-never.ts';
import type { PreparedMedia } from '../contract/ipc.ts';

export type MediaKind = PreparedMedia['kind'];

/** What WhatsApp's clients play and show as they are. */
const plainImages: ReadonlySet<string> = new Set(['image/jpeg', 'image/png']);
/** What is turned into a JPEG first. */
const convertibleImages: ReadonlySet<string> = new Set(['image/webp', 'image/gif', 'image/avif', 'image/tiff']);
const playableVideos: ReadonlySet<string> = new Set(['video/mp4', 'video/3gpp', 'video/quicktime']);
const playableAudio: ReadonlySet<string> = new Set(['audio/ogg', 'audio/mpeg', 'audio/mp4', 'audio/aac', 'audio/amr']);
/** What ffmpeg turns into Ogg/Opus. */
const convertibleAudio: ReadonlySet<string> = new Set(['audio/wav', 'audio/flac', 'video/webm', 'video/x-matroska']);

/** What has to be done with content of a type before it can be sent as a kind; `ftyp` may hold audio or video. */
export type Treatment = 'as_is' | 'to_jpeg' | 'to_opus' | 'to_sticker' | 'unfit';

export function treatmentOf(kind: MediaKind, type: string | null): Treatment {
  switch (kind) {
    case 'document':
      return 'as_is';
    case 'image':
      if (type !== null && plainImages.has(type)) return 'as_is';
      return type !== null && convertibleImages.has(type) ? 'to_jpeg' : 'unfit';
    case 'sticker':
      return type !== null && (plainImages.has(type) || convertibleImages.has(type)) ? 'to_sticker' : 'unfit';
    case 'video':
      return type !== null && playableVideos.has(type) ? 'as_is' : 'unfit';
    case 'audio':
      if (type !== null && (playableAudio.has(type) || type === 'video/mp4')) return 'as_is';
      return type !== null && convertibleAudio.has(type) ? 'to_opus' : 'unfit';
    default:
      return assertNever(kind);
  }
}

/** What a kind takes, as an error tells it. */
export const takenBy = {
  image: 'a JPEG, PNG, WebP, GIF, AVIF or TIFF picture',
  sticker: 'a WebP, PNG, JPEG, GIF, AVIF or TIFF picture',
  video: 'an MP4, 3GP or QuickTime video',
  audio: 'Ogg/Opus, MP3, M4A, AAC or AMR audio',
  document: 'a file that is not empty',
} as const satisfies Record<MediaKind, string>;

/** The kind under which content of a type is uploaded when nobody says one. */
export function kindOf(type: string | null): MediaKind {
  for (const kind of ['image', 'video', 'audio'] as const) {
    if (treatmentOf(kind, type) === 'as_is') return kind;
  }
  return 'document';
}

/**
 * Whether a declared type cannot be right for content of the type found: a page that claims to be a picture. Containers
 * that hold several things, and types that say nothing, contradict nothing.
 */
export function contradicts(declared: string | null, found: string | null): boolean {
  if (declared === null || found === null) return false;
  const [said, seen] = [essenceOf(declared), essenceOf(found)];
  if (said === seen || said === 'application/octet-stream' || said === 'binary/octet-stream') return false;
  const [saidFamily, seenFamily] = [familyOf(said), familyOf(seen)];
  if (saidFamily === seenFamily) return false;
  if (seen === 'application/zip' || seen === 'application/x-ole-storage') return saidFamily !== 'application';
  const isAudiovisual = (family: string): boolean => family === 'audio' || family === 'video';
  return !(
    isAudiovisual(seenFamily) &&
    (isAudiovisual(saidFamily) || said === 'application/ogg' || said === 'application/mp4')
  );
}

/** A type without its parameters, in lower case. */
export const essenceOf = (type: string): string => (type.split(';', 1)[0] ?? '').trim().toLowerCase();
const familyOf = (type: string): string => type.split('/', 1)[0] ?? '';

const typesByExtension: Readonly<Record<string, string>> = {
  csv: 'text/csv',
  doc: 'application/msword',
  docx: 'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
  epub: 'application/epub+zip',
  html: 'text/html',
  ics: 'text/calendar',
  json: 'application/json',
  md: 'text/markdown',
  odp: 'application/vnd.oasis.opendocument.presentation',
  ods: 'application/vnd.oasis.opendocument.spreadsheet',
  odt: 'application/vnd.oasis.opendocument.text',
  pdf: 'application/pdf',
  ppt: 'application/vnd.ms-powerpoint',
  pptx: 'application/vnd.openxmlformats-officedocument.presentationml.presentation',
  rtf: 'application/rtf',
  txt: 'text/plain',
  vcf: 'text/vcard',
  xls: 'application/vnd.ms-excel',
  xlsx: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
  xml: 'application/xml',
  zip: 'application/zip',
};

/** The type of a document: as declared, by the end of its name, by its content; whichever says most. */
export function documentType(facts: {
  readonly declared: string | null;
  readonly fileName: string | null;
  readonly found: string | null;
}): string {
  const { declared, fileName, found } = facts;
  if (declared !== null && essenceOf(declared) !== 'application/octet-stream') return declared;
  const extension = /\.([A-Za-z0-9]{1,10})$/.exec(fileName ?? '')?.[1]?.toLowerCase() ?? '';
  const named = typesByExtension[extension] ?? null;
  // A name may lie about a picture, but content cannot tell one office document from another.
  if (named !== null && !contradicts(named, found)) return named;
  return found ?? 'application/octet-stream';
}

/** A name that is safe to show and to save under: no folders, no control characters. Null when nothing is left. */
export function safeFileName(name: string | null | undefined): string | null {
  const last = (name ?? '').split(/[/\\]/).at(-1) ?? '';
  // oxlint-disable-next-line no-control-regex -- they are what has to go
  const clean = last.replaceAll(/[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g, '').trim();
  return clean === '' || clean === '.' || clean === '..' ? null : clean.slice(0, 255).toWellFormed();
}
