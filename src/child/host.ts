/** The sessions that this child hosts, and what the supervisor may ask of them. */
import type { Clock } from '../clock.ts';
import type { Handlers } from '../contract/channel.ts';
import { toWardenError, WardenError } from '../contract/errors.ts';
import type { SessionId } from '../contract/ids.ts';
import type { ChildNotices, StartSession, ToChild } from '../contract/ipc.ts';
import { requestLine, requestSpan, type ToldRequest } from './request-report.ts';
import { Session } from './session.ts';
import type { Requester } from './store-client.ts';

interface HostOptions {
  readonly requester: Requester;
  readonly clock: Clock;
  readonly notify: <N extends keyof ChildNotices>(name: N, body: ChildNotices[N]) => void;
  /** Another process has taken the last session of this child over. */
  readonly onFenced: () => void;
  /** The supervisor asks for the end of this process; `isRecycled`: another one is to take its place. */
  readonly onShutdown: (isRecycled: boolean) => void;
  /** Whether single requests are worth a line in the log. */
  readonly isTalkative: boolean;
}

/** The part of its time that a child waits for what is under way; the rest is for closing links. */
const finishingShare = 0.6;

export class Host {
  readonly #sessions = new Map<SessionId, Session>();
  readonly #options: HostOptions;
  /** Requests of people under way. */
  readonly #underWay = new Set<Promise<unknown>>();
  #isEnding = false;

  constructor(options: HostOptions) {
    this.#options = options;
  }

  readonly handlers: Handlers<ToChild> = {
    start_session: async (start) => {
      this.#start(start);
      return null;
    },
    stop_session: async ({ session: id, logout }) => {
      const session = this.#require(id);
      await session.stop(logout);
      this.#sessions.delete(id);
      return null;
    },
    probe: async ({ session }) => {
      await this.#require(session).probe();
      return null;
    },
    pair_code: async ({ session, ...request }) => this.#require(session).pairCode(request),
    operation: ({ session, name, params, origin }) =>
      this.#told({ session, name, origin }, () => this.#serve(session, (it) => it.operation(name, params))),
    upload_media: ({ session, media }) => this.#serve(session, (it) => it.uploadMedia(media)),
    renew_media: ({ session, messageId }) => this.#serve(session, (it) => it.renewMedia(messageId)),
    send: (request) => this.#told(request, () => this.#serve(request.session, (it) => it.send(request))),
    recycle: async ({ deadlineMs }) => {
      this.#isEnding = true;
      await settled(this.#underWay, deadlineMs * finishingShare);
      await this.stopAll();
      this.#options.onShutdown(true);
      return null;
    },
    shutdown: async () => {
      this.#isEnding = true;
      await this.stopAll();
      this.#options.onShutdown(false);
      return null;
    },
  };

  /** Ends all links without logging out; what was received is recorded. */
  async stopAll(): Promise<void> {
    await Promise.allSettled([...this.#sessions.values()].map((session) => session.stop(false)));
    this.#sessions.clear();
  }

  stats(): ChildNotices['heartbeat']['sessions'] {
    return Object.fromEntries([...this.#sessions].map(([id, session]) => [id, { ...session.stats }]));
  }

  /** Tells how a request of people went: in the log when that is wanted, and in its trace when it has one. */
  async #told<Answer>(request: ToldRequest, work: () => Promise<Answer>): Promise<Answer> {
    const { notify, clock, isTalkative } = this.#options;
    const { traceparent } = request.origin;
    if (!isTalkative && traceparent === null) return work();
    const startedAt = clock.now();
    const begun = clock.monotonic();
    const tell = (error: string | null): void => {
      const durationMs = clock.monotonic() - begun;
      if (traceparent !== null)
        notify('span', requestSpan(request, { parent: traceparent, startedAt, durationMs, error }));
      if (isTalkative) notify('log', requestLine(request, { durationMs, error }));
    };
    try {
      const answer = await work();
      tell(null);
      return answer;
    } catch (thrown) {
      tell(toWardenError(thrown).code);
      throw thrown;
    }
  }

  /** What comes after the end was announced is refused in a way that lets it be repeated. */
  async #serve<Answer>(id: SessionId, work: (session: Session) => Promise<Answer>): Promise<Answer> {
    if (this.#isEnding) throw new WardenError('session_restarted');
    const running = work(this.#require(id));
    this.#underWay.add(running);
    try {
      return await running;
    } finally {
      this.#underWay.delete(running);
    }
  }

  #start(start: StartSession): void {
    if (this.#sessions.has(start.session)) {
      throw new WardenError('session_exists', { message: 'This child hosts the session already.' });
    }
    const session = new Session({
      start,
      requester: this.#options.requester,
      notify: this.#options.notify,
      clock: this.#options.clock,
      onFenced: () => this.#fenced(start.session),
    });
    this.#sessions.set(start.session, session);
    session.connect();
  }

  /** Somebody else owns the session now: its link must end at once, and nothing of it may be written any more. */
  #fenced(id: SessionId): void {
    const session = this.#sessions.get(id);
    if (session === undefined) return;
    this.#sessions.delete(id);
    session.close();
    void session.stop(false).catch(() => undefined);
    if (this.#sessions.size === 0) this.#options.onFenced();
  }

  #require(id: SessionId): Session {
    const session = this.#sessions.get(id);
    if (session === undefined) throw new WardenError('session_not_connected');
    return session;
  }
}

/** Resolves when everything has ended, one way or the other, or the time is up. */
async function settled(underWay: ReadonlySet<Promise<unknown>>, timeoutMs: number): Promise<void> {
  const timeUp = Promise.withResolvers<void>();
  const timer = setTimeout(timeUp.resolve, timeoutMs);
  await Promise.race([Promise.allSettled(underWay), timeUp.promise]);
  clearTimeout(timer);
}
