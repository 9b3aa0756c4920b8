/** Presence and typing of sessions: kept for inspection, relayed to others who want to know, answered by nothing. */
import { memberOf } from '../groups/rules.ts';
import type { PresenceRelay, TypingState } from '../presence-relay.ts';
import type { Activity } from '../state/activity.ts';
import type { Groups } from '../state/groups.ts';
import type { PresenceBook } from '../state/presence.ts';
import type { BinaryNode, Connection, Flow, SimulatorContext } from '../types.ts';
import { child } from '../wire/node.ts';

export interface PresenceFlowParts {
  readonly context: SimulatorContext;
  readonly activity: Activity;
  readonly groups: Groups;
  readonly book: PresenceBook;
  readonly relay: PresenceRelay;
}

export function presenceFlow(parts: PresenceFlowParts): Flow {
  return {
    name: 'presence',
    handles: (node) => node.tag === 'chatstate' || node.tag === 'presence',
    async handle(node, connection) {
      if (node.tag === 'presence') takePresence(parts, node, connection);
      else takeChatState(parts, node, connection);
    },
  };
}

function takePresence(parts: PresenceFlowParts, node: BinaryNode, connection: Connection): void {
  const { context, book, relay } = parts;
  const { user } = connection.device;
  const { type, name, to = '' } = node.attrs;
  if (name !== undefined && name !== '' && name !== user.name) context.directory.change(user, { name });
  if (type !== undefined) keep(parts, connection, { to, state: type });
  switch (type) {
    case 'available':
    case 'unavailable': {
      const isAvailable = type === 'available';
      book.setAvailable(connection, isAvailable);
      book.set(user, { isAvailable, lastSeen: isAvailable ? null : nowS(context) });
      relay.announce(user);
      return;
    }
    case 'subscribe': {
      const wanted = context.directory.byJid(to);
      if (wanted === undefined) return;
      book.subscribe(connection, wanted, to);
      relay.tell(connection, wanted);
      return;
    }
    default:
  }
}

function takeChatState(parts: PresenceFlowParts, node: BinaryNode, connection: Connection): void {
  const { context, groups, relay } = parts;
  const { user } = connection.device;
  const to = node.attrs['to'] ?? '';
  const state = stateOf(node);
  if (state === null) return;
  keep(parts, connection, { to, state });
  const group = groups.byJid(to);
  if (group === undefined) {
    const peer = context.directory.byJid(to);
    if (peer !== undefined && peer !== user) relay.typing(peer, { writer: user, state, group: null });
    return;
  }
  if (memberOf(group, user.lid) === undefined) return;
  for (const { lid } of group.members) {
    const member = context.directory.byLid(lid);
    if (member !== undefined && member !== user) relay.typing(member, { writer: user, state, group });
  }
}

function keep(
  { context, activity }: PresenceFlowParts,
  connection: Connection,
  told: { readonly to: string; readonly state: string },
): void {
  activity.chatState(connection.device.user, { ...told, at: nowS(context) });
}

function stateOf(node: BinaryNode): TypingState | null {
  const state = child(node);
  switch (state?.tag) {
    case 'composing':
      return state.attrs['media'] === 'audio' ? 'recording' : 'composing';
    case 'paused':
      return 'paused';
    default:
      return null;
  }
}

function nowS(context: SimulatorContext): number {
  return Math.floor(context.clock.now() / 1000);
}
