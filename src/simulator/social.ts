/** Composition of what is no message: presence, pictures and profiles, blocking, privacy, calls, an account's limits. */
import { blocklistFlow } from './flows/blocklist.ts';
import { businessFlow } from './flows/business.ts';
import { callFlow } from './flows/calls.ts';
import { mexFlow } from './flows/mex.ts';
import { presenceFlow } from './flows/presence.ts';
import { disappearingModeFlow, privacyFlow } from './flows/privacy.ts';
import { aboutFlow, pictureFlow } from './flows/profile.ts';
import type { GroupDesk } from './groups/group-desk.ts';
import { Portraits } from './portraits.ts';
import { PresenceRelay } from './presence-relay.ts';
import { presenceRoutes } from './presence-routes.ts';
import { profileRoutes } from './profile-routes.ts';
import { callRoutes } from './call-routes.ts';
import type { Activity } from './state/activity.ts';
import type { Blocklist } from './state/blocklist.ts';
import { Calls } from './state/calls.ts';
import type { ContactSettings } from './state/contact-settings.ts';
import type { Groups } from './state/groups.ts';
import { Pictures } from './state/pictures.ts';
import { PresenceBook } from './state/presence.ts';
import type { Privacy } from './state/privacy.ts';
import { Profiles } from './state/profiles.ts';
import { Restrictions } from './state/restrictions.ts';
import { Switchboard } from './switchboard.ts';
import type { ControlRoute, Flow, SimulatorContext } from './types.ts';

export interface SocialParts {
  readonly context: SimulatorContext;
  readonly activity: Activity;
  readonly settings: ContactSettings;
  readonly groups: Groups;
  readonly desk: GroupDesk;
  readonly blocklist: Blocklist;
  readonly privacy: Privacy;
}

export interface Social {
  readonly flows: readonly Flow[];
  readonly controlRoutes: readonly ControlRoute[];
  readonly profiles: Profiles;
  readonly portraits: Portraits;
}

export function createSocial(parts: SocialParts): Social {
  const { context, activity, groups, privacy, blocklist } = parts;
  const profiles = new Profiles(context.records);
  const pictures = new Pictures(context.records);
  const portraits = new Portraits({ ...parts, pictures, profiles });
  const book = new PresenceBook();
  const relay = new PresenceRelay({ ...parts, book });
  const calls = new Calls();
  const switchboard = new Switchboard({ context, calls, blocklist });
  const restrictions = new Restrictions();
  return {
    profiles,
    portraits,
    flows: [
      presenceFlow({ context, activity, groups, book, relay }),
      pictureFlow({ context, groups, profiles, portraits }),
      aboutFlow({ context, groups, profiles, portraits }),
      businessFlow({ context, profiles }),
      blocklistFlow({ context, blocklist }),
      privacyFlow({ context, privacy, profiles }),
      disappearingModeFlow({ context, privacy, profiles }),
      callFlow({ calls, switchboard }),
      mexFlow({ context, restrictions }),
    ],
    controlRoutes: [
      ...presenceRoutes({ context, groups, book, relay }),
      ...profileRoutes({ context, pictures, portraits, profiles, restrictions }),
      ...callRoutes({ context, calls, switchboard }),
    ],
  };
}
