/**
 * One client on one WebSocket: framing, handshake, encryption, and the order of stanzas in both directions. It knows
 * nothing of what stanzas mean.
 */
import type { WebSocket } from 'ws';
import { machineMs } from '../../clock.ts';
import { logger } from '../../log.ts';
import type { BinaryNode } from '../types.ts';
import type { ServerIdentity } from './certificates.ts';
import { decodeNode, encodeNode } from './codec.ts';
import { frame, FrameReader } from './frames.ts';
import { NoiseResponder, type NoiseTransport } from './noise.ts';
import type { proto } from './proto.ts';

const log = logger('simulator-link');

/** How long a client may take for the handshake. */
const handshakeTimeoutMs = 20_000;

/** What a client told when its handshake was done. */
export interface Hello {
  /** 32 bytes. */
  readonly noisePub: Buffer;
  readonly payload: proto.ClientPayload;
  readonly routingInfo: Buffer | null;
}

/** What happens on a link; none of these may throw synchronously. */
export interface LinkListener {
  /** Whether to answer the client's hello. */
  answersHello(): boolean;
  onHello(link: ClientLink, hello: Hello): void;
  /** The next stanza is delivered when the promise has settled; `arrivedAtMs` is on the machine's clock. */
  onNode(link: ClientLink, node: BinaryNode, arrivedAtMs: number): Promise<void>;
  onClose(link: ClientLink): void;
}

type Phase =
  | { readonly tag: 'hello' }
  | { readonly tag: 'finish'; readonly responder: NoiseResponder }
  | { readonly tag: 'transport'; readonly transport: NoiseTransport }
  | { readonly tag: 'closed' };

export class ClientLink {
  readonly #socket: WebSocket;
  readonly #identity: ServerIdentity;
  readonly #listener: LinkListener;
  readonly #reader = new FrameReader();
  readonly #handshakeTimer: NodeJS.Timeout;
  #phase: Phase = { tag: 'hello' };
  #inbound: Promise<void> = Promise.resolve();

  constructor(socket: WebSocket, identity: ServerIdentity, listener: LinkListener) {
    this.#socket = socket;
    this.#identity = identity;
    this.#listener = listener;
    this.#handshakeTimer = setTimeout(() => this.terminate(), handshakeTimeoutMs);
    socket.binaryType = 'nodebuffer';
    socket.on('message', (data) => {
      if (Buffer.isBuffer(data)) this.#onBytes(data);
    });
    socket.on('error', (error) => log.debug({ err: error }, 'socket error'));
    socket.on('close', () => this.#onClose());
  }

  get isOpen(): boolean {
    return this.#phase.tag === 'transport' && this.#socket.readyState === this.#socket.OPEN;
  }

  /** Sends a stanza; false when the link is not open, the stanza is lost then. */
  send(node: BinaryNode): boolean {
    if (this.#phase.tag !== 'transport' || !this.isOpen) return false;
    this.#socket.send(frame(this.#phase.transport.encrypt(encodeNode(node))));
    return true;
  }

  /** Sends a frame that the client cannot decrypt. */
  sendGarbage(): void {
    if (this.isOpen) this.#socket.send(frame(Buffer.alloc(64, 0xaa)));
  }

  /** Closes after everything that was sent; `code` is the WebSocket close code. */
  close(code = 1000): void {
    this.#socket.close(code);
  }

  /** Cuts the TCP connection. */
  terminate(): void {
    this.#socket.terminate();
  }

  /** Settles when the stanzas that have arrived so far are dealt with. */
  drained(): Promise<void> {
    return this.#inbound;
  }

  #onBytes(bytes: Buffer): void {
    try {
      for (const payload of this.#reader.push(bytes)) this.#onFrame(payload);
    } catch (error) {
      log.warn({ err: error, phase: this.#phase.tag }, 'client broke the protocol');
      this.terminate();
    }
  }

  #onFrame(payload: Buffer): void {
    switch (this.#phase.tag) {
      case 'hello': {
        if (!this.#listener.answersHello()) return;
        const responder = new NoiseResponder(this.#identity.staticKey, this.#identity.certificateChain);
        this.#socket.send(frame(responder.hello(payload)));
        this.#phase = { tag: 'finish', responder };
        return;
      }
      case 'finish': {
        const { noisePub, payload: clientPayload, transport } = this.#phase.responder.finish(payload);
        this.#phase = { tag: 'transport', transport };
        clearTimeout(this.#handshakeTimer);
        this.#listener.onHello(this, { noisePub, payload: clientPayload, routingInfo: this.#reader.routingInfo });
        return;
      }
      case 'transport': {
        // Decrypted at once, because the counter follows arrival; handled one after the other.
        const arrivedAtMs = machineMs();
        const plaintext = this.#phase.transport.decrypt(payload);
        this.#inbound = this.#inbound
          .then(async () => this.#listener.onNode(this, await decodeNode(plaintext), arrivedAtMs))
          .catch((error: unknown) => {
            log.error({ err: error }, 'stanza could not be handled');
          });
        return;
      }
      case 'closed':
        return;
    }
  }

  #onClose(): void {
    clearTimeout(this.#handshakeTimer);
    this.#phase = { tag: 'closed' };
    this.#listener.onClose(this);
  }
}
