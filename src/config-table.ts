/** Every variable of the environment: the documentation is generated from this table, and config.ts reads by it. */
import {
  durationMs,
  flag,
  integer,
  logLevel,
  text,
  url,
  ValueProblem,
  version,
  type Variable,
} from './config-variables.ts';
import { auditVariables } from './config-audit.ts';
import { encryptionVariables } from './config-encryption.ts';
import { childVariables } from './config-children.ts';
import { idempotencyVariables } from './config-idempotency.ts';
import { dashboardVariables } from './config-dashboard.ts';
import { metricsVariables, traceVariables } from './config-observability.ts';
import { mediaVariables } from './config-media.ts';
import { limitVariables } from './config-limits.ts';
import { listeningVariables } from './config-listening.ts';
import { streamVariables } from './config-streams.ts';
import { pacingVariables } from './config-pacing.ts';
import { webhookVariables } from './config-webhooks.ts';
import { secretWeakness } from './secret-strength.ts';

function refuseWeak(shortest: number): (secret: string) => void {
  return (secret) => {
    const weakness = secretWeakness(secret, shortest);
    if (weakness !== null) throw new ValueProblem(weakness);
  };
}

/** By topic; the keys are those of the configuration. */
export const configTable = {
  'Where it listens': listeningVariables,
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
    ...encryptionVariables,
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
      fallback: '25000',
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
  Pacing: pacingVariables,
  Media: mediaVariables,
  'Child processes': childVariables,
  Webhooks: webhookVariables,
  Idempotency: idempotencyVariables,
  Dashboard: dashboardVariables,
  Limits: limitVariables,
  'Event streams': streamVariables,
  'Audit log': auditVariables,
  Metrics: metricsVariables,
  Traces: traceVariables,
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
