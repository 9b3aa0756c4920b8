/** Every variable of the environment: the documentation is generated from this table, and config.ts reads by it. */
import { availableParallelism } from 'node:os';
import {
  decimal,
  durationMs,
  flag,
  integer,
  logLevel,
  networks,
  schedule,
  text,
  url,
  ValueProblem,
  version,
  type Variable,
} from './config-variables.ts';
import { mediaVariables } from './config-media.ts';
import { secretWeakness } from './secret-strength.ts';

function refuseWeak(shortest: number): (secret: string) => void {
  return (secret) => {
    const weakness = secretWeakness(secret, shortest);
    if (weakness !== null) throw new ValueProblem(weakness);
  };
}

/** By topic; the keys are those of the configuration. */
export const configTable = {
  'Where it listens': {
    port: integer({
      name: 'PORT',
      fallback: '3451',
      min: 0,
      max: 65_535,
      sentence: 'Port of the API and the dashboard; 0 takes a free one.',
    }),
    host: text({
      name: 'HOST',
      fallback: '127.0.0.1',
      sentence: 'Address to listen on; 0.0.0.0 opens the gateway to the network.',
    }),
    publicUrl: url({
      name: 'PUBLIC_URL',
      protocols: ['http', 'https'],
      sentence: 'The address under which clients reach the gateway, when it is not the one above.',
    }),
    bodyLimitBytes: integer({
      name: 'BODY_LIMIT_BYTES',
      fallback: '262144',
      min: 1_024,
      max: 104_857_600,
      unit: 'bytes',
      sentence: 'Largest JSON body that is accepted.',
    }),
  },
  Database: {
    databaseUrl: url({
      name: 'DATABASE_URL',
      protocols: ['postgres', 'postgresql'],
      isSecret: true,
      sentence: 'A Postgres to use; with neither this nor POSTGRES_HOST the embedded one serves.',
    }),
    postgresHost: text({
      name: 'POSTGRES_HOST',
      sentence: 'Host of a Postgres to use, or the folder of its Unix socket.',
    }),
    postgresPort: integer({ name: 'POSTGRES_PORT', fallback: '5432', min: 1, max: 65_535, sentence: 'Its port.' }),
    postgresUser: text({ name: 'POSTGRES_USER', fallback: 'postgres', sentence: 'Its user.' }),
    postgresPassword: text({ name: 'POSTGRES_PASSWORD', isSecret: true, sentence: "That user's password." }),
    postgresDatabase: text({
      name: 'POSTGRES_DB',
      fallback: 'wagateway',
      sentence: 'Name of the database, also of the embedded one.',
    }),
    autoMigrate: flag({
      name: 'AUTO_MIGRATE',
      fallback: 'true',
      sentence: 'Whether the schema is brought up to date at the start.',
    }),
  },
  'Files and secrets': {
    storagePath: text({
      name: 'WHATSAPP_STORAGE_PATH',
      fallback: './whatsapp_sessions',
      sentence: 'Folder of the embedded database, of generated secrets and of the sandbox.',
    }),
    jwtSecret: text({
      name: 'JWT_SECRET',
      isSecret: true,
      check: refuseWeak(32),
      sentence: 'Key that signs tokens, at least 32 characters; generated and kept when absent.',
    }),
    superadminToken: text({
      name: 'SUPERADMIN_TOKEN',
      isSecret: true,
      check: refuseWeak(16),
      sentence: 'Token with all rights, at least 16 characters; generated and kept when absent.',
    }),
    logLevel: logLevel({ name: 'LOG_LEVEL', aliases: ['RUST_LOG'], fallback: 'info', sentence: 'How much is logged.' }),
  },
  WhatsApp: {
    whatsappUrl: url({
      name: 'WHATSAPP_URL',
      protocols: ['ws', 'wss'],
      sentence: 'WebSocket address of a relay or a test server to use in place of WhatsApp.',
    }),
    whatsappRootKey: text({
      name: 'WHATSAPP_ROOT_KEY',
      check: requireRootKey,
      sentence: "That server's Noise root key to trust: 32 bytes in hex.",
    }),
    whatsappVersion: version({
      name: 'WHATSAPP_VERSION',
      sentence: "WhatsApp Web version to announce; absent takes the library's own.",
    }),
    connectTimeoutMs: durationMs({
      name: 'CONNECT_TIMEOUT_MS',
      fallback: '20000',
      sentence: 'How long connecting to WhatsApp may take.',
    }),
    linkOpenTimeoutMs: durationMs({
      name: 'LINK_OPEN_TIMEOUT_MS',
      fallback: '60000',
      sentence: 'How long a link may take from connecting to open, or to its first QR code.',
    }),
    keepAliveMs: durationMs({
      name: 'KEEP_ALIVE_MS',
      fallback: '20000',
      min: 1_000,
      sentence: 'Interval of the pings that keep a link alive.',
    }),
    queryTimeoutMs: durationMs({
      name: 'QUERY_TIMEOUT_MS',
      fallback: '25000',
      sentence: 'How long WhatsApp may take to answer a query.',
    }),
    sendTimeoutMs: durationMs({
      name: 'SEND_TIMEOUT_MS',
      fallback: '25000',
      sentence: "How long a send waits for WhatsApp's acknowledgement before it is answered as pending.",
    }),
    messageTtlMs: durationMs({
      name: 'MESSAGE_TTL_MS',
      fallback: '600000',
      sentence: 'How long an accepted message may wait to be sent before it fails.',
    }),
    undecryptablePatienceMs: durationMs({
      name: 'UNDECRYPTABLE_PATIENCE_MS',
      fallback: '120000',
      sentence: 'How long a message that cannot be decrypted is waited for before it is told as such.',
    }),
    messageRetentionDays: integer({
      name: 'MESSAGE_RETENTION_DAYS',
      fallback: '90',
      min: 0,
      max: 36_500,
      unit: 'days',
      sentence: 'How long messages are kept; 0 keeps them for ever.',
    }),
    qrTimeoutMs: durationMs({
      name: 'QR_TIMEOUT_MS',
      sentence: "Lifetime of each QR code; absent keeps WhatsApp's own.",
    }),
    sandboxEnabled: flag({
      name: 'SANDBOX_ENABLED',
      fallback: 'true',
      sentence: 'Whether sessions can be created in the sandbox, without WhatsApp.',
    }),
  },
  Media: mediaVariables,
  'Child processes': {
    sessionsPerChild: integer({
      name: 'SESSIONS_PER_CHILD',
      fallback: '1',
      min: 1,
      max: 100,
      sentence: 'Sessions that share a process; 1 isolates each from all others.',
    }),
    sessionMemoryMb: integer({
      name: 'SESSION_MEMORY_MB',
      fallback: '192',
      min: 64,
      max: 65_536,
      unit: 'megabytes',
      sentence: 'Memory cap of a process.',
    }),
    memorySoftRatio: decimal({
      name: 'MEMORY_SOFT_RATIO',
      fallback: '0.8',
      sentence: 'The part of its cap beyond which a process is replaced at a quiet moment, without a logout.',
    }),
    recycleQuietMs: durationMs({
      name: 'RECYCLE_QUIET_MS',
      fallback: '30000',
      sentence: 'How long a moment without requests is waited for before a process is replaced.',
    }),
    recycleTimeoutMs: durationMs({
      name: 'RECYCLE_TIMEOUT_MS',
      fallback: '15000',
      sentence: 'How long a process that is replaced may take to finish before it is killed.',
    }),
    recycleIntervalMs: durationMs({
      name: 'RECYCLE_INTERVAL_MS',
      fallback: '300000',
      sentence: 'A process that grows again within this time is shown with a warning in place of being replaced.',
    }),
    maxSessions: integer({
      name: 'MAX_SESSIONS',
      fallback: '0',
      min: 0,
      max: 100_000,
      sentence: 'Sessions that this gateway takes; 0 leaves that to its memory.',
    }),
    overcommit: decimal({
      name: 'OVERCOMMIT',
      fallback: '4',
      sentence: 'Factor by which the sum of all memory caps may exceed the memory of the machine or container.',
    }),
    deafSilenceMs: integer({
      name: 'DEAF_SILENCE_MS',
      fallback: '900000',
      min: 0,
      max: 86_400_000,
      unit: 'milliseconds',
      sentence: 'Silence of a session, beyond its own habit, after which its connection is tested; 0 never tests.',
    }),
    startConcurrency: integer({
      name: 'START_CONCURRENCY',
      fallback: String(Math.max(2, availableParallelism())),
      min: 1,
      max: 256,
      sentence: 'Processes that may start at the same time; the default is the number of cores, at least 2.',
    }),
    connectRate: decimal({
      name: 'CONNECT_RATE',
      fallback: '2',
      sentence: 'Connections to WhatsApp per second, after a burst.',
    }),
    connectBurst: integer({
      name: 'CONNECT_BURST',
      fallback: '5',
      min: 1,
      max: 1_000,
      sentence: 'Connections that may be made at once before that rate applies.',
    }),
    childReadyTimeoutMs: durationMs({
      name: 'CHILD_READY_TIMEOUT_MS',
      fallback: '20000',
      sentence: 'How long a process may take from its start to its first session.',
    }),
    childStopTimeoutMs: durationMs({
      name: 'CHILD_STOP_TIMEOUT_MS',
      fallback: '10000',
      sentence: 'How long a process may take to stop before it is killed.',
    }),
    heartbeatIntervalMs: durationMs({
      name: 'HEARTBEAT_INTERVAL_MS',
      fallback: '2000',
      min: 100,
      sentence: 'Interval at which a process says that it is well.',
    }),
    heartbeatSuspectMs: durationMs({
      name: 'HEARTBEAT_SUSPECT_MS',
      fallback: '10000',
      min: 100,
      sentence: 'Silence after which a process is shown as unresponsive.',
    }),
    heartbeatKillMs: durationMs({
      name: 'HEARTBEAT_KILL_MS',
      fallback: '30000',
      min: 100,
      sentence: 'Silence after which a process is killed and started again.',
    }),
    restartBaseMs: durationMs({
      name: 'RESTART_BASE_MS',
      fallback: '500',
      sentence: 'Delay before a process that died is started again; it doubles each time.',
    }),
    restartMaxMs: durationMs({ name: 'RESTART_MAX_MS', fallback: '300000', sentence: 'Longest such delay.' }),
    restartResetMs: durationMs({
      name: 'RESTART_RESET_MS',
      fallback: '600000',
      sentence: 'Time in good health after which the delay begins anew.',
    }),
    crashLoopCount: integer({
      name: 'CRASH_LOOP_COUNT',
      fallback: '5',
      min: 1,
      max: 1_000,
      sentence: 'Unplanned ends within the window below that are called a crash loop.',
    }),
    crashLoopWindowMs: durationMs({ name: 'CRASH_LOOP_WINDOW_MS', fallback: '60000', sentence: 'That window.' }),
    restartLimit: integer({
      name: 'RESTART_LIMIT',
      fallback: '0',
      min: 0,
      max: 100_000,
      sentence: 'Failed starts in a row after which a person must call connect; 0 retries for ever.',
    }),
    massFailureCount: integer({
      name: 'MASS_FAILURE_COUNT',
      fallback: '5',
      min: 1,
      max: 100_000,
      sentence: 'When more processes than this die within the window below, all starts are paused.',
    }),
    massFailurePercent: integer({
      name: 'MASS_FAILURE_PERCENT',
      fallback: '20',
      min: 0,
      max: 100,
      sentence: 'Deaths must also be more than this part of all processes, in percent.',
    }),
    massFailureWindowMs: durationMs({ name: 'MASS_FAILURE_WINDOW_MS', fallback: '30000', sentence: 'That window.' }),
    massFailurePauseMs: durationMs({
      name: 'MASS_FAILURE_PAUSE_MS',
      fallback: '30000',
      sentence: 'How long starts are paused before one process may try; it doubles each time.',
    }),
    massFailureMaxPauseMs: durationMs({
      name: 'MASS_FAILURE_MAX_PAUSE_MS',
      fallback: '300000',
      sentence: 'Longest such pause.',
    }),
    drainDelayMs: integer({
      name: 'DRAIN_DELAY_MS',
      fallback: '0',
      min: 0,
      max: 600_000,
      unit: 'milliseconds',
      sentence: 'How long a gateway that is to stop still answers, with /readyz saying no.',
    }),
    shutdownTimeoutMs: durationMs({
      name: 'SHUTDOWN_TIMEOUT_MS',
      fallback: '20000',
      sentence: 'How long the whole gateway may take to stop.',
    }),
  },
  Webhooks: {
    webhookTimeoutMs: durationMs({
      name: 'WEBHOOK_TIMEOUT_MS',
      fallback: '15000',
      sentence: 'How long a receiver may take to answer.',
    }),
    webhookRetrySchedule: schedule({
      name: 'WEBHOOK_RETRY_SCHEDULE',
      fallback: '0s,5s,30s,2m,10m,30m,1h,2h,5h,10h,14h,20h,24h',
      check: requireSomeRetries,
      sentence: 'Delays before the attempts of a delivery; after the last it is dead.',
    }),
    webhookConcurrency: integer({
      name: 'WEBHOOK_CONCURRENCY',
      fallback: '64',
      min: 1,
      max: 1_000,
      sentence: 'Deliveries under way at the same time.',
    }),
    outboundAllowCidr: networks({
      name: 'OUTBOUND_ALLOW_CIDR',
      fallback: '',
      sentence: 'Private networks that may be called by URLs from requests.',
    }),
  },
} as const;

/** All variables in the order of the table, with their topic. */
export function listVariables(): readonly { readonly topic: string; readonly variable: Variable<unknown> }[] {
  return Object.entries(configTable).flatMap(([topic, variables]) =>
    Object.values<Variable<unknown>>(variables).map((variable) => ({ topic, variable })),
  );
}

function requireRootKey(key: string): void {
  if (!/^[0-9a-f]{64}$/i.test(key)) throw new ValueProblem('must be 64 hexadecimal digits');
}

function requireSomeRetries(delaysMs: readonly number[]): void {
  if (delaysMs.length > 50) throw new ValueProblem('must have at most 50 entries');
}
