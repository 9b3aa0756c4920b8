/** Reads the configuration: the environment first, then the file `.env` beside package.json, then defaults. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseEnv } from 'node:util';
import { configTable, listVariables } from './config-table.ts';
import { ValueProblem, type Variable } from './config-variables.ts';
import { connectionUrl } from './store/connection-url.ts';

type Environment = Readonly<Record<string, string | undefined>>;

export type Config = ReturnType<typeof readConfig>;

/** Everything that is wrong with the configuration; the message lists it line by line and shows no secret. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(`the configuration cannot be used:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`);
    this.problems = problems;
  }
}

/** The configuration of this process. Throws a ConfigError. */
export function loadConfig(): Config {
  return readConfig(process.env, { dotEnvPath: fileURLToPath(new URL('../../.env', import.meta.url)) });
}

/** Reads an environment by the table. Throws one ConfigError that names all problems. */
export function readConfig(environment: Environment, options: { readonly dotEnvPath: string | null }) {
  const source = new Source(environment, options.dotEnvPath);
  const {
    'Where it listens': listening,
    Database: database,
    'Files and secrets': files,
    WhatsApp: whatsapp,
    Pacing: pacing,
    Media: media,
    'Child processes': children,
    Webhooks: webhooks,
    Idempotency: idempotency,
    Dashboard: dashboard,
    Limits: limits,
    'Event streams': streams,
    'Audit log': audit,
    Metrics: metrics,
    Traces: traces,
  } = configTable;
  const config = {
    port: source.required(listening.port),
    host: source.required(listening.host),
    publicUrl: source.optional(listening.publicUrl),
    /** Host names beside those that are ours anyway, in lower case. */
    allowedHosts: source.required(listening.allowedHosts),
    trustProxy: source.required(listening.trustProxy),
    bodyLimitBytes: source.required(listening.bodyLimitBytes),

    /** Null when the embedded Postgres serves. */
    databaseUrl: source.optional(database.databaseUrl) ?? urlFromParts(source),
    /** The name of the embedded one's database. */
    databaseName: source.required(database.postgresDatabase),
    autoMigrate: source.required(database.autoMigrate),

    /** An absolute path. */
    storagePath: resolve(source.required(files.storagePath)),
    jwtSecret: source.optional(files.jwtSecret),
    superadminToken: source.optional(files.superadminToken),
    encryptionKey: source.optional(files.encryptionKey),
    logLevel: source.required(files.logLevel),

    whatsappUrl: source.optional(whatsapp.whatsappUrl),
    whatsappRootKey: source.optional(whatsapp.whatsappRootKey)?.toLowerCase() ?? null,
    whatsappVersion: source.optional(whatsapp.whatsappVersion),
    connectTimeoutMs: source.required(whatsapp.connectTimeoutMs),
    linkOpenTimeoutMs: source.required(whatsapp.linkOpenTimeoutMs),
    keepAliveMs: source.required(whatsapp.keepAliveMs),
    queryTimeoutMs: source.required(whatsapp.queryTimeoutMs),
    sendTimeoutMs: source.required(whatsapp.sendTimeoutMs),
    messageTtlMs: source.required(whatsapp.messageTtlMs),
    undecryptablePatienceMs: source.required(whatsapp.undecryptablePatienceMs),
    messageRetentionDays: source.required(whatsapp.messageRetentionDays),
    qrTimeoutMs: source.optional(whatsapp.qrTimeoutMs),
    sandboxEnabled: source.required(whatsapp.sandboxEnabled),

    pacingEnabled: source.required(pacing.pacingEnabled),
    pacingMessagesPerSecond: source.required(pacing.pacingMessagesPerSecond),
    pacingBurst: source.required(pacing.pacingBurst),
    pacingNewChatsPerDay: source.required(pacing.pacingNewChatsPerDay),
    pacingWarmUpDays: source.required(pacing.pacingWarmUpDays),
    pacingWarmUpNewChats: source.required(pacing.pacingWarmUpNewChats),
    pacingNewChatBackoffMs: source.required(pacing.pacingNewChatBackoffMs),
    pacingNewChatBackoffMaxMs: source.required(pacing.pacingNewChatBackoffMaxMs),
    pacingSlowDownMs: source.required(pacing.pacingSlowDownMs),
    pacingSlowDownMaxMs: source.required(pacing.pacingSlowDownMaxMs),

    mediaBodyLimitBytes: source.required(media.mediaBodyLimitBytes),
    mediaMaxImageMb: source.required(media.mediaMaxImageMb),
    mediaMaxVideoMb: source.required(media.mediaMaxVideoMb),
    mediaMaxAudioMb: source.required(media.mediaMaxAudioMb),
    mediaMaxDocumentMb: source.required(media.mediaMaxDocumentMb),
    spoolQuotaMb: source.required(media.spoolQuotaMb),
    mediaCacheMb: source.required(media.mediaCacheMb),
    mediaFetchTimeoutMs: source.required(media.mediaFetchTimeoutMs),
    mediaUploadTimeoutMs: source.required(media.mediaUploadTimeoutMs),
    mediaDownloadTimeoutMs: source.required(media.mediaDownloadTimeoutMs),
    /** Null searches for it; an empty text goes without. */
    ffmpegPath: withoutNone(source.optional(media.ffmpegPath)),

    sessionsPerChild: source.required(children.sessionsPerChild),
    sessionMemoryMb: source.required(children.sessionMemoryMb),
    memorySoftRatio: source.required(children.memorySoftRatio),
    recycleQuietMs: source.required(children.recycleQuietMs),
    recycleTimeoutMs: source.required(children.recycleTimeoutMs),
    recycleIntervalMs: source.required(children.recycleIntervalMs),
    maxSessions: source.required(children.maxSessions),
    overcommit: source.required(children.overcommit),
    deafSilenceMs: source.required(children.deafSilenceMs),
    startConcurrency: source.required(children.startConcurrency),
    connectRate: source.required(children.connectRate),
    connectBurst: source.required(children.connectBurst),
    childReadyTimeoutMs: source.required(children.childReadyTimeoutMs),
    childStopTimeoutMs: source.required(children.childStopTimeoutMs),
    heartbeatIntervalMs: source.required(children.heartbeatIntervalMs),
    heartbeatSuspectMs: source.required(children.heartbeatSuspectMs),
    heartbeatKillMs: source.required(children.heartbeatKillMs),
    restartBaseMs: source.required(children.restartBaseMs),
    restartMaxMs: source.required(children.restartMaxMs),
    restartResetMs: source.required(children.restartResetMs),
    crashLoopCount: source.required(children.crashLoopCount),
    crashLoopWindowMs: source.required(children.crashLoopWindowMs),
    restartLimit: source.required(children.restartLimit),
    massFailureCount: source.required(children.massFailureCount),
    massFailurePercent: source.required(children.massFailurePercent),
    massFailureWindowMs: source.required(children.massFailureWindowMs),
    massFailurePauseMs: source.required(children.massFailurePauseMs),
    massFailureMaxPauseMs: source.required(children.massFailureMaxPauseMs),
    drainDelayMs: source.required(children.drainDelayMs),
    shutdownTimeoutMs: source.required(children.shutdownTimeoutMs),

    webhookTimeoutMs: source.required(webhooks.webhookTimeoutMs),
    webhookRetryScheduleMs: source.required(webhooks.webhookRetrySchedule),
    webhookConcurrency: source.required(webhooks.webhookConcurrency),
    webhookBreakerFailures: source.required(webhooks.webhookBreakerFailures),
    webhookBreakerPauseMs: source.required(webhooks.webhookBreakerPauseMs),
    webhookBreakerMaxPauseMs: source.required(webhooks.webhookBreakerMaxPauseMs),
    webhookDisableAfterDays: source.required(webhooks.webhookDisableAfterDays),
    webhookSecretOverlapHours: source.required(webhooks.webhookSecretOverlapHours),
    webhookDeadRetentionDays: source.required(webhooks.webhookDeadRetentionDays),
    eventRetentionDays: source.required(webhooks.eventRetentionDays),
    outboundAllowCidr: source.required(webhooks.outboundAllowCidr),

    requireIdempotency: source.required(idempotency.requireIdempotency),
    idempotencyTtlMs: source.required(idempotency.idempotencyTtlHours) * hourMs,
    dashboardAuth: source.required(dashboard.dashboardAuth),
    dashboardIdleMs: source.required(dashboard.dashboardIdleMs),
    dashboardLifetimeMs: source.required(dashboard.dashboardLifetimeMs),
    tokenPerSecond: source.required(limits.tokenPerSecond),
    tokenBurst: source.required(limits.tokenBurst),
    sessionPerSecond: source.required(limits.sessionPerSecond),
    sessionBurst: source.required(limits.sessionBurst),
    browserPerSecond: source.required(limits.browserPerSecond),
    browserBurst: source.required(limits.browserBurst),
    failedLogins: source.required(limits.failedLogins),
    uploadMax: source.required(limits.uploadMax),
    uploadMaxPerToken: source.required(limits.uploadMaxPerToken),
    maxConnections: source.required(limits.maxConnections),
    maxConnectionsPerAddress: source.required(limits.maxConnectionsPerAddress),
    headersTimeoutMs: source.required(limits.headersTimeoutMs),
    requestTimeoutMs: source.required(limits.requestTimeoutMs),
    keepAliveTimeoutMs: source.required(limits.keepAliveTimeoutMs),
    maxHeaderBytes: source.required(limits.maxHeaderBytes),

    streamMax: source.required(streams.streamMax),
    streamMaxPerToken: source.required(streams.streamMaxPerToken),
    streamMaxPerAddress: source.required(streams.streamMaxPerAddress),
    auditRetentionDays: source.required(audit.auditRetentionDays),

    /** Null for no port of their own. */
    metricsPort: source.optional(metrics.metricsPort),
    metricsHost: source.required(metrics.metricsHost),
    metricsToken: source.optional(metrics.metricsToken),
    metricsPerSession: source.required(metrics.metricsPerSession),

    otelEndpoint: source.optional(traces.otelEndpoint),
    otelTracesEndpoint: source.optional(traces.otelTracesEndpoint),
    otelProtocol: source.required(traces.otelProtocol),
    otelHeaders: source.optional(traces.otelHeaders),
    otelTimeoutMs: source.required(traces.otelTimeoutMs),
    otelServiceName: source.required(traces.otelServiceName),
    otelResourceAttributes: source.optional(traces.otelResourceAttributes),
    otelSampler: source.required(traces.otelSampler),
    otelSamplerArg: source.required(traces.otelSamplerArg),
    otelSdkDisabled: source.required(traces.otelSdkDisabled),
    /** Every variable as it is in effect, for people; without the values of secrets. */
    described: listVariables().map(({ topic, variable }) => ({ topic, ...source.describe(variable) })),
  } as const;
  source.demand(
    config.heartbeatIntervalMs < config.heartbeatSuspectMs,
    'HEARTBEAT_SUSPECT_MS must be above HEARTBEAT_INTERVAL_MS',
  );
  source.demand(
    config.heartbeatSuspectMs < config.heartbeatKillMs,
    'HEARTBEAT_KILL_MS must be above HEARTBEAT_SUSPECT_MS',
  );
  source.demand(config.memorySoftRatio < 1, 'MEMORY_SOFT_RATIO must be below 1');
  source.demand(
    config.massFailurePauseMs <= config.massFailureMaxPauseMs,
    'MASS_FAILURE_MAX_PAUSE_MS must not be below MASS_FAILURE_PAUSE_MS',
  );
  source.demand(
    config.pacingNewChatBackoffMs <= config.pacingNewChatBackoffMaxMs,
    'PACING_NEW_CHAT_BACKOFF_MAX_MS must not be below PACING_NEW_CHAT_BACKOFF_MS',
  );
  source.demand(
    config.pacingSlowDownMs <= config.pacingSlowDownMaxMs,
    'PACING_SLOW_DOWN_MAX_MS must not be below PACING_SLOW_DOWN_MS',
  );
  source.demand(config.restartBaseMs <= config.restartMaxMs, 'RESTART_MAX_MS must not be below RESTART_BASE_MS');
  source.demand(
    config.webhookBreakerPauseMs <= config.webhookBreakerMaxPauseMs,
    'WEBHOOK_BREAKER_MAX_PAUSE_MS must not be below WEBHOOK_BREAKER_PAUSE_MS',
  );
  source.demand(config.streamMax < config.maxConnections, 'HTTP_MAX_CONNECTIONS must be above STREAM_MAX');
  source.demand(
    config.headersTimeoutMs <= config.requestTimeoutMs,
    'HTTP_REQUEST_TIMEOUT_MS must not be below HTTP_HEADERS_TIMEOUT_MS',
  );
  source.demand(config.otelSamplerArg <= 1, 'OTEL_TRACES_SAMPLER_ARG must not be above 1');
  source.throwIfAny();
  return config;
}

