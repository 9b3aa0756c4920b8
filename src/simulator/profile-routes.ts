/** The control routes about profiles: the pictures that clients fetch, and what WhatsApp tells an account of itself. */
import { z } from 'zod';
import { WardenError } from '../contract/errors.ts';
import { announceQuota, announceRestriction } from './flows/mex.ts';
import { lidJid, pnJid } from './jid.ts';
import { knownPerson } from './people.ts';
import type { Portraits } from './portraits.ts';
import type { Pictures } from './state/pictures.ts';
import type { Profiles } from './state/profiles.ts';
import type { Restrictions } from './state/restrictions.ts';
import type { ControlRoute, SimulatorContext } from './types.ts';
import { element, SERVER_JID } from './wire/node.ts';

export interface ProfileRouteParts {
  readonly context: SimulatorContext;
  readonly pictures: Pictures;
  readonly portraits: Portraits;
  readonly profiles: Profiles;
  readonly restrictions: Restrictions;
}

const dirtyBody = z.strictObject({ type: z.enum(['groups', 'account_sync']) });
const restrictionBody = z.strictObject({
  active: z.boolean(),
  seconds: z.int().min(1).max(31_536_000).optional(),
  type: z.string().min(1).max(100).default('DEFAULT'),
});
const quotaBody = z.strictObject({ total: z.int().min(0), used: z.int().min(0) });

export function profileRoutes(parts: ProfileRouteParts): readonly ControlRoute[] {
  const { context, pictures, portraits, profiles, restrictions } = parts;
  const accountOf = (params: Readonly<Record<string, string>>) => context.account(params['phone'] ?? '');
  const done = (message: string) => ({ status: 200, body: { success: true, message } });
  return [
    {
      method: 'GET',
      path: '/pictures/:file',
      isPublic: true,
      handle({ params }) {
        const bytes = pictures.bytes(params['file'] ?? '');
        if (bytes === undefined) throw new WardenError('route_not_found');
        return { status: 200, body: null, file: { contentType: 'image/jpeg', bytes } };
      },
    },
    {
      method: 'GET',
      path: '/people/:phone',
      handle({ params }) {
        const user = knownPerson(context, params['phone'] ?? '');
        const { about, isAboutHidden, isPictureHidden, business } = profiles.of(user);
        const picture = portraits.of(user);
        const body = {
          phone: user.pn,
          jid: pnJid(user.pn),
          lid: lidJid(user.lid),
          name: user.name,
          registered: user.registered,
          about,
          about_hidden: isAboutHidden,
          picture_id: picture?.id ?? null,
          picture_url: picture === undefined ? null : portraits.url(picture),
          picture_hidden: isPictureHidden,
          business,
        };
        return { status: 200, body };
      },
    },
    {
      method: 'POST',
      path: '/accounts/:phone/dirty',
      handle({ params, body }) {
        const { type } = dirtyBody.parse(body);
        const timestamp = String(Math.floor(context.clock.now() / 1000));
        for (const device of accountOf(params).devices.values()) {
          const node = element('ib', { from: SERVER_JID }, [element('dirty', { type, timestamp })]);
          context.connections.of(device)?.send(node);
        }
        return done('Sessions told.');
      },
    },
    {
      method: 'POST',
      path: '/accounts/:phone/restriction',
      handle({ params, body }) {
        const user = accountOf(params);
        const { active: isActive, seconds, type } = restrictionBody.parse(body);
        const endsAt = isActive && seconds !== undefined ? Math.floor(context.clock.now() / 1000) + seconds : 0;
        restrictions.set(user, { isActive, endsAt, type });
        announceRestriction({ context, restrictions }, user);
        return done('Restriction set.');
      },
    },
    {
      method: 'POST',
      path: '/accounts/:phone/quota',
      handle({ params, body }) {
        const user = accountOf(params);
        restrictions.setQuota(user, quotaBody.parse(body));
        announceQuota({ context, restrictions }, user);
        return done('Quota set.');
      },
    },
  ];
}
