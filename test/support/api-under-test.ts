/** The HTTP side on a real listener and a real database, with a supervisor that has no children. */
import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createApp } from '../../src/api/app.ts';
import type { ApiDependencies, ApiSettings, DashboardSettings } from '../../src/api/dependencies.ts';
import { createBrowserLogin } from '../../src/api/auth/browser-login.ts';
import { createLoginLinks } from '../../src/api/auth/login-links.ts';
import { firstOf } from '../../src/api/auth/all-authenticators.ts';
import { createStoredTokens } from '../../src/api/auth/stored-tokens.ts';
import { createSuperadminAuth } from '../../src/api/auth/superadmin.ts';
import { AuditLog } from '../../src/api/audit/audit-log.ts';
import { closeHttpServer, createHttpServer, defaultHttpLimits, type HttpLimits } from '../../src/api/http-server.ts';
import type { LimitSettings } from '../../src/api/limits/limit-settings.ts';
import { createQrImages } from '../../src/api/qr-image.ts';
import type { Authenticator } from '../../src/api/auth/principal.ts';
import type { SandboxPort } from '../../src/api/sandbox-port.ts';
import { EventStreams, type EventStreamsSettings } from '../../src/api/streams/event-streams.ts';
import { systemClock } from '../../src/clock.ts';
import { readConfig } from '../../src/config.ts';
import { logger, setLogLevel } from '../../src/log.ts';
import { Governors } from '../../src/supervisor/governors.ts';
import { pacingSettings } from '../../src/pacing-settings.ts';
import type { Store } from '../../src/store/store.ts';
import { createApiClient, type ApiClient } from './api-client.ts';
import { openTestMedia } from './test-media.ts';
import { createTestDatabase, type TestDatabase } from './database.ts';
import { createFakeSupervisor, type FakeSupervisor } from './fake-supervisor.ts';

const defaults = readConfig({}, { dotEnvPath: null });

/** Of requests; tests of a limit set it. */
export const noLimits: LimitSettings = {
  token: null,
  session: null,
  browser: null,
  failedLogins: 0,
  uploads: { most: 32, mostPerToken: null },
};

export const testToken = 'a-superadmin-token-for-tests';
export const testJwtSecret = 'a-jwt-secret-for-tests-of-more-than-32-bytes';

export interface ControlCall {
  readonly method: string;
  readonly path: string;
  readonly body: unknown;
}

/** A simulator that is not there: records what it is asked and answers as told. */
export interface FakeSandbox extends SandboxPort {
  readonly calls: readonly ControlCall[];
  respond: (call: ControlCall) => Promise<{ readonly status: number; readonly body: unknown }>;
}

export interface ApiUnderTest {
  readonly client: ApiClient;
  readonly baseUrl: string;
  readonly store: Store;
  readonly database: TestDatabase;
  readonly supervisor: FakeSupervisor;
  readonly sandbox: FakeSandbox;
  readonly dependencies: ApiDependencies;
  /** A client of another gateway on the same store, which knows nothing of what this one is doing; closed with it. */
  another(change?: Partial<ApiDependencies>): Promise<ApiClient>;
  close(): Promise<void>;
}

export interface ApiOptions {
  readonly limits?: Partial<HttpLimits>;
  readonly streams?: Partial<EventStreamsSettings>;
  readonly auth?: Authenticator;
  readonly dashboardAuth?: DashboardSettings['auth'];
  /** In place of the test's own; its limits of requests are switched off. */
  readonly settings?: Partial<ApiSettings>;
  /** In place of a store that reaches the database directly. */
  readonly openStore?: (database: TestDatabase) => Promise<Store>;
}

