/** Length and size of an MP4, 3GP or QuickTime file, read from its boxes (ISO/IEC 14496-12): no decoder, a few reads. */
import { open, type FileHandle } from 'node:fs/promises';

export interface Mp4Facts {
  readonly seconds: number | null;
  /** As shown, rotation included; null without a video track. */
  readonly width: number | null;
  readonly height: number | null;
  readonly hasVideo: boolean;
}

interface Box {
  readonly type: string;
  readonly from: number;
  readonly to: number;
}

/** Larger indexes belong to films of many hours. */
const maxMoovBytes = 32 * 1024 * 1024;
const maxTopBoxes = 10_000;

/** Null for a file without an index. */
export async function readMp4Facts(path: string): Promise<Mp4Facts | null> {
  const file = await open(path, 'r');
  try {
    const moov = await findMoov(file, (await file.stat()).size);
    return moov === null ? null : factsOf(moov);
  } finally {
    await file.close();
  }
}

async function findMoov(file: FileHandle, bytes: number): Promise<Buffer | null> {
  const header = Buffer.alloc(16);
  for (let at = 0, seen = 0; at + 8 <= bytes && seen < maxTopBoxes; seen++) {
    const { bytesRead } = await file.read(header, 0, 16, at);
    if (bytesRead < 8) return null;
    const box = boxAt(header, { at: 0, base: at, end: bytes });
    if (box === null) return null;
    if (box.type === 'moov') {
      const size = box.to - box.from;
      if (size > maxMoovBytes) return null;
      const moov = Buffer.alloc(size);
      await file.read(moov, 0, size, box.from);
      return moov;
    }
    at = box.to;
  }
  return null;
}

function boxAt(
  buffer: Buffer,
  { at, base, end }: { readonly at: number; readonly base: number; readonly end: number },
): Box | null {
  if (at + 8 > buffer.length) return null;
  const type = buffer.toString('latin1', at + 4, at + 8);
  let size = buffer.readUInt32BE(at);
  let headerSize = 8;
  if (size === 1) {
    if (at + 16 > buffer.length) return null;
    size = Number(buffer.readBigUInt64BE(at + 8));
    headerSize = 16;
  }
  const from = base + at + headerSize;
  const to = size === 0 ? end : base + at + size;
  return to < from || to > end ? null : { type, from, to };
}

function* boxesIn(buffer: Buffer, from: number, to: number): Generator<Box> {
  for (let at = from; at < to;) {
    const box = boxAt(buffer, { at, base: 0, end: to });
    if (box === null) return;
    yield box;
    at = box.to;
  }
}

/** Pure. */
function factsOf(moov: Buffer): Mp4Facts {
  let seconds: number | null = null;
  let size: { width: number; height: number } | null = null;
  let hasVideo = false;
  for (const box of boxesIn(moov, 0, moov.length)) {
    if (box.type === 'mvhd') seconds = durationOf(moov.subarray(box.from, box.to));
    if (box.type !== 'trak') continue;
    const inner = [...boxesIn(moov, box.from, box.to)];
    const media = inner.find(({ type }) => type === 'mdia');
    const handler = media && [...boxesIn(moov, media.from, media.to)].find(({ type }) => type === 'hdlr');
    if (!handler || moov.toString('latin1', handler.from + 8, handler.from + 12) !== 'vide') continue;
    hasVideo = true;
    const head = inner.find(({ type }) => type === 'tkhd');
    if (head) size ??= sizeOf(moov.subarray(head.from, head.to));
  }
  return { seconds, width: size?.width ?? null, height: size?.height ?? null, hasVideo };
}

function durationOf(box: Buffer): number | null {
  const isLong = box[0] === 1;
  if (box.length < (isLong ? 32 : 20)) return null;
  const scale = box.readUInt32BE(isLong ? 20 : 12);
  const duration = isLong ? Number(box.readBigUInt64BE(24)) : box.readUInt32BE(16);
  return scale === 0 ? null : duration / scale;
}

/** The last eight bytes are width and height in 16.16; the matrix before them says whether it lies on its side. */
function sizeOf(box: Buffer): { width: number; height: number } | null {
  if (box.length < 84) return null;
  const width = box.readUInt32BE(box.length - 8) >>> 16;
  const height = box.readUInt32BE(box.length - 4) >>> 16;
  if (width === 0 || height === 0) return null;
  const isTurned = box.readInt32BE(box.length - 44) === 0 && box.readInt32BE(box.length - 40) !== 0;
  return isTurned ? { width: height, height: width } : { width, height };
}
