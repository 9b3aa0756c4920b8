/**
 * Pure. Length and loudness of an Ogg/Opus file without decoding it: the granule position of the last page counts
 * samples at 48 kHz (RFC 7845), and loud passages take larger packets.
 */

export interface OpusFacts {
  readonly seconds: number;
  /** 64 values from 0 to 100. */
  readonly waveform: Uint8Array;
}

const sampleRate = 48_000;
const bars = 64;
const pageHeaderBytes = 27;
const noGranule = 0xffff_ffff_ffff_ffffn;

/** Null for what is no whole Ogg/Opus file. */
export function opusFacts(file: Buffer): OpusFacts | null {
  const packetSizes: number[] = [];
  let granule = 0n;
  let preSkip: number | null = null;
  let packetBytes = 0;
  let packets = 0;
  for (let page = 0; page + pageHeaderBytes <= file.length;) {
    if (file.toString('latin1', page, page + 4) !== 'OggS') return null;
    const segments = file.readUInt8(page + 26);
    const bodyAt = page + pageHeaderBytes + segments;
    if (bodyAt > file.length) break;
    const position = file.readBigUInt64LE(page + 6);
    if (position !== noGranule && position > granule) granule = position;
    let at = bodyAt;
    for (const size of file.subarray(page + pageHeaderBytes, bodyAt)) {
      if (packets === 0 && packetBytes === 0) preSkip = preSkipOf(file.subarray(at));
      packetBytes += size;
      at += size;
      if (size === 255) continue;
      // The first two packets are headers.
      if (packets >= 2) packetSizes.push(packetBytes);
      packets++;
      packetBytes = 0;
    }
    page = at;
  }
  if (preSkip === null || packetSizes.length === 0) return null;
  const samples = Number(granule) - preSkip;
  return { seconds: Math.max(samples, 0) / sampleRate, waveform: barsOf(packetSizes) };
}

function preSkipOf(packet: Buffer): number | null {
  if (packet.length < 19 || packet.toString('latin1', 0, 8) !== 'OpusHead') return null;
  return packet.readUInt16LE(10);
}

/** The means of 64 equal parts, the highest of them as 100. */
export function barsOf(values: ArrayLike<number>): Uint8Array {
  const means = Array.from({ length: bars }, (_, bar) => {
    const from = Math.floor((bar * values.length) / bars);
    const to = Math.max(from + 1, Math.floor(((bar + 1) * values.length) / bars));
    let sum = 0;
    for (let index = from; index < to; index++) sum += values[index] ?? 0;
    return sum / (to - from);
  });
  const [lowest, highest] = [Math.min(...means), Math.max(...means)];
  // Packets of silence are not empty: what all have in common says nothing.
  const floor = lowest === highest ? 0 : lowest;
  return Uint8Array.from(means, (mean) => (highest === 0 ? 0 : Math.round(((mean - floor) / (highest - floor)) * 100)));
}
