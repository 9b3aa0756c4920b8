/** From the configuration to what the supervisor is told. */
import type { Config } from './config.ts';
import type { SupervisorSettings } from './supervisor/settings.ts';

/** The environment of children is an allow-list: they get no secret by it. spawn.ts adds what the allocator needs. */
const childEnvironment = { NODE_ENV: 'production' } as const;

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
