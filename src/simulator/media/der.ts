/** Pure. As much of ASN.1's DER as certificates need. */

const tags = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  objectId: 0x06,
  utf8String: 0x0c,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

/** One value: tag, length, content. */
export function derValue(tag: number, ...content: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(content);
  return Buffer.concat([Buffer.of(tag), lengthOf(body.length), body]);
}

export function derSequence(...members: readonly Uint8Array[]): Buffer {
  return derValue(tags.sequence, ...members);
}

export function derSet(...members: readonly Uint8Array[]): Buffer {
  return derValue(tags.set, ...members);
}

export function derBoolean(value: boolean): Buffer {
  return derValue(tags.boolean, Buffer.of(value ? 0xff : 0));
}

/** A number of any size that is not negative, from its big-endian bytes. */
export function derInteger(bytes: Uint8Array): Buffer {
  const first = bytes.findIndex((byte) => byte !== 0);
  const digits = first === -1 ? Buffer.of(0) : bytes.subarray(first);
  // A leading one bit would make the number negative.
  return derValue(tags.integer, (digits[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.of(0), digits]) : digits);
}

/** Bits, of which the last `unused` do not count. */
export function derBitString(bytes: Uint8Array, unused = 0): Buffer {
  return derValue(tags.bitString, Buffer.of(unused), bytes);
}

export function derOctetString(...content: readonly Uint8Array[]): Buffer {
  return derValue(tags.octetString, ...content);
}

export function derText(text: string): Buffer {
  return derValue(tags.utf8String, Buffer.from(text, 'utf8'));
}

/** A moment in whole seconds, in the form that RFC 5280 wants: two digits for the year until 2049. */
export function derTime(unixMs: number): Buffer {
  const text = new Date(unixMs).toISOString().replaceAll(/[-:T]|\.\d+/g, '');
  return text < '2050'
    ? derValue(tags.utcTime, Buffer.from(text.slice(2), 'ascii'))
    : derValue(tags.generalizedTime, Buffer.from(text, 'ascii'));
}

/** An object identifier as `2.5.29.17`. */
export function derObjectId(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  return derValue(tags.objectId, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]));
}

/** `[n]` with the content of the value that it stands for; constructed when that is made of values. */
export function derTagged(
  number: number,
  form: 'primitive' | 'constructed',
  ...content: readonly Uint8Array[]
): Buffer {
  return derValue((form === 'constructed' ? 0xa0 : 0x80) + number, ...content);
}

function lengthOf(bytes: number): Buffer {
  if (bytes < 0x80) return Buffer.of(bytes);
  const digits: number[] = [];
  for (let rest = bytes; rest > 0; rest = Math.floor(rest / 256)) digits.unshift(rest % 256);
  return Buffer.from([0x80 + digits.length, ...digits]);
}

/** Seven bits a byte; all but the last with their high bit set. */
function base128(value: number): number[] {
  const digits = [value % 128];
  for (let rest = Math.floor(value / 128); rest > 0; rest = Math.floor(rest / 128)) digits.unshift((rest % 128) + 128);
  return digits;
}
