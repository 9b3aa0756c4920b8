/** What is to be said of the database. Pure. */
import type { InspectedDatabase } from '../store/inspect-database.ts';
import type { DatabaseFacts } from './facts.ts';
import { findingsOf, inWords, type Finding } from './finding.ts';

const database = findingsOf('database');
const migrations = findingsOf('migrations');
const clock = findingsOf('clock');
const webhooks = findingsOf('webhooks');

/** The oldest major version that is used with this gateway by its authors. */
const oldestMajor = 15;
/** A pool of ten, and those that listen and migrate. */
const neededConnections = 15;
/** Each step of a ratchet waits for a commit: a message takes several. */
const slowRoundTripMs = 50;
const clockWarnMs = 2_000;
const clockFailMs = 60_000;
const oldDeliverySeconds = 3_600;

export function checkDatabase({ name, isEmbedded, inspected, appliesMigrations }: DatabaseFacts): readonly Finding[] {
  if (inspected === null) return [database.ok(`${name} is not running now; the gateway starts it.`)];
  if ('problem' in inspected) {
    const advice = isEmbedded
      ? 'See the log of the gateway; a database that was killed is started again within seconds.'
      : 'Check DATABASE_URL (or POSTGRES_*), that the server runs, and that it lets this machine in.';
    return [database.fail(`${name} cannot be reached: ${inspected.problem}.`, advice)];
  }
  const found = inspected.value;
  return [
    database.ok(
      `${name} answers: Postgres ${versionOf(found.version)}, ${inWords(found.sizeBytes)}, ${found.connections} connections.`,
    ),
    ...checkSettings(found, isEmbedded),
    ...checkMigrations(found, appliesMigrations),
    checkClock(found.clockAheadMs),
    ...checkContent(found),
  ];
}

const versionOf = (version: number): string => `${Math.floor(version / 10_000)}.${version % 10_000}`;

function checkSettings(found: InspectedDatabase, isEmbedded: boolean): readonly Finding[] {
  const { version, settings, connections, roundTripMs } = found;
  const free = settings.maxConnections - connections;
  const when = (isSo: boolean, finding: Finding): readonly Finding[] => (isSo ? [finding] : []);
  return [
    ...when(found.isReadOnly, database.fail('It takes no writes.', 'Point the gateway at the primary server.')),
    ...when(
      settings.encoding !== 'UTF8',
      database.fail(`Its encoding is ${settings.encoding}.`, 'Create the database with ENCODING UTF8.'),
    ),
    ...when(
      !settings.fsync,
      database.fail('fsync is off: a power cut can destroy it.', 'Set fsync = on; keys that are lost end pairings.'),
    ),
    ...when(
      !settings.fullPageWrites,
      database.warn('full_page_writes is off.', 'Set it on unless the storage cannot tear a page.'),
    ),
    ...when(
      settings.synchronousCommit === 'off',
      database.warn(
        'synchronous_commit is off: after a crash of the server, messages that WhatsApp has forgotten may be missing.',
        'Set it to on, or on for the user of this gateway.',
      ),
    ),
    ...when(
      version < oldestMajor * 10_000,
      database.warn(`Postgres ${versionOf(version)} is old.`, `Use ${oldestMajor} or newer.`),
    ),
    ...when(
      free < neededConnections && !isEmbedded,
      database.warn(
        `${free} of ${settings.maxConnections} connections are free; a gateway takes up to ${neededConnections}.`,
        'Raise max_connections, or close other clients.',
      ),
    ),
    ...when(
      roundTripMs > slowRoundTripMs,
      database.warn(
        `A question takes ${Math.round(roundTripMs)} ms; each message waits for several.`,
        'Bring the database closer, or find out what slows it down.',
      ),
    ),
  ];
}

function checkMigrations(found: InspectedDatabase, appliesMigrations: boolean): readonly Finding[] {
  const { missing, changed, foreign } = found.migrations;
  if (foreign.length > 0) {
    const what = `The database was migrated by a newer version: it has ${foreign.join(', ')}.`;
    return [migrations.fail(what, 'Start that version, or restore a backup of before it.')];
  }
  if (changed.length > 0) {
    const what = `Other files than were applied: ${changed.join(', ')}.`;
    return [migrations.fail(what, 'Restore the files of sql/ as they were released.')];
  }
  if (missing.length === 0) return [migrations.ok('All are applied.')];
  if (!found.mayCreate) {
    const what = `${missing.length} are missing, and this user may not create tables.`;
    return [migrations.fail(what, "Grant CREATE on the database's schema to the user of the gateway.")];
  }
  return [
    appliesMigrations
      ? migrations.ok(`${missing.length} are missing; the next start applies them.`)
      : migrations.fail(`Missing: ${missing.join(', ')}.`, 'Start once with AUTO_MIGRATE=true.'),
  ];
}

function checkClock(aheadMs: number): Finding {
  const offMs = Math.abs(aheadMs);
  const seconds = (offMs / 1000).toFixed(1);
  const what = `The database's clock is ${seconds} s ${aheadMs > 0 ? 'ahead of' : 'behind'} ours.`;
  const advice = 'Let both machines take their time from NTP: schedules and expiries are judged by both clocks.';
  if (offMs >= clockFailMs) return clock.fail(what, advice);
  return offMs >= clockWarnMs ? clock.warn(what, advice) : clock.ok('The database has the same time.');
}

function checkContent({ content }: InspectedDatabase): readonly Finding[] {
  if (content === null) return [];
  const { failingWebhooks, deadLetters, oldestPendingSeconds } = content;
  const troubled = failingWebhooks.map(({ id, session, isDisabled, failures, error }) => {
    const reason = error === null ? '' : `: ${error}`;
    return isDisabled
      ? webhooks.warn(
          `${id} of ${session} was disabled${reason}.`,
          'Mend its receiver, then enable it; what was kept for it is sent then.',
        )
      : webhooks.warn(
          `${id} of ${session} has failed ${failures} times in a row${reason}.`,
          'Look at its receiver; GET …/webhooks/:id/deliveries shows what it answered.',
        );
  });
  const kept =
    deadLetters === 0
      ? []
      : [
          webhooks.warn(
            `${deadLetters} deliveries were given up and are kept.`,
            'Replay them once their receiver is back.',
          ),
        ];
  const late =
    oldestPendingSeconds === null || oldestPendingSeconds < oldDeliverySeconds || troubled.length > 0
      ? []
      : [
          webhooks.warn(
            `The oldest delivery waits for ${Math.round(oldestPendingSeconds / 60)} minutes.`,
            'Is a gateway running that sends it?',
          ),
        ];
  const findings = [...troubled, ...kept, ...late];
  return findings.length === 0 ? [webhooks.ok('All receivers are well.')] : findings;
}
