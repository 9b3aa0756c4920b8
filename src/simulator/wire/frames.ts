/** The framing below Noise: an intro from the client, then length-prefixed frames in both directions. */

/** "WA", protocol 6, dictionary 3: the end of every intro, and the prologue of the handshake. */
export const noisePrologue = Buffer.from([0x57, 0x41, 0x06, 0x03]);

const edgeRoutingMark = Buffer.from('ED\0\x01', 'latin1');
const lengthBytes = 3;

/** Puts a payload of less than 16 MB into a frame. */
export function frame(payload: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(lengthBytes + payload.length);
  bytes.writeUIntBE(payload.length, 0, lengthBytes);
  bytes.set(payload, lengthBytes);
  return bytes;
}

/**
 * Cuts a client's byte stream into frames; a WebSocket message may hold a part of a frame or several. The intro comes
 * once, in front of the first frame, with the edge routing in front of it when the client has been given one.
 */
export class FrameReader {
  #pending = Buffer.alloc(0);
  #hasIntro = false;
  #routingInfo: Buffer | null = null;

  /** What the server had sent as edge routing at an earlier login; null when the client had none. */
  get routingInfo(): Buffer | null {
    return this.#routingInfo;
  }

  /** The payloads that are complete with this chunk. Fails when the stream does not begin with an intro. */
  push(chunk: Uint8Array): Buffer[] {
    this.#pending = this.#pending.length === 0 ? Buffer.from(chunk) : Buffer.concat([this.#pending, chunk]);
    if (!this.#hasIntro && !this.#takeIntro()) return [];
    const frames: Buffer[] = [];
    while (this.#pending.length >= lengthBytes) {
      const end = lengthBytes + this.#pending.readUIntBE(0, lengthBytes);
      if (this.#pending.length < end) break;
      frames.push(this.#pending.subarray(lengthBytes, end));
      this.#pending = this.#pending.subarray(end);
    }
    return frames;
  }

  #takeIntro(): boolean {
    let at = 0;
    if (startsLike(this.#pending, edgeRoutingMark)) {
      const lengthEnd = edgeRoutingMark.length + lengthBytes;
      if (this.#pending.length < lengthEnd) return false;
      at = lengthEnd + this.#pending.readUIntBE(edgeRoutingMark.length, lengthBytes);
    }
    const rest = this.#pending.subarray(at, at + noisePrologue.length);
    if (!startsLike(rest, noisePrologue)) throw new Error('the stream does not begin with an intro');
    if (rest.length < noisePrologue.length) return false;
    if (at > 0) this.#routingInfo = this.#pending.subarray(edgeRoutingMark.length + lengthBytes, at);
    this.#pending = this.#pending.subarray(at + noisePrologue.length);
    this.#hasIntro = true;
    return true;
  }
}

/** Whether the bytes are, as far as they go, those of the mark. */
function startsLike(bytes: Uint8Array, mark: Buffer): boolean {
  const length = Math.min(bytes.length, mark.length);
  return mark.subarray(0, length).equals(bytes.subarray(0, length));
}
