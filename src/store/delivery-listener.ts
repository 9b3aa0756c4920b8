/** Hears of new deliveries over one connection of its own (LISTEN), which it opens anew whenever it is lost. */
import { Client } from 'pg';
import type { Logger } from '../log.ts';
import { deliveriesChannel } from './event-log.ts';

const retryMs = { first: 100, most: 5_000 };
/** A network that swallows packets closes no connection: it is asked now and then whether it is still there. */
const probeMs = 10_000;
const probeTimeoutMs = 5_000;

export class DeliveryListener {
  private readonly connection: string;
  private readonly log: Logger;
  private readonly callbacks = new Set<() => void>();
  private client: Client | null = null;
  private timer: NodeJS.Timeout | null = null;
  private delayMs = retryMs.first;
  private isClosed = false;

  constructor(connection: string, log: Logger) {
    this.connection = connection;
    this.log = log;
  }

  /** Calls back after every commit of new deliveries, and once after each reconnection, which may have missed some. */
  add(callback: () => void): () => void {
    this.callbacks.add(callback);
    if (this.client === null && this.timer === null && !this.isClosed) void this.connect();
    return () => void this.callbacks.delete(callback);
  }

  async close(): Promise<void> {
    this.isClosed = true;
    if (this.timer !== null) clearTimeout(this.timer);
    this.callbacks.clear();
    const client = this.client;
    this.client = null;
    // A client whose server is gone may never finish its goodbye.
    if (client !== null) await Promise.race([client.end().catch(() => undefined), pause(1_000)]);
  }

  private async connect(): Promise<void> {
    const client = new Client({
      connectionString: this.connection,
      connectionTimeoutMillis: 5_000,
      keepAlive: true,
      query_timeout: probeTimeoutMs,
    });
    this.client = client;
    client.on('error', (error) => this.lose(client, error));
    client.on('end', () => this.lose(client, null));
    client.on('notification', () => this.callAll());
    try {
      await client.connect();
      await client.query(`listen ${deliveriesChannel}`);
      this.delayMs = retryMs.first;
      this.probeLater(client);
      this.callAll();
    } catch (error) {
      this.lose(client, error);
    }
  }

  private probeLater(client: Client): void {
    this.timer = setTimeout(() => {
      client.query('select').then(
        () => {
          if (this.client === client) this.probeLater(client);
        },
        (error: unknown) => this.lose(client, error),
      );
    }, probeMs);
  }

  private callAll(): void {
    for (const callback of this.callbacks) callback();
  }

  private lose(client: Client, error: unknown): void {
    if (this.client !== client || this.isClosed) return;
    this.client = null;
    if (this.timer !== null) clearTimeout(this.timer);
    client.end().catch(() => undefined);
    this.log.warn({ err: error, retryInMs: this.delayMs }, 'lost the connection that listens for deliveries');
    this.timer = setTimeout(() => {
      this.timer = null;
      void this.connect();
    }, this.delayMs);
    this.delayMs = Math.min(this.delayMs * 2, retryMs.most);
  }
}

function pause(durationMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, durationMs).unref());
}
