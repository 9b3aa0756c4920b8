/** Files that decoders have tripped over: cut off, damaged, lying about what they are or how large. */
import { deflateRawSync, gzipSync } from 'node:zlib';
import sharp from 'sharp';
import { jpeg, mp3, mp4, oggOpus, png, pngBomb, wav } from './media-files.ts';

export interface HostileFile {
  readonly what: string;
  readonly bytes: Buffer;
}

/** Damaged in ways that the seed decides, and made as they are. */
export async function hostileFiles(random: () => number): Promise<readonly HostileFile[]> {
  const webp = await sharp({ create: { width: 64, height: 64, channels: 4, background: '#0000' } })
    .webp()
    .toBuffer();
  const whole: readonly (readonly [string, Buffer])[] = [
    ['PNG', await png(64, 48)],
    ['JPEG', await jpeg(64, 48)],
    ['WebP', webp],
    ['MP4', mp4({ seconds: 3, width: 64, height: 48 })],
    ['Ogg', oggOpus(Array.from({ length: 120 }, () => 60))],
    ['WAV', wav(1)],
    ['MP3', mp3(20)],
    [
      'PDF',
      Buffer.from('%PDF-1.7\n1 0 obj<</OpenAction<</S/JavaScript/JS(app.alert(1))>>>>endobj\ntrailer<</Root 1 0 R>>'),
    ],
  ];
  const broken = whole.flatMap(([name, bytes]) => [
    ...[1, 4, 12, 0.3, 0.7, 0.95].map((part) => ({
      what: `${name} cut off after ${part}`,
      bytes: bytes.subarray(0, part < 1 ? Math.ceil(bytes.length * part) : part),
    })),
    ...Array.from({ length: 6 }, (_, index) => ({ what: `${name} damaged ${index}`, bytes: damaged(bytes, random) })),
    { what: `${name} twice`, bytes: Buffer.concat([bytes, bytes]) },
    { what: `${name} and zeroes`, bytes: Buffer.concat([bytes, Buffer.alloc(100_000)]) },
  ]);
  return [...broken, ...bombs(), ...pretenders(await png(8, 8)), ...numbers()];
}

/** Some bytes replaced after the mark that tells the type, so that decoders really see them. */
function damaged(bytes: Buffer, random: () => number): Buffer {
  const copy = Buffer.from(bytes);
  const extremes = [0x00, 0xff, 0x7f, 0x80];
  for (let count = 0; count < 8; count += 1) {
    const at = 12 + Math.floor(random() * Math.max(1, copy.length - 12));
    if (at < copy.length) copy[at] = extremes[Math.floor(random() * extremes.length)] ?? 0;
  }
  return copy;
}

function bombs(): readonly HostileFile[] {
  return [
    { what: 'a PNG of 50,000 pixels a side', bytes: pngBomb(50_000) },
    { what: 'a PNG of 2^31 - 1 pixels a side', bytes: pngBomb(2 ** 31 - 1) },
    { what: 'a PNG of no pixels', bytes: pngBomb(0) },
    { what: 'a GIF of 65,535 pixels a side', bytes: gifBomb() },
    { what: 'a zip that unpacks to 10 MB', bytes: zipOf('bomb.txt', Buffer.alloc(10_000_000)) },
    { what: 'a zip with a path', bytes: zipOf('../../../../tmp/evil', Buffer.from('x')) },
    { what: 'a gzip of 10 MB', bytes: gzipSync(Buffer.alloc(10_000_000)) },
    {
      what: 'an SVG of a billion laughs',
      bytes: Buffer.from(
        '<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY a "aaaaaaaaaa">' +
          Array.from(
            { length: 9 },
            (_, at) => `<!ENTITY ${'bcdefghij'[at]} "${`&${'abcdefghi'[at]};`.repeat(10)}">`,
          ).join('') +
          ']><svg xmlns="http://www.w3.org/2000/svg"><text>&j;</text></svg>',
      ),
    },
    {
      what: 'an SVG that reads files',
      bytes: Buffer.from(
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="99999999" height="99999999">' +
          '<image xlink:href="file:///etc/passwd"/><image xlink:href="http://127.0.0.1/"/><script>alert(1)</script></svg>',
      ),
    },
  ];
}

