/** From the configuration to what the supervisor is told. */
import type { Config } from './config.ts';
import type { SupervisorSettings } from './supervisor/settings.ts';

/**
 * The environment of children is an allow-list: they get no secret by it. The allocator's settings return what the
 * library's parsing leaves behind (measured: several megabytes a child).
 */
const childEnvironment = {
  NODE_ENV: 'production',
  MALLOC_ARENA_MAX: '1',
  MALLOC_MMAP_THRESHOLD_: '16384',
  MALLOC_TRIM_THRESHOLD_: '16384',
  MALLOC_TOP_PAD_: '4096',
} as const;

/** Supervisor and embedded Postgres. */
const reserveMb = 256;

export function supervisorSettings(config: Config): SupervisorSettings {
  return {
    sessionsPerChild: config.sessionsPerChild,
    memoryCapMb: config.sessionMemoryMb,
    startConcurrency: config.startConcurrency,
    connectRatePerSecond: config.connectRate,
    connectBurst: config.connectBurst,
    readyTimeoutMs: config.childReadyTimeoutMs,
    heartbeatIntervalMs: config.heartbeatIntervalMs,
    heartbeatSuspectMs: config.heartbeatSuspectMs,
    heartbeatKillMs: config.heartbeatKillMs,
    stopTimeoutMs: config.childStopTimeoutMs,
    restart: {
      baseMs: config.restartBaseMs,
      maxMs: config.restartMaxMs,
      resetMs: config.restartResetMs,
      crashLoopCount: config.crashLoopCount,
      crashLoopWindowMs: config.crashLoopWindowMs,
      limit: config.restartLimit,
    },
    recycle: {
      softRatio: config.memorySoftRatio,
      quietMs: config.recycleQuietMs,
      timeoutMs: config.recycleTimeoutMs,
      intervalMs: config.recycleIntervalMs,
    },
    admission: { maxSessions: config.maxSessions, overcommit: config.overcommit, reserveMb },
    massFailure: {
      count: config.massFailureCount,
      percent: config.massFailurePercent,
      windowMs: config.massFailureWindowMs,
      pauseMs: config.massFailurePauseMs,
      maxPauseMs: config.massFailureMaxPauseMs,
    },
    deaf: { silenceMs: config.deafSilenceMs },
    limits: {
      queryTimeoutMs: config.queryTimeoutMs,
      connectTimeoutMs: config.connectTimeoutMs,
      keepAliveMs: config.keepAliveMs,
      openTimeoutMs: config.linkOpenTimeoutMs,
      sendTimeoutMs: config.sendTimeoutMs,
      mediaUploadTimeoutMs: config.mediaUploadTimeoutMs,
      undecryptablePatienceMs: config.undecryptablePatienceMs,
      qrTimeoutMs: config.qrTimeoutMs,
    },
    version: config.whatsappVersion,
    childEnvironment,
  };
}
