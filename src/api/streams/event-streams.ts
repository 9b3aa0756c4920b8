/**
 * All open event streams: how many there may be, their signs of life, and their ends. While none is open, nothing here runs
 * and nothing is read.
 */
import type { Clock } from '../../clock.ts';
import { WardenError } from '../../contract/errors.ts';
import type { Logger } from '../../log.ts';
import { outsideRequests } from '../../request-scope.ts';
import type { EventSelection, EventsStore } from '../../store/events-store.ts';
import { holderOfAddress } from '../auth/allowed-address.ts';
import type { Principal } from '../auth/principal.ts';
import { Slots, type Full, type Release } from '../limits/slots.ts';
import { EventFeed } from './event-feed.ts';
import { EventStream } from './event-stream.ts';
import { selectionOf, type Wanted } from './selection.ts';
import { commentFrame, noticeFrame, retryFrame } from './sse-frame.ts';
import { formatPosition, parsePosition } from './stream-position.ts';

export interface EventStreamsSettings {
  /** Streams that may be open at the same time. */
  readonly most: number;
  /** The same of each principal, and of each address; null for no limit of their own. */
  readonly mostPerToken: number | null;
  readonly mostPerAddress: number | null;
  readonly beatMs: number;
  /** Beats after which a token is looked at again. */
  readonly recheckBeats: number;
  /** Beats after which a client that reads nothing is cut off. */
  readonly stalledBeats: number;
  /** For the latest frames, of all streams together. */
  readonly budgetBytes: number;
}

export const defaultStreamsSettings: EventStreamsSettings = {
  most: 200,
  mostPerToken: 50,
  mostPerAddress: 100,
  beatMs: 15_000,
  recheckBeats: 4,
  stalledBeats: 4,
  budgetBytes: 4 * 1024 * 1024,
};

export interface StreamRequest {
  readonly wanted: Wanted;
  /** Empty to begin now. */
  readonly lastEventId: string;
  /** Who opens it, and from where: for what each of them may have. */
  readonly holder: { readonly token: string; readonly address: string };
  /** Who holds the token by now; null when nobody does any more. */
  readonly principal: () => Promise<Principal | null>;
  /** Nobody waits for the stream any more. */
  readonly signal: AbortSignal;
}

interface OpenStream {
  readonly stream: EventStream;
  readonly request: StreamRequest;
  readonly release: Release;
  beats: number;
}

const fullRetryMs = 10_000;

export class EventStreams {
  readonly #events: EventsStore;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #settings: EventStreamsSettings;
  readonly #open = new Set<OpenStream>();
  readonly #slots: Slots;
  #feed: EventFeed | null = null;
  #beat: NodeJS.Timeout | null = null;
  #isClosed = false;

  constructor(options: {
    readonly events: EventsStore;
    readonly clock: Clock;
    readonly log: Logger;
    readonly settings?: Partial<EventStreamsSettings>;
  }) {
    this.#events = options.events;
    this.#clock = options.clock;
    this.#log = options.log;
    this.#settings = { ...defaultStreamsSettings, ...options.settings };
    const { most, mostPerToken, mostPerAddress } = this.#settings;
    this.#slots = new Slots({ most, mostOf: [mostPerToken, mostPerAddress] });
  }

