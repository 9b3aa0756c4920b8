/** What the supervisor is told at its creation; config.ts reads it, tests shorten it. */
import type { LinkLimits } from '../contract/ipc.ts';

export interface RestartPolicy {
  readonly baseMs: number;
  readonly maxMs: number;
  /** A child that ran so long and was of use begins anew with its delays. */
  readonly resetMs: number;
  readonly crashLoopCount: number;
  readonly crashLoopWindowMs: number;
  /** Failures in a row after which a person must call connect; 0 retries for ever. */
  readonly limit: number;
}

/** How a child that grows is replaced before it has to be killed. */
export interface RecyclePolicy {
  /** The part of its cap beyond which a child is recycled. */
  readonly softRatio: number;
  /** How long a moment without requests is waited for. */
  readonly quietMs: number;
  /** How long the child may then take to finish and end. */
  readonly timeoutMs: number;
  /** A child that grows again within this time is not recycled again but shown as growing. */
  readonly intervalMs: number;
}

export interface AdmissionPolicy {
  /** Sessions that may exist; 0 for any number. */
  readonly maxSessions: number;
  /** The sum of all caps may exceed the memory that is there by this factor: most children stay far below theirs. */
  readonly overcommit: number;
  /** What the gateway itself needs. */
  readonly reserveMb: number;
}

export interface MassFailurePolicy {
  /** More deaths than this, and more than the percentage, within the window stop all starts for a while. */
  readonly count: number;
  readonly percent: number;
  readonly windowMs: number;
  readonly pauseMs: number;
  readonly maxPauseMs: number;
}

export interface DeafPolicy {
  /** A session that tells nothing for so long, and for longer than it is used to, is probed; 0 never. */
  readonly silenceMs: number;
}

export interface SupervisorSettings {
  readonly sessionsPerChild: number;
  /** Memory cap of a child of one session, megabytes; a session may have its own. */
  readonly memoryCapMb: number;
  /** Children that may boot at the same time. */
  readonly startConcurrency: number;
  /** WhatsApp handshakes per second, after a burst. */
  readonly connectRatePerSecond: number;
  readonly connectBurst: number;
  /** From spawn to the first session accepted. */
  readonly readyTimeoutMs: number;
  readonly heartbeatIntervalMs: number;
  readonly heartbeatSuspectMs: number;
  readonly heartbeatKillMs: number;
  readonly stopTimeoutMs: number;
  readonly restart: RestartPolicy;
  readonly recycle: RecyclePolicy;
  readonly admission: AdmissionPolicy;
  readonly massFailure: MassFailurePolicy;
  readonly deaf: DeafPolicy;
  readonly limits: LinkLimits;
  /** WhatsApp Web version to announce; null takes the library's. */
  readonly version: readonly [number, number, number] | null;
  /** The whole environment of a child, beside what spawn.ts adds. */
  readonly childEnvironment: Readonly<Record<string, string>>;
}
