/** Whether another session fits into this machine. Pure. Sizes are bytes. */
import type { AdmissionPolicy } from './settings.ts';

export interface AdmissionFacts {
  /** What the machine or the container has. */
  readonly limitBytes: number;
  /** The caps of all children that are there or being started. */
  readonly capsBytes: number;
}

export interface NewSessionWishes {
  readonly sandbox: boolean;
  readonly memoryCapMb: number | null;
  /** It is to run at once. */
  readonly starts: boolean;
  /** Sessions that there are already. */
  readonly existing: number;
}

export interface AdmissionBudget {
  /** What caps may sum up to. */
  readonly budgetBytes: number;
  readonly freeBytes: number;
}

const megabyte = 1_048_576;

export function admissionBudget(facts: AdmissionFacts, policy: AdmissionPolicy): AdmissionBudget {
  const budgetBytes = Math.max(0, Math.floor(facts.limitBytes * policy.overcommit) - policy.reserveMb * megabyte);
  return { budgetBytes, freeBytes: budgetBytes - facts.capsBytes };
}

/** Why another child with this cap must not be started, in words; null when it may. */
export function refusalOf(addedBytes: number, facts: AdmissionFacts, policy: AdmissionPolicy): string | null {
  const { budgetBytes, freeBytes } = admissionBudget(facts, policy);
  if (addedBytes <= Math.max(0, freeBytes)) return null;
  return (
    `Another process of ${inMb(addedBytes)} does not fit: the memory caps of all processes may sum up to ` +
    `${inMb(budgetBytes)} and do to ${inMb(facts.capsBytes)}. Disconnect a session, lower memory caps, raise ` +
    `SESSIONS_PER_CHILD, or raise OVERCOMMIT.`
  );
}

/** The same for the number of sessions. */
export function countRefusalOf(sessions: number, { maxSessions }: AdmissionPolicy): string | null {
  if (maxSessions === 0 || sessions < maxSessions) return null;
  return `This gateway takes ${maxSessions} sessions, and they are all there; delete one or raise MAX_SESSIONS.`;
}

const inMb = (bytes: number): string => `${Math.round(bytes / megabyte)} MB`;
