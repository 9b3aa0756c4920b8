/** Hears what the database notifies of, over one connection of its own, which it opens anew whenever it is lost. */
import { Client } from 'pg';
import type { Logger } from '../log.ts';

const retryMs = { first: 100, most: 5_000 };
/** A network that swallows packets closes no connection: it is asked now and then whether it is still there. */
const probeMs = 10_000;
const probeTimeoutMs = 5_000;

export type Channel = 'warden_deliveries' | 'warden_events' | 'warden_sessions';

/** Gets what the notification carries; null says that some may have been missed. */
type Callback = (payload: string | null) => void;

export class NotificationListener {
  private readonly connection: string;
  private readonly log: Logger;
  private readonly callbacks = new Map<string, Set<Callback>>();
  /** The channels that the present connection listens to. */
  private listening = new Set<string>();
  private client: Client | null = null;
  private isListening = false;
  private timer: NodeJS.Timeout | null = null;
  private probe: NodeJS.Timeout | null = null;
  private delayMs = retryMs.first;
  private isClosed = false;

  constructor(connection: string, log: Logger) {
    this.connection = connection;
    this.log = log;
  }

  /**
   * Calls back on every notification, and with null as soon as the channel is listened to, now and after each
   * reconnection: from there on nothing is missed. Answers the way to stop it.
   */
  add(channel: Channel, callback: Callback): () => void {
    // A wrapper, so that the same function can listen twice and be removed twice.
    const own: Callback = (payload) => callback(payload);
    const callbacks = this.callbacks.get(channel) ?? new Set();
    this.callbacks.set(channel, callbacks.add(own));
    if (this.listening.has(channel)) queueMicrotask(() => callbacks.has(own) && own(null));
    else if (this.client !== null) void this.listen(this.client);
    else if (this.timer === null && !this.isClosed) this.connect();
    return () => void callbacks.delete(own);
  }

  async close(): Promise<void> {
    this.isClosed = true;
    if (this.timer !== null) clearTimeout(this.timer);
    if (this.probe !== null) clearTimeout(this.probe);
    this.callbacks.clear();
    const client = this.client;
    this.client = null;
    // A client whose server is gone may never finish its goodbye.
    if (client !== null) await Promise.race([client.end().catch(() => undefined), pause(1_000)]);
  }

  private connect(): void {
    const client = new Client({
      connectionString: this.connection,
      connectionTimeoutMillis: 5_000,
      keepAlive: true,
      query_timeout: probeTimeoutMs,
    });
    this.client = client;
    // Nobody asks anything of it until it is connected.
    this.isListening = true;
    client.on('error', (error) => this.lose(client, error));
    client.on('end', () => this.lose(client, null));
    client.on('notification', ({ channel, payload }) => this.call(channel, payload ?? ''));
    client
      .connect()
      .then(() => {
        this.isListening = false;
        this.probeLater(client);
        return this.listen(client);
      })
      .catch((error: unknown) => this.lose(client, error));
  }

  /** Listens to what it does not listen to yet: one statement at a time, as the driver wants it. */
  private async listen(client: Client): Promise<void> {
    if (this.isListening) return;
    this.isListening = true;
    try {
      for (;;) {
        const next = [...this.callbacks.keys()].find((channel) => !this.listening.has(channel));
        if (next === undefined || this.client !== client) break;
        await client.query(`listen ${next}`);
        this.listening.add(next);
        this.call(next, null);
      }
      if (this.client === client) this.delayMs = retryMs.first;
    } catch (error) {
      this.lose(client, error);
    } finally {
      if (this.client === client) this.isListening = false;
    }
  }

  private probeLater(client: Client): void {
    this.probe = setTimeout(() => {
      client.query('select').then(
        () => {
          if (this.client === client && !this.isClosed) this.probeLater(client);
        },
        (error: unknown) => this.lose(client, error),
      );
    }, probeMs);
  }

  private call(channel: string, payload: string | null): void {
    for (const callback of this.callbacks.get(channel) ?? []) callback(payload);
  }

  private lose(client: Client, error: unknown): void {
    if (this.client !== client || this.isClosed) return;
    this.client = null;
    this.listening = new Set();
    if (this.probe !== null) clearTimeout(this.probe);
    client.end().catch(() => undefined);
    this.log.warn({ err: error, retryInMs: this.delayMs }, 'lost the connection that listens for notifications');
    this.timer = setTimeout(() => {
      this.timer = null;
      this.connect();
    }, this.delayMs);
    this.delayMs = Math.min(this.delayMs * 2, retryMs.most);
  }
}

function pause(durationMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, durationMs).unref());
}
