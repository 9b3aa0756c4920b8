/** The control routes with which simulated people come online, go away and type. */
import { z } from 'zod';
import { knownGroup, memberGroup } from './group-access.ts';
import { personOf } from './people.ts';
import type { PresenceRelay } from './presence-relay.ts';
import type { Groups } from './state/groups.ts';
import type { PresenceBook } from './state/presence.ts';
import type { ControlAnswer, ControlRoute, SimulatorContext } from './types.ts';

export interface PresenceRouteParts {
  readonly context: SimulatorContext;
  readonly groups: Groups;
  readonly book: PresenceBook;
  readonly relay: PresenceRelay;
}

const presenceBody = z.strictObject({
  contact: z.string(),
  status: z.enum(['available', 'unavailable']),
  /** Unix seconds; null hides it. Now, when it is left out. */
  last_seen: z.int().min(0).nullable().optional(),
});
const typingBody = z.strictObject({
  contact: z.string(),
  /** JID. */
  group: z.string().optional(),
  state: z.enum(['composing', 'recording', 'paused']),
});

/** Both answer how many sessions were told: those that are online, and for presence have subscribed. */
export function presenceRoutes({ context, groups, book, relay }: PresenceRouteParts): readonly ControlRoute[] {
  return [
    {
      method: 'POST',
      path: '/accounts/:phone/presence',
      handle({ params, body }) {
        context.account(params['phone'] ?? '');
        const { contact, status, last_seen: lastSeen } = presenceBody.parse(body);
        const person = personOf(context, contact);
        const isAvailable = status === 'available';
        const now = Math.floor(context.clock.now() / 1000);
        book.set(person, { isAvailable, lastSeen: lastSeen === undefined ? now : lastSeen });
        return told('Presence set.', relay.announce(person));
      },
    },
    {
      method: 'POST',
      path: '/accounts/:phone/typing',
      handle({ params, body }) {
        const account = context.account(params['phone'] ?? '');
        const { contact, group: jid, state } = typingBody.parse(body);
        const person = personOf(context, contact);
        const group = jid === undefined ? null : knownGroup(groups, jid);
        if (group !== null) for (const user of [account, person]) memberGroup(groups, group.jid, user);
        return told('Typing shown.', relay.typing(account, { writer: person, state, group }));
      },
    },
  ];
}

function told(message: string, sessions: number): ControlAnswer {
  return { status: 200, body: { success: true, message, sessions } };
}
