/** The composition root: builds database, store, supervisor, webhooks and API out of a configuration, and ends them. */
import { once } from 'node:events';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createApp } from './api/app.ts';
import { createBrowserLogin } from './api/auth/browser-login.ts';
import { createLoginLinks, loginUrl } from './api/auth/login-links.ts';
import { firstOf } from './api/auth/all-authenticators.ts';
import { createStoredTokens } from './api/auth/stored-tokens.ts';
import { createSuperadminAuth } from './api/auth/superadmin.ts';
import { superadmin } from './api/auth/principal.ts';
import { AuditLog } from './api/audit/audit-log.ts';
import { createHttpServer, stopAccepting, surviveAcceptErrors } from './api/http-server.ts';
import { newMessageId } from './api/rest/send.ts';
import { BulkRunner } from './bulk/bulk-runner.ts';
import { withProbes } from './api/probes.ts';
import { createQrImages } from './api/qr-image.ts';
import { refuseUntilReady } from './api/refuse-until-ready.ts';
import { EventStreams } from './api/streams/event-streams.ts';
import { systemClock } from './clock.ts';
import type { Config } from './config.ts';
import { encryptionKeySource } from './encryption-key.ts';
import { WardenError } from './contract/errors.ts';
import { logger, type Logger } from './log.ts';
import { Readiness } from './readiness.ts';
import { loadSecrets, type Secrets } from './secrets.ts';
import { serveMetrics } from './serve-metrics.ts';
import { createMedia, type Media } from './media/media.ts';
import { httpLimits, limitSettings, streamLimits } from './limit-settings.ts';
import { mediaSettings } from './media-settings.ts';
import { metricSources } from './metric-sources.ts';
import { pacingSettings } from './pacing-settings.ts';
import { outsideRequests } from './request-scope.ts';
import { childrenBudgetMs, requestsBudgetMs, webhooksBudgetMs } from './stop-budget.ts';
import { createStore } from './store/create-store.ts';
import { startEmbeddedPostgres } from './store/embedded-postgres.ts';
import { Janitor } from './store/janitor.ts';
import { migrate } from './store/migrate.ts';
import type { SessionRow, Store } from './store/store.ts';
import { Governors } from './supervisor/governors.ts';
import { SandboxLauncher } from './supervisor/sandbox-launcher.ts';
import { ScheduledSends } from './supervisor/scheduled-sends.ts';
import { Supervisor } from './supervisor/supervisor.ts';
import type { SupervisorOptions } from './supervisor/supervisor-options.ts';
import { supervisorSettings } from './supervisor-settings.ts';
import { createMetrics } from './telemetry/metrics.ts';
import type { Observer } from './telemetry/observer.ts';
import { startTracing } from './telemetry/start-tracing.ts';
import { traceSettings } from './telemetry/trace-settings.ts';
import { webhookSettings } from './webhook-settings.ts';
import { createWebhookEngine } from './webhooks/engine.ts';
import { gatewayVersion } from './version.ts';

export interface Gateway {
  /** Where people reach it, without a slash at the end. */
  readonly url: string;
  /** Signs a browser in to the dashboard, once and within 15 minutes. */
  readonly loginUrl: string;
  /** Which database serves, in words. */
  readonly database: string;
  readonly secrets: Secrets;
  /** Ends everything in order within the budget; repeated calls wait for the first. */
  stop(): Promise<void>;
}

export interface GatewayOptions {
  /** Ends a start that still waits for its database. */
  readonly signal?: AbortSignal;
  readonly children?: ChildProgram;
}

/** What runs as children, where it is not the lean child: for measurements. */
export type ChildProgram = Pick<SupervisorOptions, 'childEntry' | 'childFlags'>;