  /**
   * A stream that tells what comes after the last event id, or after now. Throws `rate_limited` when there are too many,
   * `invalid_request` for an id that was never given out, `session_not_found`, `storage_unavailable`, `shutting_down`.
   */
  async open(request: StreamRequest): Promise<EventStream> {
    if (this.#isClosed) throw new WardenError('shutting_down');
    const release = this.#slots.take([request.holder.token, holderOfAddress(request.holder.address)]);
    if (typeof release !== 'function') {
      throw new WardenError('rate_limited', { message: this.#fullness(release), retryAfterMs: fullRetryMs });
    }
    try {
      return await this.#begin(request, release);
    } catch (error) {
      release();
      throw error;
    } finally {
      this.#restIfUnused();
    }
  }

  /** How many are open. */
  get size(): number {
    return this.#open.size;
  }

  /** Ends all streams at once, and opens no more. */
  close(): void {
    this.#isClosed = true;
    for (const { stream } of this.#open) stream.finish(commentFrame('the gateway stops; come back in a moment'));
    this.#rest();
  }

  #fullness(full: Full): string {
    const { most, mostPerToken, mostPerAddress } = this.#settings;
    const [count, whose, variable] =
      full === 'all'
        ? [most, '', 'STREAM_MAX']
        : full === 0
          ? [mostPerToken, ' with this token', 'STREAM_MAX_PER_TOKEN']
          : [mostPerAddress, ' from this address', 'STREAM_MAX_PER_ADDRESS'];
    return `There are ${count} event streams open already${whose}, which is what ${variable} allows.`;
  }

  async #begin(request: StreamRequest, release: Release): Promise<EventStream> {
    const selection = selectionOf(await request.principal(), request.wanted);
    if (selection === null) throw new WardenError('session_not_found');
    const { lastEventId } = request;
    // It serves all streams, and lives on when this one ends.
    const feed = outsideRequests(() => this.#runningFeed());
    await unlessAborted(feed.ready, request.signal);
    const head = await this.#events.head();
    const position = lastEventId === '' ? head.position : parsePosition(lastEventId, head);
    if (typeof position !== 'number') {
      const details = [{ field: 'last_event_id', ...position, received: JSON.stringify(lastEventId.slice(0, 60)) }];
      throw new WardenError('invalid_request', { details });
    }
    const opening = [retryFrame()];
    if (lastEventId !== '' && (await this.#isIncomplete(position, selection))) {
      opening.push(this.#resetFrame(request.wanted.only));
    }
    // Whatever ended while we asked the database may have been told already.
    if (this.#isClosed) throw new WardenError('shutting_down');
    const stream = new EventStream({
      feed,
      selection,
      position,
      idOf: (at) => formatPosition({ identity: head.identity, position: at }),
      opening,
      onClose: () => this.#forget(entry),
    });
    const entry: OpenStream = { stream, request, release, beats: 0 };
    this.#open.add(entry);
    return stream;
  }

  /** Whether something after this position cannot be told any more. */
  async #isIncomplete(position: number, { sessions }: EventSelection): Promise<boolean> {
    const pruned = await this.#events.prunedThrough(sessions);
    if (pruned <= position) return false;
    const recent = this.#feed?.recent ?? null;
    const isKept = recent !== null && pruned <= recent.tail && recent.numberAfter(position) !== null;
    return !isKept;
  }

  #resetFrame(session: string | null): Buffer {
    const reason = 'Events after this Last-Event-ID are not stored any more; those that are left follow.';
    return noticeFrame('stream_reset', { session, at: this.#clock.now(), data: { reason } });
  }

  #runningFeed(): EventFeed {
    this.#beat ??= setInterval(() => this.#beatAll(), this.#settings.beatMs);
    this.#feed ??= new EventFeed({
      events: this.#events,
      budgetBytes: this.#settings.budgetBytes,
      clock: this.#clock,
      log: this.#log,
      onMore: () => {
        for (const { stream } of this.#open) stream.pump();
      },
      onDeleted: (session) => this.#endStreamsOf(session),
      onMissed: () => void this.#endStreamsOfMissing(),
    });
    return this.#feed;
  }

  #forget(entry: OpenStream): void {
    this.#open.delete(entry);
    entry.release();
    this.#restIfUnused();
  }

  #restIfUnused(): void {
    if (this.#slots.taken === 0) this.#rest();
  }

  #rest(): void {
    if (this.#beat !== null) clearInterval(this.#beat);
    this.#feed?.close();
    this.#beat = null;
    this.#feed = null;
  }

  #beatAll(): void {
    const { recheckBeats, stalledBeats } = this.#settings;
    for (const entry of this.#open) {
      entry.beats += 1;
      if (entry.beats % recheckBeats === 0) void this.#recheck(entry);
      // It may come back and go on from where it stopped reading.
      if (entry.stream.beat() >= stalledBeats) entry.stream.destroy();
    }
  }

  /** A token that was revoked or has expired ends its streams, and one that was narrowed narrows them. */
  async #recheck({ stream, request }: OpenStream): Promise<void> {
    // A store that is away says nothing about anybody.
    const principal = await request.principal().catch(() => 'unknown' as const);
    if (principal === 'unknown') return;
    const selection = selectionOf(principal, request.wanted);
    if (selection === null) stream.finish(commentFrame('the token does not allow this any more'));
    else stream.selection = selection;
  }

  #endStreamsOf(session: string): void {
    for (const { stream, request } of this.#open) {
      if (request.wanted.only !== session) continue;
      stream.finish(noticeFrame('session_deleted', { session, at: this.#clock.now() }));
    }
  }

  async #endStreamsOfMissing(): Promise<void> {
    const sessions = [...this.#open].flatMap(({ request: { wanted } }) => wanted.only ?? []);
    if (sessions.length === 0) return;
    try {
      const existing = await this.#events.existing(sessions);
      for (const session of new Set(sessions)) if (!existing.has(session)) this.#endStreamsOf(session);
    } catch (error) {
      this.#log.warn({ err: error }, 'event streams could not look whether their sessions are still there');
    }
  }
}

/** Rejects with `storage_unavailable` when the signal aborts first. */
async function unlessAborted<Value>(promise: Promise<Value>, signal: AbortSignal): Promise<Value> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = (): void => reject(new WardenError('storage_unavailable'));
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
