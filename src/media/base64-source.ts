/** Pure. Base64 in JSON as a stream of bytes: decoded in pieces, never twice in memory as a whole. */
import { WardenError } from '../contract/errors.ts';
import { essenceOf } from './media-kinds.ts';

export interface Base64Source {
  /** Throws `invalid_request` where the text is no base64. */
  readonly bytes: Iterable<Uint8Array>;
  /** Of a `data:` prefix. */
  readonly declaredType: string | null;
}

const pieceChars = 256 * 1024;

/** With or without a `data:…;base64,` prefix, of either alphabet, with or without line breaks and padding. */
export function base64Source(text: string): Base64Source {
  const [prefix = '', declared = ''] = /^data:([^,]{0,200});base64,/i.exec(text) ?? [];
  const type = essenceOf(declared);
  return { bytes: decode(text, prefix.length), declaredType: type === '' ? null : type };
}

function* decode(text: string, start: number): Generator<Uint8Array> {
  let rest = '';
  let isOver = false;
  for (let at = start; at < text.length; at += pieceChars) {
    const piece = text.slice(at, at + pieceChars).replaceAll(/\s+/g, '');
    if (piece === '') continue;
    if (isOver || !/^[A-Za-z0-9+/_-]*={0,2}$/.test(piece)) throw notBase64();
    isOver = piece.endsWith('=');
    const whole = rest + piece;
    const usable = whole.length - (whole.length % 4);
    rest = whole.slice(usable);
    if (usable > 0) yield Buffer.from(whole.slice(0, usable), 'base64');
  }
  if (rest.replaceAll('=', '').length === 1) throw notBase64();
  if (rest !== '') yield Buffer.from(rest, 'base64');
}

function notBase64(): WardenError {
  return new WardenError('invalid_request', {
    details: [{ field: 'base64', expected: 'base64, with or without a data: prefix', received: 'something else' }],
  });
}
