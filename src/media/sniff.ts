/** Pure. The type of a file by its first bytes: what matters for sending, and what must not be taken for it. */

/** So many bytes from the beginning are enough. */
export const headBytes = 4096;

/** Null for content that has no mark, such as text. */
export function sniff(head: Uint8Array): string | null {
  const bytes = Buffer.from(head.buffer, head.byteOffset, head.byteLength);
  for (const { mark, at = 0, type } of marks) {
    if (bytes.subarray(at, at + mark.length).equals(mark)) return typeof type === 'string' ? type : type(bytes);
  }
  return mpegAudio(bytes);
}

interface Mark {
  readonly mark: Buffer;
  readonly at?: number;
  readonly type: string | ((bytes: Buffer) => string | null);
}

const latin = (text: string): Buffer => Buffer.from(text, 'latin1');
const hex = (text: string): Buffer => Buffer.from(text, 'hex');

const marks: readonly Mark[] = [
  { mark: hex('ffd8ff'), type: 'image/jpeg' },
  { mark: hex('89504e470d0a1a0a'), type: 'image/png' },
  { mark: latin('GIF8'), type: 'image/gif' },
  { mark: latin('RIFF'), type: riff },
  { mark: hex('49492a00'), type: 'image/tiff' },
  { mark: hex('4d4d002a'), type: 'image/tiff' },
  { mark: latin('BM'), type: (bytes) => (bytes.subarray(6, 10).equals(hex('00000000')) ? 'image/bmp' : null) },
  { mark: latin('ftyp'), at: 4, type: isoMedia },
  { mark: latin('OggS'), type: ogg },
  { mark: latin('ID3'), type: 'audio/mpeg' },
  { mark: latin('#!AMR'), type: 'audio/amr' },
  { mark: latin('fLaC'), type: 'audio/flac' },
  { mark: hex('1a45dfa3'), type: (bytes) => (bytes.includes('webm') ? 'video/webm' : 'video/x-matroska') },
  { mark: hex('000001ba'), type: 'video/mpeg' },
  { mark: latin('FLV'), type: 'video/x-flv' },
  { mark: latin('%PDF-'), type: 'application/pdf' },
  { mark: hex('504b0304'), type: 'application/zip' },
  { mark: hex('504b0506'), type: 'application/zip' },
  { mark: hex('d0cf11e0a1b11ae1'), type: 'application/x-ole-storage' },
  { mark: hex('1f8b'), type: 'application/gzip' },
  { mark: hex('377abcaf271c'), type: 'application/x-7z-compressed' },
  { mark: latin('Rar!'), type: 'application/vnd.rar' },
];

function riff(bytes: Buffer): string | null {
  switch (bytes.toString('latin1', 8, 12)) {
    case 'WEBP':
      return 'image/webp';
    case 'WAVE':
      return 'audio/wav';
    case 'AVI ':
      return 'video/x-msvideo';
    default:
      return null;
  }
}

/** ISO base media files say what they are by their brand. */
function isoMedia(bytes: Buffer): string {
  const brand = bytes.toString('latin1', 8, 12);
  if (brand === 'avif' || brand === 'avis') return 'image/avif';
  if (/^(heic|heix|hevc|heim|heis|mif1|msf1)$/.test(brand)) return 'image/heic';
  if (/^M4[AB] /.test(brand)) return 'audio/mp4';
  if (brand === 'qt  ') return 'video/quicktime';
  if (/^3g[2egp]/.test(brand)) return 'video/3gpp';
  return 'video/mp4';
}

/** Ogg may hold pictures too; the first packet names the codec. */
function ogg(bytes: Buffer): string {
  const start = bytes.subarray(0, 512);
  if (start.includes('OpusHead')) return 'audio/ogg; codecs=opus';
  return start.includes('\u0080theora', 0, 'latin1') ? 'video/ogg' : 'audio/ogg';
}

/** A frame header: eleven set bits, then version, layer, rate and frequency that exist. ADTS has the layer 0. */
function mpegAudio(bytes: Buffer): string | null {
  if (bytes.length < 4 || bytes[0] !== 0xff) return null;
  const second = bytes.readUInt8(1);
  if ((second & 0xf6) === 0xf0) return 'audio/aac';
  const third = bytes.readUInt8(2);
  const isFrame = (second & 0xe0) === 0xe0 && (second & 0x18) !== 0x08 && (second & 0x06) !== 0;
  return isFrame && (third & 0xf0) !== 0xf0 && (third & 0x0c) !== 0x0c ? 'audio/mpeg' : null;
}
