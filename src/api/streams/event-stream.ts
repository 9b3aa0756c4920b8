/**
 * What one client reads: no more than a place in the order of all events. It takes as much as the client has room for, from
 * the feed's latest frames or, when those have moved on, from the database; nothing waits in a queue of its own.
 */
import { Readable } from 'node:stream';
import type { EventSelection } from '../../store/events-store.ts';
import type { EventFeed } from './event-feed.ts';
import { isSelected } from './selection.ts';
import { commentFrame, positionFrame } from './sse-frame.ts';

/** What may lie between us and the socket, beside the frame that went over it. */
const bufferBytes = 64 * 1024;
const retryMs = 1_000;

export interface EventStreamOptions {
  /** It is ready. */
  readonly feed: EventFeed;
  readonly selection: EventSelection;
  /** It tells what comes after. */
  readonly position: number;
  readonly idOf: (position: number) => string;
  /** What comes first. */
  readonly opening: readonly Buffer[];
  readonly onClose: () => void;
}

export class EventStream extends Readable {
  selection: EventSelection;
  readonly #feed: EventFeed;
  readonly #idOf: (position: number) => string;
  readonly #onClose: () => void;
  /** Everything up to here was told or is not wanted. */
  #position: number;
  /** The latest position that the client has as an id. */
  #toldPosition: number;
  /** The next of the feed's frames; null while the feed does not have it. */
  #number: number | null = null;
  #hasRoom = false;
  #isEnding = false;
  #isCatchingUp = false;
  #retry: NodeJS.Timeout | null = null;
  /** Beats since the client had room for the last time. */
  #fullBeats = 0;

  constructor({ feed, selection, position, idOf, opening, onClose }: EventStreamOptions) {
    super({ highWaterMark: bufferBytes });
    this.#feed = feed;
    this.selection = selection;
    this.#position = position;
    this.#number = feed.recent?.numberAfter(position) ?? null;
    this.#toldPosition = position;
    this.#idOf = idOf;
    this.#onClose = onClose;
    for (const frame of opening) this.push(frame);
    this.push(positionFrame(idOf(position)));
  }

  override _read(): void {
    this.#hasRoom = true;
    this.#fullBeats = 0;
    this.pump();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    if (this.#retry !== null) clearTimeout(this.#retry);
    this.#onClose();
    callback(error);
  }

  /** Tells what there is, as far as the client has room. */
  pump(): void {
    const { recent } = this.#feed;
    if (recent === null) return;
    while (this.#mayTell) {
      this.#number ??= recent.numberAfter(this.#position);
      if (this.#number === null) {
        void this.#catchUp();
        return;
      }
      const frame = recent.at(this.#number);
      if (frame === 'gone') {
        this.#number = null;
      } else if (frame === null) {
        this.#position = Math.max(this.#position, recent.tail);
        return;
      } else {
        this.#number += 1;
        // Who has caught up by itself may be ahead of the feed.
        if (!frame.isNotice && frame.position <= this.#position) continue;
        this.#position = Math.max(this.#position, frame.position);
        if (isSelected(this.selection, frame)) this.#tell(frame);
      }
    }
  }

  /** A sign of life, with the position when that has moved on. Answers for how many beats the client has had no room. */
  beat(): number {
    if (!this.#hasRoom) {
      this.#fullBeats += 1;
      return this.#fullBeats;
    }
    this.#hasRoom = this.push(commentFrame('still here'));
    if (this.#position > this.#toldPosition) {
      this.#toldPosition = this.#position;
      this.#hasRoom = this.push(positionFrame(this.#idOf(this.#position)));
    }
    return 0;
  }

  /** Ends it with a last frame, whether the client has room or not. */
  finish(frame: Buffer): void {
    if (this.#isEnding || this.destroyed) return;
    this.#isEnding = true;
    this.push(frame);
    this.push(null);
  }

  get #mayTell(): boolean {
    return this.#hasRoom && !this.#isEnding && !this.destroyed && !this.#isCatchingUp;
  }

  #tell(frame: { readonly position: number; readonly isNotice: boolean; readonly bytes: Buffer }): void {
    if (!frame.isNotice) this.#toldPosition = frame.position;
    this.#hasRoom = this.push(frame.bytes);
  }

  async #catchUp(): Promise<void> {
    if (this.#retry !== null) return;
    this.#isCatchingUp = true;
    const { selection } = this;
    try {
      const { frames, through } = await this.#feed.catchUp(this.#position, selection);
      this.#isCatchingUp = false;
      for (const frame of frames) {
        // What there is no room for is read again when there is.
        if (!this.#mayTell) return;
        this.#position = frame.position;
        if (isSelected(this.selection, frame)) this.#tell(frame);
      }
      this.#position = through;
      this.pump();
    } catch {
      this.#isCatchingUp = false;
      if (this.destroyed) return;
      this.#retry = setTimeout(() => {
        this.#retry = null;
        this.pump();
      }, retryMs);
    }
  }
}
