/** Turns a spooled file of known type into media of a kind: converted where it must be, with what a message says of it. */
import { assertNever } from '../contract/assert-never.ts';
import { WardenError } from '../contract/errors.ts';
import type { PreparedMedia } from '../contract/ipc.ts';
import type { Ffmpeg } from './ffmpeg.ts';
import { documentType, essenceOf, takenBy, treatmentOf, type MediaKind } from './media-kinds.ts';
import type { MediaTasks } from './media-tasks.ts';
import { readMp4Facts } from './mp4-facts.ts';
import { barsOf } from './ogg-opus.ts';
import type { Spool, SpooledFile } from './spool.ts';

export interface DescribeTools {
  readonly spool: Spool;
  readonly tasks: MediaTasks;
  /** Null where it is not installed. */
  readonly ffmpeg: Ffmpeg | null;
}

export interface MediaFile {
  readonly file: SpooledFile;
  readonly kind: MediaKind;
  /** By its content; null for content without a mark. */
  readonly type: string | null;
  readonly declaredType: string | null;
  readonly fileName: string | null;
  readonly isVoiceNote: boolean;
}

const nothing = {
  width: null,
  height: null,
  seconds: null,
  waveform: null,
  thumbnail: null,
  isAnimated: false,
} as const;

/**
 * The file may be replaced by another one of the spool; the old one is released then. Throws
 * `media_type_not_supported`, `converter_missing`.
 */
export async function describeMedia(
  tools: DescribeTools,
  media: MediaFile,
  signal: AbortSignal,
): Promise<PreparedMedia> {
  const { kind } = media;
  switch (kind) {
    case 'document':
      return {
        ...basics(media),
        ...nothing,
        mimetype: documentType({ ...media, declared: media.declaredType, found: media.type }),
      };
    case 'image':
      return describeImage(tools, media, signal);
    case 'sticker':
      return describeSticker(tools, media, signal);
    case 'video':
      return describeVideo(tools, media, signal);
    case 'audio':
      return describeAudio(tools, media, signal);
    default:
      return assertNever(kind);
  }
}

/** What a file of this type has to go through; throws for what cannot be sent as this kind. */
export function requireFit({ kind, type }: Pick<MediaFile, 'kind' | 'type'>): ReturnType<typeof treatmentOf> {
  const treatment = treatmentOf(kind, type === null ? null : essenceOf(type));
  if (treatment === 'unfit') throw unfit(kind, type);
  return treatment;
}

async function describeImage(tools: DescribeTools, given: MediaFile, signal: AbortSignal): Promise<PreparedMedia> {
  const { tasks, spool } = tools;
  const describe = async (media: MediaFile): Promise<PreparedMedia> => {
    const { width, height, thumbnail } = await decoding(media, tasks.describePicture(media.file.path, signal));
    return { ...basics(media), ...nothing, width, height, thumbnail };
  };
  if (requireFit(given) === 'as_is') return describe(given);
  return replaced(spool, given, {
    type: 'image/jpeg',
    write: (to) => tasks.toJpeg({ from: given.file.path, to }, signal),
    describe,
  });
}

async function describeSticker(
  { spool, tasks }: DescribeTools,
  given: MediaFile,
  signal: AbortSignal,
): Promise<PreparedMedia> {
  requireFit(given);
  let isAnimated = false;
  return replaced(spool, given, {
    type: 'image/webp',
    write: async (to) => {
      ({ isAnimated } = await tasks.toSticker({ from: given.file.path, to }, signal));
    },
    describe: async (media) => ({ ...basics(media), ...nothing, width: 512, height: 512, isAnimated }),
  });
}

