/** The queries in GraphQL that clients send about an account's limits, and the notifications of their changes. */
import type { NewChatQuota, Restriction, Restrictions } from '../state/restrictions.ts';
import type { BinaryNode, Flow, SimulatorContext, User } from '../types.ts';
import { child, element, iqResult, isIq, SERVER_JID } from '../wire/node.ts';

/** Query ids as Baileys 7.0.0-rc14 sends them. */
const REACHOUT_TIMELOCK = '23983697327930364';
const MESSAGE_CAPPING = '24503548349331633';
const KNOWN: ReadonlySet<string | undefined> = new Set([REACHOUT_TIMELOCK, MESSAGE_CAPPING]);

export interface MexParts {
  readonly context: SimulatorContext;
  readonly restrictions: Restrictions;
}

export function mexFlow({ restrictions }: MexParts): Flow {
  return {
    name: 'mex',
    handles: (node) => isIq(node, 'w:mex', 'get') && KNOWN.has(queryId(node)),
    async handle(node, connection) {
      const { user } = connection.device;
      const data =
        queryId(node) === REACHOUT_TIMELOCK
          ? { xwa2_fetch_account_reachout_timelock: restrictionFields(restrictions.of(user)) }
          : { xwa2_message_capping_info: quotaFields(restrictions.quota(user)) };
      connection.send(iqResult(node, [element('result', {}, json({ data }))]));
    },
  };
}

/** Tells the account's sessions that it has been restricted, or is not any more. */
export function announceRestriction({ context, restrictions }: MexParts, user: User): void {
  const data = { xwa2_notify_account_reachout_timelock: restrictionFields(restrictions.of(user)) };
  announce(context, user, { operation: 'NotificationUserReachoutTimelockUpdate', data });
}

/** Tells the account's sessions how many new chats are left. */
export function announceQuota({ context, restrictions }: MexParts, user: User): void {
  const data = { xwa2_notify_new_chat_messages_capping_info_update: quotaFields(restrictions.quota(user)) };
  announce(context, user, { operation: 'MessageCappingInfoNotification', data });
}

function announce(
  context: SimulatorContext,
  user: User,
  { operation, data }: { readonly operation: string; readonly data: unknown },
): void {
  const t = String(Math.floor(context.clock.now() / 1000));
  const update = element('update', { op_name: operation }, json({ data }));
  for (const device of user.devices.values()) {
    const attrs = { from: SERVER_JID, type: 'mex', id: context.stanzaId(), t };
    context.notify(device, element('notification', attrs, [update]));
  }
}

function restrictionFields({ isActive, endsAt, type }: Restriction) {
  return { is_active: isActive, time_enforcement_ends: String(endsAt), enforcement_type: type };
}

function quotaFields({ total, used }: NewChatQuota) {
  return { total_quota: total, used_quota: used, capping_status: used < total ? 'NONE' : 'CAPPED' };
}

function queryId(node: BinaryNode): string | undefined {
  return child(node, 'query')?.attrs['query_id'];
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value), 'utf8');
}
