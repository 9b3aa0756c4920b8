/** What children of one supervisor share, and what one of them tells. */
import type { Clock } from '../clock.ts';
import type { Channel, Handlers } from '../contract/channel.ts';
import type { ChildNotices, LinkSnapshot, SupervisorNotices, ToChild, ToSupervisor } from '../contract/ipc.ts';
import type { Logger } from '../log.ts';
import type { Observer } from '../telemetry/observer.ts';
import type { ExitReport } from './exit-report.ts';
import type { MemoryCaps } from './memory-policy.ts';
import type { OrphanRecords } from './orphans.ts';
import type { SupervisorSettings } from './settings.ts';
import type { Pulse } from './pulse.ts';
import type { Wrappers } from './spawn.ts';
import type { StartGate } from './start-gate.ts';

export type ChildChannel = Channel<ToChild, ToSupervisor, SupervisorNotices, ChildNotices>;

export interface ChildEnvironment {
  readonly childEntry: string;
  readonly childFlags: readonly string[];
  readonly settings: SupervisorSettings;
  readonly gate: StartGate;
  readonly pulse: Pulse;
  readonly wrappers: () => Wrappers;
  readonly orphans: OrphanRecords;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
  readonly observer?: Pick<Observer, 'childEnded' | 'ipcRefused'>;
}

export interface ChildListeners {
  readonly handlers: Handlers<ToSupervisor>;
  /** Asked at each spawn. */
  readonly caps: () => MemoryCaps;
  /** A process of our protocol is there. */
  readonly onHello: () => void;
  readonly onLink: (snapshot: LinkSnapshot) => void;
  readonly onHeartbeat: (heartbeat: ChildNotices['heartbeat']) => void;
  /** Its first session has been accepted. */
  readonly onReady: () => void;
  /** The process has ended; the state tells what follows. */
  readonly onGone: (report: ExitReport) => void;
  readonly onState: () => void;
}