/** One type by its beginning and another by its end. */
function pretenders(picture: Buffer): readonly HostileFile[] {
  const html = Buffer.from('<html><script>window.hacked = true</script></html>');
  return [
    { what: 'a PNG that is HTML', bytes: Buffer.concat([picture, html]) },
    { what: 'HTML that is a PNG', bytes: Buffer.concat([html, picture]) },
    { what: 'a GIF that is a script', bytes: Buffer.from('GIF89a/*\u0000\u0000*/=1;alert(1)//') },
    {
      what: 'a JPEG that is a zip',
      bytes: Buffer.concat([Buffer.from('ffd8ffe0', 'hex'), zipOf('a', Buffer.from('x'))]),
    },
    { what: 'a PDF that is a zip', bytes: Buffer.concat([Buffer.from('%PDF-1.4\n'), zipOf('a', Buffer.from('x'))]) },
    { what: 'a RIFF of nothing', bytes: Buffer.from('RIFF\u00ff\u00ff\u00ff\u00ffWEBPVP8 ', 'latin1') },
    { what: 'a shell script', bytes: Buffer.from('#!/bin/sh\nrm -rf /\n') },
    { what: 'a program', bytes: Buffer.from('7f454c4602010100', 'hex') },
    { what: 'an HLS playlist', bytes: Buffer.from('#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n') },
    { what: 'zeroes', bytes: Buffer.alloc(1000) },
    { what: 'nothing', bytes: Buffer.alloc(0) },
  ];
}

/** Whole files whose numbers no column holds. */
function numbers(): readonly HostileFile[] {
  const late = oggOpus(Array.from({ length: 60 }, () => 60));
  for (let page = late.indexOf('OggS', 1, 'latin1'); page !== -1; page = late.indexOf('OggS', page + 4, 'latin1')) {
    late.writeBigUInt64LE(2n ** 63n, page + 6);
  }
  const long = mp4({ seconds: 3, width: 64, height: 48 });
  const header = long.indexOf('mvhd', 0, 'latin1') + 4;
  // A time scale of one and as many seconds as 32 bits hold.
  long.writeUInt32BE(1, header + 12);
  long.writeUInt32BE(2 ** 32 - 1, header + 16);
  const endless = mp4({ seconds: 3, width: 64, height: 48 });
  const index = endless.indexOf('moov', 0, 'latin1') - 4;
  endless.writeUInt32BE(1, index);
  const still = mp4({ seconds: 3, width: 64, height: 48 });
  still.writeUInt32BE(0, still.indexOf('mvhd', 0, 'latin1') + 4 + 12);
  return [
    { what: 'an Ogg of six million years', bytes: late },
    { what: 'an MP4 of 136 years', bytes: long },
    { what: 'an MP4 with an index beyond its end', bytes: endless },
    { what: 'an MP4 without a time scale', bytes: still },
    { what: 'a WAV of no rate', bytes: zeroed(wav(1), 24, 32) },
    { what: 'a WAV of no channels', bytes: zeroed(wav(1), 22, 24) },
  ];
}

function zeroed(bytes: Buffer, from: number, to: number): Buffer {
  return Buffer.from(bytes).fill(0, from, to);
}

function gifBomb(): Buffer {
  const head = Buffer.from('GIF89a\u00ff\u00ff\u00ff\u00ff\u0000\u0000\u0000', 'latin1');
  const frame = Buffer.from(
    '\u002c\u0000\u0000\u0000\u0000\u00ff\u00ff\u00ff\u00ff\u0000\u0002\u0001\u0000\u0000',
    'latin1',
  );
  return Buffer.concat([head, ...Array.from({ length: 500 }, () => frame), Buffer.from(';')]);
}

/** A zip of one file. */
function zipOf(name: string, content: Buffer): Buffer {
  const packed = deflateRawSync(content);
  const facts = Buffer.alloc(26);
  facts.writeUInt16LE(20, 0);
  facts.writeUInt16LE(8, 4);
  facts.writeUInt32LE(packed.length, 14);
  facts.writeUInt32LE(content.length, 18);
  facts.writeUInt16LE(name.length, 22);
  const local = Buffer.concat([Buffer.from('504b0304', 'hex'), facts, Buffer.from(name), packed]);
  const central = Buffer.concat([Buffer.from('504b01021400', 'hex'), facts, Buffer.alloc(14), Buffer.from(name)]);
  const end = Buffer.alloc(22);
  end.write('504b0506', 'hex');
  end.writeUInt16LE(1, 8);
  end.writeUInt16LE(1, 10);
  end.writeUInt32LE(central.length, 12);
  end.writeUInt32LE(local.length, 16);
  return Buffer.concat([local, central, end]);
}