const databaseRetryMs = 2_000;
const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/** Starts a gateway and answers when it serves. What was started is ended again when a later step fails. */
export async function startGateway(config: Config, options: GatewayOptions = {}): Promise<Gateway> {
  const log = logger('gateway');
  const disposables = new AsyncDisposableStack();
  const readiness = new Readiness(systemClock);
  const { signal = new AbortController().signal, children = {} } = options;
  // Listens first: who waits for the gateway is told what the gateway waits for.
  let serve: (request: IncomingMessage, response: ServerResponse) => unknown = refuseUntilReady;
  const listener = withProbes(readiness.check, (request, response) => {
    // Whoever keeps a connection is to open the next one elsewhere.
    if (readiness.isStopping) response.setHeader('connection', 'close');
    return serve(request, response);
  });
  const server = createHttpServer(listener, httpLimits(config));
  /** Answers those who would wait longer than a stop takes. */
  let drain = (): void => undefined;
  let stopsAt = Number.POSITIVE_INFINITY;
  const leftMs = (): number => stopsAt - systemClock.monotonic();
  const stopServing = async (): Promise<void> => {
    readiness.stops();
    if (config.drainDelayMs > 0 && server.listening) await delay(config.drainDelayMs);
    stopsAt = systemClock.monotonic() + config.shutdownTimeoutMs;
    drain();
    await stopAccepting(server, requestsBudgetMs(config.shutdownTimeoutMs));
  };
  try {
    await listen(server, config);
    disposables.defer(await startTracing(traceSettings(config, gatewayVersion), logger('traces')));
    const metrics = createMetrics({ isPerSession: config.metricsPerSession });
    disposables.defer(() => metrics.stop());
    disposables.defer(await serveMetrics(config, metrics));
    surviveAcceptErrors(server, (error) => log.warn({ err: error }, 'connections cannot be accepted'));
    const secrets = await loadSecrets(config, systemClock);
    const database = await openDatabase(config, disposables, log);
    const { observer } = metrics;
    const store = await openStore(database.url, config, { readiness, signal, log, onEvent: observer.eventCommitted });
    disposables.defer(() => store.close());
    const janitor = createJanitor(config, store);
    disposables.defer(() => janitor.stop());

    const media = await createMedia({
      settings: mediaSettings(config),
      listNeeded: () => store.media.listSpooled(),
      findUploaded: async (id, isSandbox) =>
        (await store.media.getUploaded(id, isSandbox, systemClock.now()))?.prepared ?? null,
      log: logger('media'),
    });
    disposables.defer(() => media.close());

    const paced = { store, settings: pacingSettings(config), clock: systemClock, log: logger('pacing') };
    const pacing = new Governors(paced);
    disposables.defer(() => pacing.stop());
    const parts = { store, media, pacing, children, observer, postgresPid: database.pid };
    const { sandbox, supervisor } = createSupervision(config, parts);
    if (sandbox !== null) disposables.defer(() => sandbox.stop());
    const webhooks = createWebhookEngine({
      store,
      settings: webhookSettings(config),
      log: logger('webhooks'),
      clock: systemClock,
      observer,
      random: Math.random,
    });
    disposables.defer(() => webhooks.stop(webhooksBudgetMs(leftMs())));
    disposables.defer(() => supervisor.stop(childrenBudgetMs(leftMs())));

    const schedule = new ScheduledSends({
      store: store.scheduled,
      host: supervisor,
      ttlMs: config.messageTtlMs,
      clock: systemClock,
      log: logger('schedule'),
    });
    disposables.defer(() => schedule.stop());

    const bulkParts = { store, supervisor, pacing, newMessageId, clock: systemClock, random: Math.random };
    const bulk = new BulkRunner({ ...bulkParts, log: logger('bulk') });
    disposables.defer(() => bulk.stop());
    const qrImages = createQrImages();
    disposables.defer(() => qrImages.dispose());
    const settings = streamLimits(config);
    const streams = new EventStreams({ events: store.events, clock: systemClock, log: logger('streams'), settings });
    drain = () => {
      streams.close();
      supervisor.drain();
    };
    const url = config.publicUrl ?? `http://${inUrl(config.host)}:${config.port}`;
    const tokens = createStoredTokens({ store: store.tokens, clock: systemClock, log: logger('auth') });
    const auth = firstOf([createSuperadminAuth({ ...secrets, clock: systemClock }), tokens]);
    const audit = new AuditLog({ store: store.audit, clock: systemClock, log: logger('audit') });
    disposables.defer(() => audit.stop());
    const links = createLoginLinks(systemClock);
    const app = createApp({
      store,
      supervisor,
      sandbox,
      media,
      // What these begin serves everybody.
      schedule: { wakeAt: (dueAt) => outsideRequests(() => schedule.wakeAt(dueAt)) },
      auth,
      tokens,
      audit,
      revealSuperadminToken: () => secrets.superadminToken,
      links,
      login: createBrowserLogin({
        store: store.browserSessions,
        auth,
        // Whoever replaces a token that has leaked signs out, too, who came in with it.
        secret: `${secrets.jwtSecret} ${secrets.superadminToken}`,
        idleMs: config.dashboardIdleMs,
        lifetimeMs: config.dashboardLifetimeMs,
        clock: systemClock,
      }),
      pacing,
      bulk: { wake: () => outsideRequests(() => bulk.wake()) },
      webhookTester: webhooks.tester,
      qrImages,
      streams,
      settings: {
        version: gatewayVersion,
        baseUrl: url,
        allowedHosts: config.allowedHosts,
        trustProxy: config.trustProxy,
        limits: limitSettings(config),
        bodyLimitBytes: config.bodyLimitBytes,
        mediaBodyLimitBytes: config.mediaBodyLimitBytes,
        messageTtlMs: config.messageTtlMs,
        idempotency: { isRequired: config.requireIdempotency, ttlMs: config.idempotencyTtlMs },
        dashboard: {
          auth: config.dashboardAuth,
          listenHost: config.host,
          lifetimeMs: config.dashboardLifetimeMs,
        },
        secretOverlapMs: config.webhookSecretOverlapHours * hourMs,
        outboundAllowCidr: config.outboundAllowCidr,
        configuration: config.described,
      },
      observer,
      metrics: { contentType: metrics.contentType, render: metrics.render, token: config.metricsToken },
      log: logger('api'),
      clock: systemClock,
    });
    serve = app.callback();
    metrics.watch(metricSources({ store, supervisor, media, streams }));
    await supervisor.start();
    schedule.start();
    readiness.serves({ store, supervisor });
    webhooks.start();
    janitor.start();
    bulk.start();
    const ending = disposables.move();
    let ended: Promise<void> | null = null;
    return {
      url,
      loginUrl: loginUrl(url, links.issue(superadmin.id)),
      database: database.name,
      secrets,
      // What is under way longer than that is answered when its session ends, and cut only then.
      stop: () =>
        (ended ??= stopServing()
          .then(() => ending.disposeAsync())
          .finally(() => server.closeAllConnections())),
    };
  } catch (error) {
    await stopServing();
    await disposables.disposeAsync();
    server.closeAllConnections();
    throw error;
  }
}

