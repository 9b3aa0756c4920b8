/** The contract's one entrance for the supervisor's side: the operation table and the types inferred from it. */
import type { z } from 'zod';
import { bulkOperations } from './operations/bulk.ts';
import { auditOperations } from './operations/audit.ts';
import { chatOperations } from './operations/chats.ts';
import { contactOperations } from './operations/contacts.ts';
import { eventOperations } from './operations/events.ts';
import { deliveryOperations } from './operations/deliveries.ts';
import { groupOperations } from './operations/groups.ts';
import { loginLinkOperations } from './operations/login-links.ts';
import { mediaOperations } from './operations/media.ts';
import { messageOperations } from './operations/messages.ts';
import { pacingOperations } from './operations/pacing.ts';
import { presenceOperations } from './operations/presence.ts';
import { sandboxPeopleOperations } from './operations/sandbox-people.ts';
import { sandboxGroupOperations } from './operations/sandbox-groups.ts';
import { sandboxPhoneOperations } from './operations/sandbox-phone.ts';
import { sandboxOperations } from './operations/sandbox.ts';
import { scheduledOperations } from './operations/scheduled.ts';
import { sessionOperations } from './operations/sessions.ts';
import { supervisionOperations } from './operations/supervision.ts';
import { tokenOperations } from './operations/tokens.ts';
import { transferOperations } from './operations/transfers.ts';
import { vitalsOperations } from './operations/vitals.ts';
import { webhookStatsOperations } from './operations/webhook-stats.ts';
import { webhookOperations } from './operations/webhooks.ts';

export const operations = {
  ...sessionOperations,
  ...transferOperations,
  ...supervisionOperations,
  ...vitalsOperations,
  ...webhookStatsOperations,
  ...loginLinkOperations,
  ...pacingOperations,
  ...tokenOperations,
  ...auditOperations,
  ...messageOperations,
  ...bulkOperations,
  // Before the routes that take any message id in its place.
  ...scheduledOperations,
  ...chatOperations,
  ...mediaOperations,
  ...contactOperations,
  ...groupOperations,
  ...presenceOperations,
  ...webhookOperations,
  ...eventOperations,
  ...deliveryOperations,
  ...sandboxOperations,
  ...sandboxGroupOperations,
  ...sandboxPeopleOperations,
  ...sandboxPhoneOperations,
} as const;

export type Operations = typeof operations;
export type OperationName = keyof Operations;
export type Params<N extends OperationName> = z.output<Operations[N]['params']>;
export type Result<N extends OperationName> = z.output<Operations[N]['result']>;

type NamesThatRun<Where extends string> = {
  [N in OperationName]: Operations[N]['runs'] extends Where ? N : never;
}[OperationName];

/** Carried out by a handler of the API. */
export type GatewayOperationName = NamesThatRun<'gateway'>;
/** Forwarded to the child as they are. */
export type ChildOperationName = NamesThatRun<'child'>;
/** Accepted by the supervisor, then built and sent by the child. */
export type SendOperationName = NamesThatRun<'send'>;
/** Answered with events as they happen. */
export type StreamOperationName = NamesThatRun<'stream'>;

const isOperationName = (name: string): name is OperationName => name in operations;
export const operationNames: readonly OperationName[] = Object.keys(operations).filter(isOperationName);
