/** Runs in a worker thread of the pool in media-tasks.ts: what decodes pictures or reads whole files. */
import { readFile, writeFile } from 'node:fs/promises';
import { parseFile } from 'music-metadata';
import sharp, { type Sharp } from 'sharp';
import { opusFacts } from './ogg-opus.ts';

sharp.cache(false);
sharp.concurrency(1);

export interface PictureFacts {
  /** As shown: the camera's orientation is applied. */
  readonly width: number;
  readonly height: number;
  readonly isAnimated: boolean;
  /** A JPEG of at most 100 pixels. */
  readonly thumbnail: Uint8Array;
}

export interface AudioFacts {
  readonly seconds: number | null;
  /** Of Ogg/Opus only. */
  readonly waveform: Uint8Array | null;
  readonly isOpus: boolean;
}

interface Conversion {
  readonly from: string;
  readonly to: string;
}

/** Of all frames together; more is a bomb, or nothing that a phone would show. */
const maxPixels = 64_000_000;
const thumbnailPixels = 100;
const stickerPixels = 512;
/** Larger stickers are not shown. */
const stickerBytes = { still: 100 * 1024, animated: 500 * 1024 };
const stickerQualities = [90, 75, 60, 45, 30, 15];

function decode(path: string, isAnimated: boolean): Sharp {
  return sharp(path, { limitInputPixels: maxPixels, animated: isAnimated, failOn: 'error', sequentialRead: true });
}

export async function describePicture(path: string): Promise<PictureFacts> {
  const { width, height, autoOrient, pages = 1 } = await decode(path, false).metadata();
  const shown = autoOrient ?? { width, height };
  return { ...shown, isAnimated: pages > 1, thumbnail: await thumbnail(decode(path, false)) };
}

/** Of a JPEG or PNG in memory, such as a frame of a video. */
export function shrinkPicture(bytes: Uint8Array): Promise<Uint8Array> {
  return thumbnail(sharp(bytes, { limitInputPixels: maxPixels }));
}

function thumbnail(picture: Sharp): Promise<Uint8Array> {
  return picture
    .autoOrient()
    .resize(thumbnailPixels, thumbnailPixels, { fit: 'inside', withoutEnlargement: true })
    .flatten({ background: '#ffffff' })
    .jpeg({ quality: 60 })
    .toBuffer();
}

export async function toJpeg({ from, to }: Conversion): Promise<null> {
  await decode(from, false).autoOrient().flatten({ background: '#ffffff' }).jpeg({ quality: 90 }).toFile(to);
  return null;
}

/** A WebP of 512 × 512 pixels with transparent margins; what moves goes on moving. */
export async function toSticker({ from, to }: Conversion): Promise<{ readonly isAnimated: boolean }> {
  const facts = await decode(from, false).metadata();
  const isAnimated = (facts.pages ?? 1) > 1;
  const limit = isAnimated ? stickerBytes.animated : stickerBytes.still;
  if (facts.format === 'webp' && facts.width === stickerPixels && facts.height === stickerPixels) {
    const bytes = await readFile(from);
    if (bytes.length <= limit) {
      await writeFile(to, bytes, { mode: 0o600 });
      return { isAnimated };
    }
  }
  let best: Uint8Array | null = null;
  for (const quality of stickerQualities) {
    best = await decode(from, isAnimated)
      .autoOrient()
      .resize(stickerPixels, stickerPixels, { fit: 'contain', background: { r: 0, g: 0, b: 0, alpha: 0 } })
      .webp({ quality, effort: isAnimated ? 2 : 4 })
      .toBuffer();
    if (best.length <= limit) break;
  }
  await writeFile(to, best ?? new Uint8Array(), { mode: 0o600 });
  return { isAnimated };
}

/** Throws for what is no audio. */
export async function describeAudio({
  path,
  type,
}: {
  readonly path: string;
  readonly type: string;
}): Promise<AudioFacts> {
  if (type.startsWith('audio/ogg')) {
    const opus = opusFacts(await readFile(path));
    if (opus !== null) return { ...opus, isOpus: true };
  }
  const { format } = await parseFile(path, { duration: true, skipCovers: true });
  if (format.codec === undefined && format.container === undefined) throw new Error('no audio');
  return { seconds: format.duration ?? null, waveform: null, isOpus: false };
}
