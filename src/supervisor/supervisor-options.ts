import type { Clock } from '../clock.ts';
import type { LinkTarget } from '../contract/ipc.ts';
import type { Logger } from '../log.ts';
import type { AcceptedSend, SessionRow, Store } from '../store/store.ts';
import type { Observer } from '../telemetry/observer.ts';
import type { Governors } from './governors.ts';
import type { SupervisorSettings } from './settings.ts';
import type { Wrappers } from './spawn.ts';
import type { OtherProcesses } from './stats.ts';

/** Everything that the supervisor is built from. */
export interface SupervisorOptions {
  readonly store: Store;
  /** Path of the child's entry; by default the one that is built beside this file. */
  readonly childEntry?: string;
  /** Flags of Node for children, beside their memory cap; by default those of a lean child. */
  readonly childFlags?: readonly string[];
  /** How children are guarded; as this machine offers when absent. */
  readonly wrappers?: Wrappers;
  readonly settings: SupervisorSettings;
  /** Says when messages may go out; without it nothing is held back. */
  readonly pacing?: Governors;
  readonly storagePath: string;
  /** Where the link of a session goes: WhatsApp, a server of the operator's, or the sandbox. */
  readonly resolveTarget: (row: SessionRow) => Promise<LinkTarget>;
  /** A message is sent or has failed: what was kept to send it is of no use any more. */
  readonly onFinal?: (accepted: AcceptedSend) => void;
  /** What else belongs to this gateway and uses memory. */
  readonly otherProcesses?: () => OtherProcesses;
  readonly observer?: Pick<Observer, 'sendAcknowledged' | 'childEnded' | 'ipcRefused'>;
  readonly clock: Clock;
  readonly log: Logger;
  /** From 0 to below 1. */
  readonly random: () => number;
}