export async function startApi(options: ApiOptions = {}): Promise<ApiUnderTest> {
  setLogLevel('silent');
  const database = await createTestDatabase();
  const { limits = {}, dashboardAuth = 'auto', openStore = () => database.openStore() } = options;
  const store = await openStore(database);
  const supervisor = createFakeSupervisor(store);
  const qrImages = createQrImages();
  const sandbox = createFakeSandbox();
  const mediaFolder = await mkdtemp(join(tmpdir(), 'warden-media-'));
  const media = await openTestMedia(mediaFolder, store);
  const tokens = createStoredTokens({ store: store.tokens, clock: systemClock, log: logger('auth') });
  const superadmin = createSuperadminAuth({ superadminToken: testToken, jwtSecret: testJwtSecret, clock: systemClock });
  const auth = options.auth ?? firstOf([superadmin, tokens]);
  const audit = new AuditLog({ store: store.audit, clock: systemClock, log: logger('audit') });
  const streams = new EventStreams({
    events: store.events,
    clock: systemClock,
    log: logger('streams'),
    ...(options.streams === undefined ? {} : { settings: options.streams }),
  });
  const pacing = new Governors({
    store,
    settings: pacingSettings(defaults),
    clock: systemClock,
    log: logger('pacing'),
  });
  const dependencies: ApiDependencies = {
    store,
    supervisor,
    sandbox,
    qrImages,
    media,
    schedule: { wakeAt: () => undefined },
    auth,
    tokens,
    audit,
    revealSuperadminToken: () => testToken,
    links: createLoginLinks(systemClock),
    login: createBrowserLogin({
      store: store.browserSessions,
      auth,
      secret: testJwtSecret,
      idleMs: 3_600_000,
      lifetimeMs: 86_400_000,
      clock: systemClock,
    }),
    streams,
    pacing,
    bulk: { wake: () => undefined },
    webhookTester: { test: () => Promise.reject(new Error('nothing is sent here')), stop: () => Promise.resolve() },
    settings: {
      version: '0.0.0-test',
      baseUrl: 'https://warden.example',
      allowedHosts: [],
      trustProxy: { tag: 'none' },
      limits: noLimits,
      bodyLimitBytes: 256 * 1024,
      mediaBodyLimitBytes: 1024 * 1024,
      messageTtlMs: 600_000,
      idempotency: { isRequired: false, ttlMs: 24 * 3_600_000 },
      dashboard: { auth: dashboardAuth, listenHost: '127.0.0.1', lifetimeMs: 86_400_000 },
      secretOverlapMs: 86_400_000,
      outboundAllowCidr: [],
      configuration: [],
      ...options.settings,
    },
    log: logger('api'),
    clock: systemClock,
  };
  const closers: (() => Promise<void>)[] = [];
  const listen = async (served: ApiDependencies) => {
    const server = createHttpServer(createApp(served).callback(), { ...defaultHttpLimits, ...limits });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const baseUrl = `http://127.0.0.1:${portOf(server.address())}`;
    const client = createApiClient(baseUrl, testToken);
    closers.push(async () => {
      await client.close();
      await closeHttpServer(server, 1000);
    });
    return { client, baseUrl };
  };
  const { client, baseUrl } = await listen(dependencies);
  return {
    client,
    baseUrl,
    store,
    database,
    supervisor,
    sandbox,
    dependencies,
    another: async (change = {}) => (await listen({ ...dependencies, ...change })).client,
    close: async () => {
      streams.close();
      for (const close of closers) await close();
      await audit.stop();
      await qrImages.dispose();
      await media.close();
      await rm(mediaFolder, { recursive: true, force: true });
      await database.dispose();
    },
  };
}

function createFakeSandbox(): FakeSandbox {
  const calls: ControlCall[] = [];
  const fake: FakeSandbox = {
    calls,
    respond: async () => ({ status: 200, body: {} }),
    control: async (method, path, body) => {
      const call = { method, path, body };
      calls.push(call);
      return fake.respond(call);
    },
  };
  return fake;
}

function portOf(address: AddressInfo | string | null): number {
  if (address === null || typeof address === 'string') throw new Error('the server is not listening');
  return address.port;
}
