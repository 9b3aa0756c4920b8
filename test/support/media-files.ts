/** Small files of each kind, made here: nothing in them but what their formats need. */
import { deflateSync, crc32 } from 'node:zlib';
import sharp from 'sharp';

export function png(width: number, height: number): Promise<Buffer> {
  return sharp({ create: { width, height, channels: 3, background: { r: 20, g: 120, b: 200 } } })
    .png()
    .toBuffer();
}

export function jpeg(width: number, height: number, orientation?: number): Promise<Buffer> {
  const picture = sharp({ create: { width, height, channels: 3, background: { r: 200, g: 120, b: 20 } } }).jpeg();
  return (orientation === undefined ? picture : picture.withMetadata({ orientation })).toBuffer();
}

/** A GIF of this many frames. */
export async function gif(frames: number): Promise<Buffer> {
  const pages = await Promise.all(
    Array.from({ length: frames }, (_, frame) =>
      sharp({ create: { width: 40, height: 30, channels: 3, background: { r: frame * 60, g: 0, b: 0 } } })
        .png()
        .toBuffer(),
    ),
  );
  return sharp(pages, { join: { animated: true } })
    .gif()
    .toBuffer();
}

/** A PNG that announces this many pixels, and holds none of them. */
export function pngBomb(side: number): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(side, 0);
  header.writeUInt32BE(side, 4);
  header.set([8, 2, 0, 0, 0], 8);
  return Buffer.concat([
    Buffer.from('89504e470d0a1a0a', 'hex'),
    pngChunk('IHDR', header),
    pngChunk('IDAT', deflateSync(Buffer.alloc(1000))),
    pngChunk('IEND', Buffer.alloc(0)),
  ]);
}

function pngChunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  const checksum = Buffer.alloc(4);
  checksum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, checksum]);
}

/** Ogg/Opus with packets of these sizes, each of 20 ms. */
export function oggOpus(packetSizes: readonly number[]): Buffer {
  const head = Buffer.alloc(19);
  head.write('OpusHead', 'latin1');
  head.set([1, 1], 8);
  head.writeUInt16LE(312, 10);
  head.writeUInt32LE(48_000, 12);
  const tags = Buffer.concat([Buffer.from('OpusTags', 'latin1'), Buffer.alloc(8)]);
  const pages = [
    oggPage([head], { granule: 0n, sequence: 0, flags: 2 }),
    oggPage([tags], { granule: 0n, sequence: 1, flags: 0 }),
  ];
  let granule = 312n;
  for (let start = 0; start < packetSizes.length; start += 50) {
    const packets = packetSizes.slice(start, start + 50).map((size) => Buffer.alloc(size, 0x78));
    granule += BigInt(packets.length) * 960n;
    const isLast = start + 50 >= packetSizes.length;
    pages.push(oggPage(packets, { granule, sequence: pages.length, flags: isLast ? 4 : 0 }));
  }
  return Buffer.concat(pages);
}

interface PageFacts {
  readonly granule: bigint;
  readonly sequence: number;
  readonly flags: number;
}

function oggPage(packets: readonly Buffer[], { granule, sequence, flags }: PageFacts): Buffer {
  const segments = packets.flatMap(({ length }) => [
    ...Array.from({ length: Math.floor(length / 255) }, () => 255),
    length % 255,
  ]);
  const header = Buffer.alloc(27);
  header.write('OggS', 'latin1');
  header[5] = flags;
  header.writeBigUInt64LE(granule, 6);
  header.writeUInt32LE(1, 14);
  header.writeUInt32LE(sequence, 18);
  header[26] = segments.length;
  const page = Buffer.concat([header, Buffer.from(segments), ...packets]);
  page.writeUInt32LE(oggChecksum(page), 22);
  return page;
}

/** CRC-32 of Ogg: polynomial 0x04c11db7, not reflected, nothing inverted. */
function oggChecksum(page: Buffer): number {
  let sum = 0;
  for (const byte of page) {
    sum = (sum ^ (byte << 24)) >>> 0;
    for (let bit = 0; bit < 8; bit++) sum = ((sum & 0x8000_0000) === 0 ? sum << 1 : (sum << 1) ^ 0x04c1_1db7) >>> 0;
  }
  return sum;
}

/** An MP4 with an index and nothing to play: a picture track (or none), and its length. */
export function mp4(facts: {
  readonly seconds: number;
  readonly width: number;
  readonly height: number;
  readonly brand?: string;
  readonly paddingBytes?: number;
}): Buffer {
  const { seconds, width, height, brand = 'isom' } = facts;
  const mvhd = Buffer.alloc(100);
  mvhd.writeUInt32BE(1000, 12);
  mvhd.writeUInt32BE(seconds * 1000, 16);
  const tkhd = Buffer.alloc(84);
  tkhd.writeUInt32BE(0x1_0000, 40);
  tkhd.writeUInt32BE(0x1_0000, 56);
  tkhd.writeUInt32BE(width * 0x1_0000, 76);
  tkhd.writeUInt32BE(height * 0x1_0000, 80);
  const hdlr = Buffer.alloc(25);
  hdlr.write(width === 0 ? 'soun' : 'vide', 8, 'latin1');
  const trak = box('trak', box('tkhd', tkhd), box('mdia', box('hdlr', hdlr)));
  const ftyp = box('ftyp', Buffer.from(`${brand}\0\0\0\0isom`, 'latin1'));
  return Buffer.concat([
    ftyp,
    box('free', Buffer.alloc(facts.paddingBytes ?? 5000)),
    box('moov', box('mvhd', mvhd), trak),
  ]);
}

function box(type: string, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  const head = Buffer.alloc(8);
  head.writeUInt32BE(body.length + 8);
  head.write(type, 4, 'latin1');
  return Buffer.concat([head, body]);
}

/** 16-bit silence. */
export function wav(seconds: number): Buffer {
  const data = Buffer.alloc(seconds * 16_000);
  const head = Buffer.alloc(44);
  head.write('RIFF', 'latin1');
  head.writeUInt32LE(36 + data.length, 4);
  head.write('WAVEfmt ', 8, 'latin1');
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20);
  head.writeUInt16LE(1, 22);
  head.writeUInt32LE(8000, 24);
  head.writeUInt32LE(16_000, 28);
  head.writeUInt16LE(2, 32);
  head.writeUInt16LE(16, 34);
  head.write('data', 36, 'latin1');
  head.writeUInt32LE(data.length, 40);
  return Buffer.concat([head, data]);
}

/** MPEG-1 layer III at 128 kbit/s and 44.1 kHz: frames of 26 ms that hold nothing. */
export function mp3(frames: number): Buffer {
  const frame = Buffer.alloc(417);
  frame.set([0xff, 0xfb, 0x90, 0x64]);
  return Buffer.concat(Array.from({ length: frames }, () => frame));
}
