/**
 * Requests, answers and notices over a port (an IPC channel of Node, or a fake one in tests): ids, deadlines, a credit
 * window and flush. The same class serves both sides. No zod here: children load it.
 */
import { WardenError, toWardenError } from './errors.ts';
import { estimateBytes } from './frame-size.ts';
import { handlerNamed, isTrustedAnswer, parseFrame, type Frame, type Port } from './frame.ts';

export type { Frame, Port } from './frame.ts';
export { processPort } from './process-port.ts';

/** Request name → its body and answer. */
export type RequestMap<Map> = { readonly [N in keyof Map]: { readonly body: unknown; readonly answer: unknown } };

/** What serves the requests of the other side; a rejection travels as a plain error. */
export type Handlers<Serves extends RequestMap<Serves>> = {
  readonly [N in keyof Serves]: (body: Serves[N]['body']) => Promise<Serves[N]['answer']>;
};
/** What takes the notices of the other side. */
export type NoticeListeners<Receives> = { readonly [N in keyof Receives]: (body: Receives[N]) => void };

export interface CreditWindow {
  /** Requests without an answer at a time. */
  readonly requests: number;
  /** Bytes of those requests; also the bound of notices that have not left yet. */
  readonly bytes: number;
  /** With overflow `wait`: how many requests may wait for credit. */
  readonly waiting?: number;
}

export interface ChannelOptions<Serves extends RequestMap<Serves>, Receives> {
  readonly handlers: Handlers<Serves>;
  readonly notices: NoticeListeners<Receives>;
  readonly window: CreditWindow;
  /** Beyond the window a request fails with `session_busy`, or waits in order. */
  readonly overflow: 'reject' | 'wait';
  /** Called for each request that finds no room in the window and is refused. */
  readonly onRefused?: () => void;
  /** Deadline of requests that bring none of their own. */
  readonly deadlineMs: number;
  /** What a missed deadline means to the caller: a child that is busy, or a store that does not answer. */
  readonly timeoutCode: 'session_busy' | 'storage_unavailable';
  /** Called once when the other side has gone or the channel was closed. */
  readonly onClose?: () => void;
}

export interface RequestOptions {
  readonly deadlineMs?: number;
  readonly signal?: AbortSignal;
  /** Passes the credit window: stopping must work on a busy child too. */
  readonly urgent?: boolean;
}

/** Larger frames are refused: media travels by file, long lists in pieces. */
export const maxFrameBytes = 1_048_576;
/** Requests of the other side that are served at a time, in windows of our own; more are answered as busy. */
const servedWindows = 4;
const defaultWaiting = 4096;
const busyRetryAfterMs = 1000;

interface Pending {
  readonly frame: Extract<Frame, { kind: 'request' }>;
  readonly bytes: number;
  readonly settle: (outcome: { readonly answer: unknown } | { readonly error: WardenError }) => void;
}

/**
 * One end of a channel. `Requests` and `Sends` are what this end says, `Serves` and `Receives` what it listens to.
 * Every failure is a WardenError: the handler's own, `session_busy` beyond the credit window, the option's timeout code
 * after a deadline, `session_restarted` when the other side goes, `payload_too_large` above `maxFrameBytes`.
 */
export class Channel<
  Requests extends RequestMap<Requests>,
  Serves extends RequestMap<Serves>,
  Sends = object,
  Receives = object,