const hourMs = 3_600_000;
const withoutNone = (path: string | null): string | null => (path?.toLowerCase() === 'none' ? '' : path);

function urlFromParts(source: Source): string | null {
  const { postgresHost, postgresPort, postgresUser, postgresPassword, postgresDatabase } = configTable.Database;
  const host = source.optional(postgresHost);
  if (host === null) return null;
  return connectionUrl({
    host,
    port: source.required(postgresPort),
    user: source.required(postgresUser),
    password: source.optional(postgresPassword),
    database: source.required(postgresDatabase),
  });
}

/** Looks variables up and collects what is wrong with them. */
class Source {
  private readonly environment: Environment;
  private readonly problems = new Set<string>();

  constructor(environment: Environment, dotEnvPath: string | null) {
    this.environment = { ...this.readDotEnv(dotEnvPath), ...definedOnly(environment) };
  }

  optional<Value>(variable: Variable<Value>): Value | null {
    for (const name of [variable.name, ...variable.aliases]) {
      const given = this.textOf(name, variable.isSecret);
      if (given === null) continue;
      try {
        return variable.parse(given);
      } catch (error) {
        if (!(error instanceof ValueProblem)) throw error;
        const shown = variable.isSecret ? '' : `, not ${JSON.stringify(given.slice(0, 60))}`;
        this.problems.add(`${name} ${error.message}${shown}`);
      }
    }
    return null;
  }

