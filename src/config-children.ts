/** The part of the configuration table that is about child processes. */
import { availableParallelism } from 'node:os';
import { decimal, durationMs, integer } from './config-variables.ts';

export const childVariables = {
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
    fallback: '4',
    sentence:
      'Connections to WhatsApp per second, after a burst; 4 brings 200 sessions back within a minute and is still gentle for one address.',
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
    sentence: 'Interval at which a process says that it is well; at rest it is up to three times as long.',
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
} as const;
