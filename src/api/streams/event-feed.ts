/**
 * Reads new events once for all open streams, when the database tells that there are some, and keeps the latest of them.
 * Whoever has fallen behind what is kept reads pages of its own, one reader at a time.
 */
import type { Clock } from '../../clock.ts';
import { WardenError } from '../../contract/errors.ts';
import type { Logger } from '../../log.ts';
import type { EventPage, EventSelection, EventsStore, SessionNotice } from '../../store/events-store.ts';
import { RecentFrames, type Frame } from './recent-frames.ts';
import { eventFrame, noticeFrame } from './sse-frame.ts';
import { formatPosition, type StreamHead } from './stream-position.ts';

const pageRows = 500;
const catchUpRows = 100;
const retryMs = 1_000;
const everything: EventSelection = { sessions: null, names: null };

export interface FeedOptions {
  readonly events: EventsStore;
  readonly budgetBytes: number;
  readonly clock: Clock;
  readonly log: Logger;
  /** There is more to tell. */
  readonly onMore: () => void;
  /** A session is gone. */
  readonly onDeleted: (session: string) => void;
  /** Sessions may have gone meanwhile. */
  readonly onMissed: () => void;
}

export class EventFeed {
  readonly #options: FeedOptions;
  readonly #unlisten: readonly (() => void)[];
  readonly #ready = Promise.withResolvers<RecentFrames>();
  #recent: RecentFrames | null = null;
  #isListening = false;
  #identity = '';
  #isDue = false;
  #isReading = false;
  #retry: NodeJS.Timeout | null = null;
  #catchingUp: Promise<unknown> = Promise.resolve();
  #isClosed = false;

  constructor(options: FeedOptions) {
    this.#options = options;
    this.#ready.promise.catch(() => undefined);
    const { events } = options;
    this.#unlisten = [events.onNew(() => this.#read()), events.onNotice((notice) => this.#tell(notice))];
    this.#read();
  }

  /** Null until `ready` resolves. */
  get recent(): RecentFrames | null {
    return this.#recent;
  }

  /**
   * Resolves when nothing is missed from now on. Rejects with what the store threw, after which this feed is of no use, and
   * with `shutting_down` when it is closed before.
   */
  get ready(): Promise<RecentFrames> {
    return this.#ready.promise;
  }

  /** A page of events that are kept no more, as frames. Throws what the store throws. */
  async catchUp(
    position: number,
    selection: EventSelection,
  ): Promise<{ readonly frames: readonly Frame[]; readonly through: number }> {
    const turn = this.#catchingUp.then(() => this.#options.events.listAfter(position, selection, catchUpRows));
    this.#catchingUp = turn.catch(() => null);
    const page = await turn;
    return { frames: this.#framesOf(page), through: page.through };
  }

  close(): void {
    this.#isClosed = true;
    this.#ready.reject(new WardenError('shutting_down'));
    for (const stop of this.#unlisten) stop();
    if (this.#retry !== null) clearTimeout(this.#retry);
  }

  /** One reading at a time; what is told meanwhile leads to one more. */
  #read(): void {
    this.#isDue = true;
    if (!this.#isReading) void this.#readDue();
  }

  async #readDue(): Promise<void> {
    this.#isReading = true;
    try {
      while (this.#isDue && !this.#isClosed) {
        this.#isDue = false;
        await this.#readOn();
      }
    } catch (error) {
      if (this.#isClosed) return;
      if (this.#recent === null) {
        this.#ready.reject(error);
        return;
      }
      this.#options.log.warn({ err: error }, 'event streams wait for the database');
      this.#retry ??= setTimeout(() => {
        this.#retry = null;
        this.#read();
      }, retryMs);
    } finally {
      this.#isReading = false;
    }
  }

  async #readOn(): Promise<void> {
    const { events, budgetBytes, onMore } = this.#options;
    if (this.#recent === null) {
      const head: StreamHead = await events.head();
      this.#identity = head.identity;
      this.#recent = new RecentFrames(head.position, budgetBytes);
      this.#settleReady();
    } else {
      const page = await events.listAfter(this.#recent.tail, everything, pageRows);
      for (const frame of this.#framesOf(page)) this.#recent.add(frame);
      this.#recent.moveTo(page.through);
      if (!page.isLast) this.#isDue = true;
    }
    if (!this.#isClosed) onMore();
  }

  #settleReady(): void {
    if (this.#isListening && this.#recent !== null) this.#ready.resolve(this.#recent);
  }

  #framesOf({ events }: EventPage): readonly Frame[] {
    return events.map((event) => {
      const { session, name, position } = event;
      const bytes = eventFrame(event, formatPosition({ identity: this.#identity, position }));
      return { session, name, position, isNotice: false, bytes };
    });
  }

  #tell(notice: SessionNotice | null): void {
    const { clock, onMore, onDeleted, onMissed } = this.#options;
    if (notice === null) {
      this.#isListening = true;
      this.#settleReady();
      onMissed();
      return;
    }
    const { event: name, session } = notice;
    if (name === 'session_deleted') onDeleted(session);
    if (this.#recent === null) return;
    const { tail: position } = this.#recent;
    this.#recent.add({
      session,
      name,
      position,
      isNotice: true,
      bytes: noticeFrame(name, { session, at: clock.now() }),
    });
    onMore();
  }
}
