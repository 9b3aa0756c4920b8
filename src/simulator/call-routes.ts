/** The control routes with which simulated people call. */
import { z } from 'zod';
import { WardenError } from '../contract/errors.ts';
import { lidJid, pnJid } from './jid.ts';
import { personOf } from './people.ts';
import type { Call, Calls } from './state/calls.ts';
import type { Switchboard } from './switchboard.ts';
import type { ControlRoute, SimulatorContext } from './types.ts';

export interface CallRouteParts {
  readonly context: SimulatorContext;
  readonly calls: Calls;
  readonly switchboard: Switchboard;
}

const callBody = z.union([
  z.strictObject({
    from: z.string(),
    video: z.boolean().default(false),
    /** JID of the group that is called. */
    group: z.string().nullable().default(null),
  }),
  z.strictObject({ call_id: z.string(), action: z.enum(['accept', 'timeout', 'terminate']) }),
]);

export function callRoutes({ context, calls, switchboard }: CallRouteParts): readonly ControlRoute[] {
  return [
    {
      method: 'POST',
      path: '/accounts/:phone/calls',
      handle({ params, body }) {
        const account = context.account(params['phone'] ?? '');
        const request = callBody.parse(body);
        if ('from' in request) {
          const from = personOf(context, request.from);
          const call = switchboard.ring({ from, to: account, isVideo: request.video, group: request.group });
          return { status: 201, body: view(call) };
        }
        const call = calls.byId(request.call_id);
        if (call?.to !== account) throw new WardenError('message_not_found', { message: 'There is no such call.' });
        return { status: 200, body: view(switchboard.follow(call, request.action)) };
      },
    },
    {
      method: 'GET',
      path: '/accounts/:phone/calls',
      handle({ params }) {
        const account = context.account(params['phone'] ?? '');
        return { status: 200, body: { calls: calls.of(account).map(view) } };
      },
    },
  ];
}

/** `status`: ringing, accepted, rejected, timed_out, ended, blocked. */
function view({ id, from, isVideo, group, status, at }: Call) {
  return { call_id: id, from: pnJid(from.pn), from_lid: lidJid(from.lid), video: isVideo, group, status, at };
}