  required<Value>(variable: Variable<Value>): Value {
    return this.optional(variable) ?? variable.parse(variable.fallback ?? '');
  }

  describe({ name, aliases, sentence, isSecret, fallback }: Variable<unknown>) {
    const given = [name, ...aliases].map((each) => this.textOf(each, isSecret)).find((each) => each !== null) ?? null;
    // A password may stand in an address, too.
    const shown = isSecret ? null : ((given ?? fallback)?.replace(/\/\/[^/@\s]*@/g, '//…@') ?? null);
    return { name, sentence, isSecret, isSet: given !== null, value: shown };
  }

  demand(isMet: boolean, problem: string): void {
    if (!isMet) this.problems.add(problem);
  }

  throwIfAny(): void {
    if (this.problems.size > 0) throw new ConfigError([...this.problems]);
  }

  private textOf(name: string, isSecret: boolean): string | null {
    const direct = nonEmpty(this.environment[name]);
    const path = isSecret ? nonEmpty(this.environment[`${name}_FILE`]) : null;
    if (path === null) return direct;
    if (direct !== null) {
      this.problems.add(`${name} and ${name}_FILE must not both be set`);
      return direct;
    }
    try {
      const read = nonEmpty(readFileSync(path, 'utf8'));
      if (read === null) this.problems.add(`${name}_FILE names an empty file`);
      return read;
    } catch {
      this.problems.add(`${name}_FILE names a file that cannot be read: ${path}`);
      return null;
    }
  }

  private readDotEnv(path: string | null): Environment {
    if (path === null) return {};
    try {
      return parseEnv(readFileSync(path, 'utf8'));
    } catch (error) {
      const isAbsent = error instanceof Error && 'code' in error && error.code === 'ENOENT';
      if (!isAbsent) this.problems.add(`${path} cannot be read`);
      return {};
    }
  }
}

function definedOnly(environment: Environment): Environment {
  return Object.fromEntries(Object.entries(environment).filter(([, value]) => nonEmpty(value) !== null));
}

/** A variable that is set to nothing counts as absent. */
function nonEmpty(given: string | undefined): string | null {
  const trimmed = given?.trim() ?? '';
  return trimmed === '' ? null : trimmed;
}