> {
  readonly #port: Port;
  readonly #options: ChannelOptions<Serves, Receives>;
  readonly #sent = new Map<number, Pending>();
  readonly #waiting: Pending[] = [];
  readonly #flushers: (() => void)[] = [];
  #sentBytes = 0;
  #noticeBytes = 0;
  #leaving = 0;
  #serving = 0;
  #nextId = 1;
  #dropped = 0;
  #closed: WardenError | null = null;

  constructor(port: Port, options: ChannelOptions<Serves, Receives>) {
    this.#port = port;
    this.#options = options;
    port.onFrame((frame) => this.#receive(frame));
    port.onClose(() => this.close(new WardenError('session_restarted')));
  }

  /** Requests that were sent or wait, and have no answer yet. */
  get inFlight(): number {
    return this.#sent.size + this.#waiting.length;
  }

  /** Frames that were malformed, had an unknown name or could not be sent. */
  get dropped(): number {
    return this.#dropped;
  }

  get isClosed(): boolean {
    return this.#closed !== null;
  }

  request<N extends keyof Requests & string>(
    name: N,
    body: Requests[N]['body'],
    options: RequestOptions = {},
  ): Promise<Requests[N]['answer']> {
    const { promise, resolve, reject } = Promise.withResolvers<Requests[N]['answer']>();
    const { signal, urgent = false } = options;
    const bytes = estimateBytes(body, maxFrameBytes);
    const refusal = this.#refusal(bytes, urgent, signal);
    if (refusal !== null) {
      reject(refusal);
      return promise;
    }
    const id = this.#nextId++;
    const give = (error: WardenError) => this.#settle(id, { error });
    const deadline = setTimeout(
      // A process that was suspended finds its timers due before it has read the answers that wait in the pipe:
      // one turn of the loop lets them in.
      () => setImmediate(() => give(this.#timeoutError())),
      options.deadlineMs ?? this.#options.deadlineMs,
    );
    const onAbort = () => give(abortError(signal));
    signal?.addEventListener('abort', onAbort, { once: true });
    const pending: Pending = {
      frame: { kind: 'request', id, name, body },
      bytes,
      settle: (outcome) => {
        clearTimeout(deadline);
        signal?.removeEventListener('abort', onAbort);
        if ('error' in outcome) reject(outcome.error);
        else if (isTrustedAnswer<Requests[N]['answer']>(outcome.answer)) resolve(outcome.answer);
        else reject(new WardenError('internal_error', { message: 'The answer was empty.' }));
      },
    };
    if (urgent || (this.#waiting.length === 0 && this.#hasCredit(bytes))) this.#launch(pending);
    else this.#waiting.push(pending);
    return promise;
  }

  /** Tells the other side something once; false when it could not be sent, which must be harmless. */
  notify<N extends keyof Sends & string>(name: N, body: Sends[N]): boolean {
    const bytes = estimateBytes(body, maxFrameBytes);
    const hasRoom = this.#noticeBytes === 0 || this.#noticeBytes + bytes <= this.#options.window.bytes;
    if (this.isClosed || bytes > maxFrameBytes || !hasRoom) {
      this.#dropped++;
      return false;
    }
    this.#noticeBytes += bytes;
    const thrown = this.#send({ kind: 'notice', name, body }, (error) => {
      this.#noticeBytes -= bytes;
      if (error !== null) this.#dropped++;
    });
    if (thrown !== null) this.#noticeBytes -= bytes;
    return thrown === null;
  }

  /** Resolves when everything handed over so far has left this process, or can no longer leave it. */
  flush(): Promise<void> {
    if (this.#isQuiet()) return Promise.resolve();
    return new Promise((resolve) => this.#flushers.push(resolve));
  }

  /** Fails everything in flight and all that comes later with `reason`; the port itself belongs to its owner. */
  close(reason: WardenError): void {
    if (this.#closed !== null) return;
    this.#closed = reason;
    for (const id of this.#sent.keys()) this.#settle(id, { error: reason });
    for (const pending of this.#waiting.splice(0)) pending.settle({ error: reason });
    this.#releaseFlushers();
    this.#options.onClose?.();
  }

  #refusal(bytes: number, urgent: boolean, signal: AbortSignal | undefined): WardenError | null {
    if (this.#closed !== null) return this.#closed;
    if (signal?.aborted === true) return abortError(signal);
    if (bytes > maxFrameBytes) {
      return new WardenError('payload_too_large', {
        message: 'The request is larger than a session can take in one piece.',
      });
    }
    if (urgent || this.#hasCredit(bytes)) return null;
    const { overflow, window } = this.#options;
    const mayWait = overflow === 'wait' && this.#waiting.length < (window.waiting ?? defaultWaiting);
    if (mayWait) return null;
    this.#options.onRefused?.();
    return new WardenError('session_busy', { retryAfterMs: busyRetryAfterMs });
  }

  #hasCredit(bytes: number): boolean {
    const { requests, bytes: limitBytes } = this.#options.window;
    return this.#sent.size === 0 || (this.#sent.size < requests && this.#sentBytes + bytes <= limitBytes);
  }

  #launch(pending: Pending): void {
    const { id } = pending.frame;
    this.#sent.set(id, pending);
    this.#sentBytes += pending.bytes;
    const thrown = this.#send(pending.frame, (error) => {
      if (error !== null) this.#settle(id, { error: new WardenError('session_restarted', { cause: error }) });
    });
    if (thrown !== null) this.#settle(id, { error: toWardenError(thrown) });
  }

  #settle(id: number, outcome: Parameters<Pending['settle']>[0]): void {
    const sent = this.#sent.get(id);
    if (sent !== undefined) {
      this.#sent.delete(id);
      this.#sentBytes -= sent.bytes;
      sent.settle(outcome);
      this.#launchWaiting();
      return;
    }
    const index = this.#waiting.findIndex((pending) => pending.frame.id === id);
    const [waiting] = index === -1 ? [] : this.#waiting.splice(index, 1);
    waiting?.settle(outcome);
    this.#releaseFlushers();
  }

  #launchWaiting(): void {
    while (!this.isClosed) {
      const next = this.#waiting[0];
      if (next === undefined || !this.#hasCredit(next.bytes)) break;
      this.#waiting.shift();
      this.#launch(next);
    }
    this.#releaseFlushers();
  }

  #receive(value: unknown): void {
    if (this.isClosed) return;
    const frame = parseFrame(value);
    switch (frame?.kind) {
      case 'request':
        void this.#serve(frame.id, frame.name, frame.body);
        return;
      case 'answer':
        this.#settle(frame.id, { answer: frame.body });
        return;
      case 'error':
        this.#settle(frame.id, { error: WardenError.fromPlain(frame.error) });
        return;
      case 'notice':
        this.#take(frame.name, frame.body);
        return;
      case undefined:
        this.#dropped++;
    }
  }

  async #serve(id: number, name: string, body: unknown): Promise<void> {
    const handler = handlerNamed(this.#options.handlers, name);
    if (handler === null) {
      this.#dropped++;
      this.#answer({ kind: 'error', id, error: unknownRequest(name).toPlain() });
      return;
    }
    if (this.#serving >= this.#options.window.requests * servedWindows) {
      this.#dropped++;
      this.#answer({
        kind: 'error',
        id,
        error: new WardenError('session_busy', { retryAfterMs: busyRetryAfterMs }).toPlain(),
      });
      return;
    }
    this.#serving++;
    try {
      const answer = await handler(body);
      if (estimateBytes(answer, maxFrameBytes) > maxFrameBytes) {
        throw new WardenError('payload_too_large', { message: 'The answer is too large for one piece; ask for less.' });
      }
      this.#answer({ kind: 'answer', id, body: answer ?? null });
    } catch (thrown) {
      this.#answer({ kind: 'error', id, error: toWardenError(thrown).toPlain() });
    } finally {
      this.#serving--;
    }
  }

  #answer(frame: Frame): void {
    if (this.isClosed) return;
    const thrown = this.#send(frame, (error) => {
      if (error !== null) this.#dropped++;
    });
    if (thrown !== null && frame.kind === 'answer') {
      this.#answer({ kind: 'error', id: frame.id, error: toWardenError(thrown).toPlain() });
    }
  }

  #take(name: string, body: unknown): void {
    const listener = handlerNamed(this.#options.notices, name);
    try {
      if (listener === null) this.#dropped++;
      else listener(body);
    } catch {
      // A notice that its listener cannot read is as malformed as one that the channel cannot read.
      this.#dropped++;
    }
  }

  /** Answers what the port threw: the frame cannot be serialized and never left. */
  #send(frame: Frame, done: (error: Error | null) => void): unknown {
    this.#leaving++;
    const leave = () => {
      this.#leaving--;
      this.#releaseFlushers();
    };
    try {
      this.#port.send(frame, (error) => {
        leave();
        done(error);
      });
      return null;
    } catch (thrown) {
      leave();
      return thrown ?? new Error('the port threw nothing');
    }
  }

  #timeoutError(): WardenError {
    const { timeoutCode } = this.#options;
    return timeoutCode === 'session_busy'
      ? new WardenError(timeoutCode, {
          message: "The session's process did not answer in time; repeat the request.",
          retryAfterMs: busyRetryAfterMs,
        })
      : new WardenError(timeoutCode, { retryAfterMs: busyRetryAfterMs });
  }

  #isQuiet(): boolean {
    return this.isClosed || (this.#leaving === 0 && this.#waiting.length === 0);
  }

  #releaseFlushers(): void {
    if (this.#flushers.length === 0 || !this.#isQuiet()) return;
    for (const release of this.#flushers.splice(0)) release();
  }
}

function abortError(signal: AbortSignal | undefined): WardenError {
  const reason: unknown = signal?.reason;
  return reason instanceof WardenError
    ? reason
    : new WardenError('session_busy', { message: 'The request was given up before its answer came.', cause: reason });
}

const unknownRequest = (name: string): WardenError =>
  new WardenError('internal_error', { message: `The other side does not know the request ${name.slice(0, 40)}.` });
