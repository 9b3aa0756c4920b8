/** The composition root: builds database, store, supervisor, webhooks and API out of a configuration, and ends them. */
import { once } from 'node:events';
import type { Server } from 'node:http';
import { join } from 'node:path';
import { createApp } from './api/app.ts';
import { createSuperadminAuth } from './api/auth/superadmin.ts';
import { closeHttpServer, createHttpServer } from './api/http-server.ts';
import { createQrImages } from './api/qr-image.ts';
import { systemClock } from './clock.ts';
import type { Config } from './config.ts';
import { WardenError } from './contract/errors.ts';
import { logger, type Logger } from './log.ts';
import { loadSecrets, type Secrets } from './secrets.ts';
import { createStore } from './store/create-store.ts';
import { startEmbeddedPostgres } from './store/embedded-postgres.ts';
import { migrate } from './store/migrate.ts';
import type { SessionRow, Store } from './store/store.ts';
import { SandboxLauncher } from './supervisor/sandbox-launcher.ts';
import { Supervisor } from './supervisor/supervisor.ts';
import { supervisorSettings } from './supervisor-settings.ts';
import { createDispatcher } from './webhooks/dispatcher.ts';
import { gatewayVersion } from './version.ts';

export interface Gateway {
  /** Where people reach it, without a slash at the end. */
  readonly url: string;
  /** Which database serves, in words. */
  readonly database: string;
  readonly secrets: Secrets;
  /** Ends everything in order within the budget; repeated calls wait for the first. */
  stop(): Promise<void>;
}

const databaseRetryMs = 2_000;
const webhookStopMs = 5_000;
const requestStopMs = 5_000;
/** A claimed delivery is ours this much longer than an attempt can take. */
const leaseMarginMs = 45_000;
const oneSessionReserveMs = 3_000;

/** Starts a gateway and answers when it serves. What was started is ended again when a later step fails. */
export async function startGateway(config: Config): Promise<Gateway> {
  const log = logger('gateway');
  const disposables = new AsyncDisposableStack();
  try {
    const secrets = await loadSecrets(config, systemClock);
    const database = await openDatabase(config, disposables, log);
    const store = await openStore(database.url, config, log);
    disposables.defer(() => store.close());

    const { sandbox, supervisor } = createSupervision(config, store);
    if (sandbox !== null) disposables.defer(() => sandbox.stop());
    const dispatcher = createDispatcher({
      outbox: store.outbox,
      settings: {
        timeoutMs: config.webhookTimeoutMs,
        allowPrivateAddresses: true,
        allowCidrs: config.outboundAllowCidr,
        userAgent: `Warden/${gatewayVersion}`,
        scheduleMs: config.webhookRetryScheduleMs,
        concurrency: config.webhookConcurrency,
        leaseMs: config.webhookTimeoutMs + leaseMarginMs,
      },
      log: logger('webhooks'),
      clock: systemClock,
      random: Math.random,
    });
    disposables.defer(() => dispatcher.stop(webhookStopMs));
    disposables.defer(() => supervisor.stop(Math.max(config.shutdownTimeoutMs - webhookStopMs, oneSessionReserveMs)));

    const qrImages = createQrImages();
    disposables.defer(() => qrImages.dispose());
    const url = config.publicUrl ?? `http://${inUrl(config.host)}:${config.port}`;
    const app = createApp({
      store,
      supervisor,
      sandbox,
      auth: createSuperadminAuth({ ...secrets, clock: systemClock }),
      qrImages,
      settings: {
        version: gatewayVersion,
        baseUrl: url,
        bodyLimitBytes: config.bodyLimitBytes,
        messageTtlMs: config.messageTtlMs,
      },
      log: logger('api'),
      clock: systemClock,
    });
    const server = createHttpServer(app.callback());
    await listen(server, config);
    disposables.defer(() => closeHttpServer(server, requestStopMs));

    await supervisor.start();
    dispatcher.start();
    const ending = disposables.move();
    let ended: Promise<void> | null = null;
    return {
      url,
      database: database.name,
      secrets,
      stop: () => (ended ??= ending.disposeAsync()),
    };
  } catch (error) {
    await disposables.disposeAsync();
    throw error;
  }
}

function createSupervision(config: Config, store: Store): { sandbox: SandboxLauncher | null; supervisor: Supervisor } {
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
    if (!row.sandbox) return { url: config.whatsappUrl, rootKeyHex: config.whatsappRootKey };
    if (sandbox !== null) return sandbox.target();
    throw new WardenError('sandbox_unavailable', { message: 'The sandbox is switched off; set SANDBOX_ENABLED=true.' });
  };
  const supervisor = new Supervisor({
    store,
    settings,
    storagePath,
    resolveTarget,
    clock: systemClock,
    log: logger('supervisor'),
    random: Math.random,
  });
  return { sandbox, supervisor };
}

async function openDatabase(
  config: Config,
  disposables: AsyncDisposableStack,
  log: Logger,
): Promise<{ readonly url: string; readonly name: string }> {
  if (config.databaseUrl !== null) {
    const { host, pathname } = new URL(config.databaseUrl);
    return { url: config.databaseUrl, name: `Postgres at ${host}${pathname}` };
  }
  const folder = join(config.storagePath, 'postgres');
  const embedded = await startEmbeddedPostgres({ folder, database: config.databaseName, log });
  disposables.defer(() => embedded.stop());
  return { url: embedded.url, name: `embedded Postgres in ${folder}` };
}

/** Migrates and opens; a database that is not there yet is waited for, since it may start beside us. */
async function openStore(connection: string, config: Config, log: Logger): Promise<Store> {
  for (;;) {
    try {
      if (config.autoMigrate) await migrate({ connection, log: logger('store') });
      return await createStore({ connection, log: logger('store'), clock: systemClock });
    } catch (error) {
      if (!(error instanceof WardenError) || error.code !== 'storage_unavailable') throw error;
      log.warn({ cause: String(error.cause) }, 'waiting for the database');
      await new Promise((resolve) => setTimeout(resolve, databaseRetryMs));
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
