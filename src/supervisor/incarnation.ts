import type { ChildProcess } from 'node:child_process';
import type { ChildNotices } from '../contract/ipc.ts';
import type { ChildChannel } from './child-environment.ts';
import type { ChildMemory } from './child-memory.ts';
import type { MemoryCaps } from './memory-policy.ts';
import type { StderrTail } from './stderr-tail.ts';
import type { Watch } from './watchdog.ts';

/** One process of a child, from its spawn to its end. Times are monotonic milliseconds. */
export interface Incarnation {
  readonly process: ChildProcess;
  readonly channel: ChildChannel;
  readonly stderr: StderrTail;
  readonly spawnedAt: number;
  readonly memory: ChildMemory;
  caps: MemoryCaps;
  readonly stopPulse: () => void;
  wasAsked: boolean;
  vitals: ChildNotices['heartbeat'] | null;
  vitalsAt: number;
  watch: Watch;
  isOver: boolean;
}
