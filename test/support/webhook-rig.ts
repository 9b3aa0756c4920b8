/** The webhook engine on a real database with a real receiver, without a gateway around it. */
import { after, before, beforeEach } from 'node:test';
import { systemClock } from '../../src/clock.ts';
import type { EventData } from '../../src/contract/events.ts';
import type { SessionId } from '../../src/contract/ids.ts';
import { logger } from '../../src/log.ts';
import type { Store } from '../../src/store/store.ts';
import type {
  DeliveryFilter,
  DeliveryRow,
  DeliveryStatus,
  NewWebhook,
  WebhookKey,
  WebhookRow,
  WebhookView,
} from '../../src/store/webhook-records.ts';
import { createWebhookEngine, type WebhookEngine, type WebhookSettings } from '../../src/webhooks/engine.ts';
import { newWebhookSecret } from '../../src/webhooks/secret.ts';
import { at } from './api-client.ts';
import { createTestDatabase, type TestDatabase } from './database.ts';
import { eventually } from './eventually.ts';
import { startHttpReceiver, type HttpReceiver, type ReceivedRequest } from './http-receiver.ts';
import { createOwnedSession, newWebhook } from './store-fixtures.ts';

/** Fast, and with a breaker that stays out of the way. */
export const quickSettings: WebhookSettings = {
  timeoutMs: 2000,
  allowCidrs: [],
  userAgent: 'warden/0.0.0-test',
  scheduleMs: [0, 50, 50, 50],
  concurrency: 16,
  leaseMs: 10_000,
  breaker: { failures: 1000, firstPauseMs: 100, longestPauseMs: 400 },
  disableAfterDays: 5,
};

export const everyDelivery: DeliveryFilter = { status: null, event: null, from: null, to: null };

export interface Hook {
  readonly session: SessionId;
  readonly webhook: WebhookRow & { readonly secret: string };
  readonly key: WebhookKey;
}

export class WebhookRig {
  readonly #engines: WebhookEngine[] = [];
  readonly #receivers: HttpReceiver[] = [];
  #database: TestDatabase | null = null;
  #store: Store | null = null;

  /** One for the tests of a file: an empty database and a new receiver for each, ended after the last. */
  static forTests(): WebhookRig {
    const rig = new WebhookRig();
    before(async () => {
      rig.#database = await createTestDatabase();
      rig.#store = await rig.#database.openStore();
    });
    beforeEach(async () => {
      await rig.#stopAll();
      await rig.database.query('delete from sessions');
      await rig.otherReceiver();
    });
    after(async () => {
      await rig.#stopAll();
      await rig.#database?.dispose();
    });
    return rig;
  }