async function describeVideo(
  { tasks, ffmpeg }: DescribeTools,
  media: MediaFile,
  signal: AbortSignal,
): Promise<PreparedMedia> {
  requireFit(media);
  const { path } = media.file;
  const facts = await decoding(media, readMp4Facts(path));
  if (facts === null || !facts.hasVideo) throw unfit('video', 'no video in it');
  const { seconds, width, height } = facts;
  return {
    ...basics(media),
    ...nothing,
    width,
    height,
    seconds: rounded(seconds),
    thumbnail: await frame(),
  };

  /** A video without a preview is a video all the same. */
  async function frame(): Promise<Uint8Array | null> {
    const picture = await ffmpeg?.firstFrame(path, signal).catch(() => null);
    return picture ? tasks.shrinkPicture(picture, signal).catch(() => null) : null;
  }
}

async function describeAudio(tools: DescribeTools, given: MediaFile, signal: AbortSignal): Promise<PreparedMedia> {
  const { tasks, ffmpeg, spool } = tools;
  const treatment = requireFit(given);
  const described = await describe(given);
  const mustBeOpus = treatment === 'to_opus' || (given.isVoiceNote && !described.isOpus);
  if (!mustBeOpus) return present(given, described);
  if (ffmpeg === null) throw new WardenError('converter_missing');
  return replaced(spool, given, {
    type: 'audio/ogg; codecs=opus',
    write: (to) => ffmpeg.toVoiceNote({ from: given.file.path, to }, signal),
    describe: async (media) => present(media, await describe(media)),
  });

  async function describe(media: MediaFile) {
    if (media.type === 'video/mp4' && (await decoding(media, readMp4Facts(media.file.path)))?.hasVideo === true) {
      throw unfit('audio', 'a video');
    }
    return decoding(media, tasks.describeAudio({ path: media.file.path, type: media.type ?? '' }, signal));
  }

  async function present(
    media: MediaFile,
    { seconds, waveform, isOpus }: Awaited<ReturnType<MediaTasks['describeAudio']>>,
  ): Promise<PreparedMedia> {
    const mimetype = media.type === 'video/mp4' ? 'audio/mp4' : basics(media).mimetype;
    return {
      ...basics(media),
      ...nothing,
      mimetype,
      seconds: rounded(seconds),
      waveform: isOpus ? await bars() : null,
    };

    async function bars(): Promise<Uint8Array | null> {
      const loudness = await ffmpeg?.loudness(media.file.path, signal).catch(() => null);
      return loudness ? barsOf(loudness) : waveform;
    }
  }
}

function basics({ kind, file, type, fileName }: MediaFile) {
  return {
    kind,
    source: { tag: 'file', path: file.path },
    mimetype: type ?? 'application/octet-stream',
    bytes: file.bytes,
    fileName,
  } as const;
}

interface Replacement {
  readonly type: string;
  /** Writes the new file. */
  readonly write: (to: string) => Promise<void>;
  readonly describe: (media: MediaFile) => Promise<PreparedMedia>;
}

/** Media whose file another one takes the place of; when that fails the old one is still there, and nothing else. */
async function replaced(
  spool: Spool,
  media: MediaFile,
  { type, write, describe }: Replacement,
): Promise<PreparedMedia> {
  const to = spool.newPath();
  try {
    await decoding(media, write(to));
    const file = await spool.adoptWritten(to);
    const described = await describe({ ...media, file, type });
    await spool.release(media.file.path);
    return described;
  } catch (error) {
    await spool.discard(to);
    throw error;
  }
}

/** What cannot be decoded is the fault of the file. */
async function decoding<Value>({ kind }: MediaFile, work: Promise<Value>): Promise<Value> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof WardenError) throw error;
    throw new WardenError('media_type_not_supported', {
      details: [{ field: 'file', expected: takenBy[kind], received: 'a file that cannot be decoded' }],
      cause: error,
    });
  }
}

export function unfit(kind: MediaKind, type: string | null): WardenError {
  return new WardenError('media_type_not_supported', {
    details: [{ field: 'file', expected: takenBy[kind], received: type ?? 'content of an unknown type' }],
  });
}

/** WhatsApp counts whole seconds; something that is heard lasts one at least. */
const rounded = (seconds: number | null): number | null => (seconds === null ? null : Math.max(1, Math.round(seconds)));