function createSupervision(
  config: Config,
  {
    store,
    media,
    pacing,
    children,
    observer,
    postgresPid,
  }: {
    readonly store: Store;
    readonly media: Media;
    readonly pacing: Governors;
    readonly children: ChildProgram;
    readonly observer: Observer;
    readonly postgresPid: () => number | null;
  },
): { sandbox: SandboxLauncher | null; supervisor: Supervisor } {
  const settings = supervisorSettings(config);
  const { storagePath } = config;
  const sandbox = config.sandboxEnabled
    ? new SandboxLauncher({
        storagePath,
        restart: settings.restart,
        readyTimeoutMs: settings.readyTimeoutMs,
        environment: settings.childEnvironment,
        clock: systemClock,
        random: Math.random,
        log: logger('sandbox'),
      })
    : null;
  const resolveTarget = async (row: SessionRow) => {
    if (!row.sandbox) return { url: config.whatsappUrl, rootKeyHex: config.whatsappRootKey, caPem: null };
    if (sandbox !== null) return sandbox.target();
    throw new WardenError('sandbox_unavailable', { message: 'The sandbox is switched off; set SANDBOX_ENABLED=true.' });
  };
  const supervisor = new Supervisor({
    ...children,
    store,
    settings,
    pacing,
    storagePath,
    resolveTarget,
    otherProcesses: () => ({ postgres: postgresPid(), simulator: sandbox?.pid ?? null }),
    observer,
    onFinal: ({ media: sent }) => {
      if (sent?.source.tag === 'file') void media.spool.release(sent.source.path);
    },
    clock: systemClock,
    log: logger('supervisor'),
    random: Math.random,
  });
  return { sandbox, supervisor };
}

function createJanitor(config: Config, store: Store): Janitor {
  const retention = (days: number): number | null => (days === 0 ? null : days * dayMs);
  return new Janitor({
    ...store,
    retention: {
      messagesMs: retention(config.messageRetentionDays),
      eventsMs: retention(config.eventRetentionDays),
      deadDeliveriesMs: retention(config.webhookDeadRetentionDays),
      auditMs: retention(config.auditRetentionDays),
    },
    clock: systemClock,
    log: logger('janitor'),
  });
}

interface DatabaseInUse {
  readonly url: string;
  /** In words. */
  readonly name: string;
  /** Of the server that we run ourselves. */
  readonly pid: () => number | null;
}

async function openDatabase(config: Config, disposables: AsyncDisposableStack, log: Logger): Promise<DatabaseInUse> {
  if (config.databaseUrl !== null) {
    const { host, pathname } = new URL(config.databaseUrl);
    return { url: config.databaseUrl, name: `Postgres at ${host}${pathname}`, pid: () => null };
  }
  const folder = join(config.storagePath, 'postgres');
  const embedded = await startEmbeddedPostgres({ folder, database: config.databaseName, log });
  disposables.defer(() => embedded.stop());
  return { url: embedded.url, name: `embedded Postgres in ${folder}`, pid: () => embedded.pid() };
}

/** Migrates and opens; a database that is not there yet is waited for, since it may start beside us. */
async function openStore(
  connection: string,
  config: Config,
  {
    readiness,
    signal,
    log,
    onEvent,
  }: {
    readonly readiness: Readiness;
    readonly signal: AbortSignal;
    readonly log: Logger;
    readonly onEvent: Observer['eventCommitted'];
  },
): Promise<Store> {
  const keys = encryptionKeySource(config, log);
  for (;;) {
    try {
      if (config.autoMigrate) await migrate({ connection, log: logger('store') });
      return await createStore({ connection, log: logger('store'), clock: systemClock, keys, onEvent });
    } catch (error) {
      if (!(error instanceof WardenError) || error.code !== 'storage_unavailable') throw error;
      readiness.waitsFor(error.message);
      log.warn({ cause: String(error.cause) }, 'waiting for the database');
      await delay(databaseRetryMs, null, { signal }).catch(() => null);
      if (signal.aborted) throw new WardenError('shutting_down');
    }
  }
}

/** Throws an error in words when the port is taken. */
async function listen(server: Server, config: Config): Promise<void> {
  server.listen(config.port, config.host);
  await once(server, 'listening');
}

function inUrl(host: string): string {
  if (host === '0.0.0.0' || host === '::') return 'localhost';
  return host.includes(':') ? `[${host}]` : host;
}