  get database(): TestDatabase {
    return started(this.#database);
  }

  get store(): Store {
    return started(this.#store);
  }

  get receiver(): HttpReceiver {
    return started(this.#receivers[0]);
  }

  dispatch(settings: Partial<WebhookSettings> = {}, from: Store = this.store): WebhookEngine {
    const engine = this.engine(settings, from);
    engine.start();
    return engine;
  }

  /** One that sends nothing by itself. */
  engine(settings: Partial<WebhookSettings> = {}, from: Store = this.store): WebhookEngine {
    const engine = createWebhookEngine({
      store: from,
      settings: { ...quickSettings, ...settings },
      log: logger('webhooks'),
      clock: systemClock,
      random: () => 0.5,
    });
    this.#engines.push(engine);
    return engine;
  }

  async stopEngines(): Promise<void> {
    await Promise.all(this.#engines.splice(0).map((engine) => engine.stop(200)));
  }

  async otherReceiver(): Promise<HttpReceiver> {
    const receiver = await startHttpReceiver();
    this.#receivers.push(receiver);
    return receiver;
  }

  /** A session with a webhook to the receiver. */
  async hook(patch: Partial<NewWebhook> = {}): Promise<Hook> {
    const { session } = await createOwnedSession(this.store, `hooked-${process.hrtime.bigint()}`);
    return this.hookOn(session, patch);
  }

  async hookOn(session: SessionId, patch: Partial<NewWebhook> = {}): Promise<Hook> {
    const defaults = { url: this.receiver.url, secret: newWebhookSecret() };
    const id = `wh_${session}_${process.hrtime.bigint()}`.slice(0, 60);
    const wanted = newWebhook(id, { ...defaults, ...patch });
    const webhook = await this.store.webhooks.create(session, wanted);
    return { session, webhook: { ...webhook, secret: wanted.secret }, key: { session, webhook: id } };
  }

  /** An event without a chat. */
  tell(session: SessionId, reason: string): Promise<void> {
    return this.store.commits.emit(session, { name: 'logged_out', data: { reason, code: null } }, 1_704_067_200_999);
  }

  /** A message of that chat. */
  say(session: SessionId, chat: string, body: string): Promise<void> {
    return this.store.commits.emit(session, { name: 'message', data: messageData({ chat, body }) }, systemClock.now());
  }

  async view({ key: { session, webhook } }: Hook): Promise<WebhookView> {
    const view = await this.store.webhooks.get(session, webhook);
    if (view === null) throw new Error('the webhook is gone');
    return view;
  }

  async count(where: string): Promise<number> {
    const [row] = await this.database.query(`select count(*)::int as n from deliveries where ${where}`);
    return Number(row?.['n']);
  }

  /** All deliveries of a webhook that the filter finds, newest first. */
  async log({ key }: Hook, filter: Partial<DeliveryFilter> = {}): Promise<readonly DeliveryRow[]> {
    const page = await this.store.deliveries.list(key, { ...everyDelivery, ...filter, limit: 200, cursor: null });
    if (page.total !== page.rows.length) throw new Error(`${page.total} deliveries, but ${page.rows.length} rows`);
    return page.rows;
  }

  /** Tells events and waits until none of the deliveries is pending. */
  async settle({ session }: Hook, ...reasons: readonly string[]): Promise<void> {
    for (const reason of reasons) await this.tell(session, reason);
    await eventually(async () => (await this.count(`status = 'pending'`)) === 0);
  }

  /** Waits until so many deliveries are in a state. */
  async until(status: Exclude<DeliveryStatus, 'held'>, count: number, deadlineMs = 10_000): Promise<void> {
    await eventually(
      async () => (await this.count(`status = '${status}'`)) === count,
      deadlineMs,
      () => this.database.query('select status, attempts, last_error, count(*) from deliveries group by 1, 2, 3'),
    );
  }

  /**
   * Holds a transaction open in which a statement has been run, begins `work`, lets it come to its end or to a lock, and
   * then commits: what two gateways do when they meet.
   */
  async besides<T>(statement: string, work: () => Promise<T>): Promise<T> {
    await this.database.query('begin');
    await this.database.query(statement);
    let isDone = false;
    const working = work().finally(() => (isDone = true));
    const isWaiting = async (): Promise<boolean> => {
      await this.database.query('select pg_stat_clear_snapshot()');
      const rows = await this.database.query(
        `select from pg_locks l join pg_stat_activity a on a.pid = l.pid
         where a.datname = current_database() and not l.granted`,
      );
      return rows.length > 0;
    };
    await eventually(async () => isDone || (await isWaiting()));
    await this.database.query('commit');
    return working;
  }

  async #stopAll(): Promise<void> {
    await this.stopEngines();
    await Promise.all(this.#receivers.splice(0).map((receiver) => receiver.close()));
  }
}

export function messageData(patch: Partial<EventData<'message'>> = {}): EventData<'message'> {
  const chat = patch.chat ?? '15550100002@s.whatsapp.net';
  return {
    from: chat,
    chat,
    message_id: '3EB0C431C26A1916E07E',
    timestamp: 1_704_067_200,
    type: 'text',
    body: 'Hello',
    is_from_me: false,
    is_group: chat.endsWith('@g.us'),
    participant: null,
    from_phone: null,
    from_lid: null,
    push_name: null,
    caption: null,
    quoted: null,
    mentions: [],
    media: null,
    location: null,
    contacts: null,
    poll: null,
    view_once: false,
    forwarded: false,
    ephemeral: null,
    backfilled: false,
    ...patch,
  };
}

function started<T>(part: T | null | undefined): T {
  if (part === null || part === undefined) throw new Error('the rig is not up yet');
  return part;
}

/** What events without a chat said, in the order in which they came. */
export const reasonsOf = (requests: readonly ReceivedRequest[]): readonly unknown[] =>
  requests.map(({ json }) => at(json, 'data', 'reason'));

export const bodiesOf = (requests: readonly ReceivedRequest[]): readonly unknown[] =>
  requests.map(({ json }) => at(json, 'data', 'body'));
