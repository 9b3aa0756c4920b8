/** "typing…" for a while: renewed, since phones let it fade, and ended in order. One per chat; a newer one replaces it. */
import type { Clock } from '../clock.ts';
import type { WASocket } from './engine/link-socket.ts';

/** Phones show the state for a little longer than this. */
const renewalMs = 10_000;

interface Run {
  readonly sock: Pick<WASocket, 'sendPresenceUpdate'>;
  readonly chat: string;
  /** Monotonic milliseconds. */
  readonly endsAt: number;
  timer: NodeJS.Timeout | undefined;
}

export class Typing {
  readonly #runs = new Map<string, Run>();
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Shows it now, and resolves; the rest happens by itself. */
  async show(sock: Run['sock'], chat: string, durationMs: number): Promise<void> {
    this.forget(chat);
    const run: Run = { sock, chat, endsAt: this.#clock.monotonic() + durationMs, timer: undefined };
    this.#runs.set(chat, run);
    await this.#renew(run);
  }

  /** Says nothing more about this chat. */
  forget(chat: string): void {
    clearTimeout(this.#runs.get(chat)?.timer);
    this.#runs.delete(chat);
  }

  /** The link has ended. */
  close(): void {
    for (const chat of this.#runs.keys()) this.forget(chat);
  }

  async #renew(run: Run): Promise<void> {
    const leftMs = run.endsAt - this.#clock.monotonic();
    const next = leftMs > renewalMs ? () => this.#renew(run) : () => this.#end(run);
    run.timer = setTimeout(() => void next().catch(() => undefined), Math.min(Math.max(leftMs, 0), renewalMs));
    try {
      await run.sock.sendPresenceUpdate('composing', run.chat);
    } catch (error) {
      if (this.#runs.get(run.chat) === run) this.forget(run.chat);
      throw error;
    }
  }

  async #end(run: Run): Promise<void> {
    this.forget(run.chat);
    await run.sock.sendPresenceUpdate('paused', run.chat);
  }
}
