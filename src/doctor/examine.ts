/** Gathers everything that the doctor judges; needs no gateway, and does not disturb one. */
import { join } from 'node:path';
import { systemClock } from '../clock.ts';
import type { Config } from '../config.ts';
import { findEmbedded } from '../store/find-embedded.ts';
import { inspectDatabase } from '../store/inspect-database.ts';
import { supervisorSettings } from '../supervisor-settings.ts';
import { examineMachine, reasonOf } from './examine-machine.ts';
import { examineGateway, examineMetricsPort, examineWhatsApp } from './examine-network.ts';
import type { DatabaseFacts, Facts } from './facts.ts';

const megabyte = 1_048_576;

export async function examine(config: Config, dotEnvPath: string): Promise<Facts> {
  const now = (): number => systemClock.now();
  const [machine, gateway, found, network] = await Promise.all([
    examineMachine(config, dotEnvPath),
    examineGateway(config),
    examineDatabase(config, now),
    examineWhatsApp(config.whatsappUrl, now),
  ]);
  const database = gateway.readiness === null ? withoutStale(found) : found;
  const inspected = database.inspected !== null && 'value' in database.inspected ? database.inspected.value : null;
  const { admission } = supervisorSettings(config);
  return {
    machine,
    gateway,
    metricsPort: await examineMetricsPort(config, gateway.readiness !== null),
    database,
    capacity: {
      sessions: inspected?.content?.sessions ?? null,
      sessionsPerChild: config.sessionsPerChild,
      capBytes: config.sessionMemoryMb * megabyte,
      overcommit: admission.overcommit,
      reserveMb: admission.reserveMb,
    },
    network,
  };
}

/** Of a gateway that was killed a pid file may be left, which the next start clears: that is a database at rest. */
const withoutStale = (database: DatabaseFacts): DatabaseFacts =>
  database.isEmbedded && database.inspected !== null && 'problem' in database.inspected
    ? { ...database, inspected: null }
    : database;

async function examineDatabase(config: Config, now: () => number): Promise<DatabaseFacts> {
  const { databaseUrl, databaseName, autoMigrate: appliesMigrations } = config;
  const folder = join(config.storagePath, 'postgres');
  const embedded = databaseUrl === null ? await findEmbedded(folder, databaseName) : null;
  const url = databaseUrl ?? embedded?.url ?? null;
  return {
    name: databaseUrl === null ? `The embedded Postgres in ${folder}` : nameOf(databaseUrl),
    isEmbedded: databaseUrl === null,
    appliesMigrations,
    inspected:
      url === null
        ? null
        : await inspectDatabase(url, now).then(
            (value) => ({ value }),
            (error: unknown) => ({ problem: reasonOf(error) }),
          ),
  };
}

function nameOf(url: string): string {
  const parsed = URL.parse(url);
  return parsed === null ? 'The database' : `Postgres at ${parsed.host}${parsed.pathname}`;
}
