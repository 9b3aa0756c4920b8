/** The sessions that this child hosts, and what the supervisor may ask of them. */
import type { Clock } from '../clock.ts';
import type { Handlers } from '../contract/channel.ts';
import { WardenError } from '../contract/errors.ts';
import type { SessionId } from '../contract/ids.ts';
import type { ChildNotices, StartSession, ToChild } from '../contract/ipc.ts';
import { Session } from './session.ts';
import type { Requester } from './store-client.ts';

interface HostOptions {
  readonly requester: Requester;
  readonly clock: Clock;
  readonly notify: <N extends keyof ChildNotices>(name: N, body: ChildNotices[N]) => void;
  /** Another process has taken the last session of this child over. */
  readonly onFenced: () => void;
  /** The supervisor asks for the end of this process. */
  readonly onShutdown: () => void;
}

export class Host {
  readonly #sessions = new Map<SessionId, Session>();
  readonly #options: HostOptions;

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
    pair_code: async ({ session, ...request }) => this.#require(session).pairCode(request),
    operation: async ({ session, name, params }) => this.#require(session).operation(name, params),
    send: async (request) => this.#require(request.session).send(request),
    shutdown: async () => {
      await this.stopAll();
      this.#options.onShutdown();
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
