/** Typing and presence of sessions: kept for inspection, answered by nothing. */
import type { Activity } from '../state/activity.ts';
import type { BinaryNode, Clock, Flow } from '../types.ts';
import { child } from '../wire/node.ts';

export function chatStateFlow(activity: Activity, clock: Clock): Flow {
  return {
    name: 'chat state',
    handles: (node) => node.tag === 'chatstate' || node.tag === 'presence',
    async handle(node, connection) {
      const state = stateOf(node);
      if (state === null) return;
      const at = Math.floor(clock.now() / 1000);
      activity.chatState(connection.device.user, { to: node.attrs['to'] ?? '', state, at });
    },
  };
}

/** Null for what only repeats the push name. */
function stateOf(node: BinaryNode): string | null {
  if (node.tag === 'presence') return node.attrs['type'] ?? null;
  const state = child(node);
  if (state === undefined) return null;
  return state.tag === 'composing' && state.attrs['media'] === 'audio' ? 'recording' : state.tag;
}
