/** The control routes that make and change simulated people. */
import { z } from 'zod';
import { WardenError } from '../contract/errors.ts';
import { tellAbout } from './about-notice.ts';
import type { GroupOutgoing } from './group-outgoing.ts';
import { lidJid, pnJid } from './jid.ts';
import { knownPerson, personOf } from './people.ts';
import type { Portraits } from './portraits.ts';
import type { SignalEngine } from './signal-engine.ts';
import type { SenderKeys } from './signal/sender-keys.ts';
import type { AddressBook } from './state/address-book.ts';
import type { ContactSettings } from './state/contact-settings.ts';
import { businessSchema, type Profiles } from './state/profiles.ts';
import type { ControlRoute, SimulatorContext, User } from './types.ts';
import { element } from './wire/node.ts';

export interface ContactRouteParts {
  readonly context: SimulatorContext;
  readonly engine: SignalEngine;
  readonly senderKeys: SenderKeys;
  readonly groupOutgoing: GroupOutgoing;
  readonly settings: ContactSettings;
  readonly profiles: Profiles;
  readonly portraits: Portraits;
  readonly addressBook: AddressBook;
}

const contactBody = z.strictObject({
  phone: z.string(),
  // Applications cut it at 25 characters; a client of somebody's own does not.
  name: z.string().trim().min(1).max(1_000_000).optional(),
  registered: z.boolean().optional(),
  behaviour: z.enum(['silent', 'delivers', 'reads', 'echoes']).optional(),
  addressing: z.enum(['lid', 'pn']).optional(),
  forbids_group_add: z.boolean().optional(),
  about: z.string().max(1000).optional(),
  about_hidden: z.boolean().optional(),
  /** A JPEG in base64; null removes it. */
  picture: z.base64().nullable().optional(),
  picture_hidden: z.boolean().optional(),
  is_business: z.boolean().optional(),
  business: businessSchema.nullable().optional(),
});

type ContactBody = z.output<typeof contactBody>;

export function contactRoutes(parts: ContactRouteParts): readonly ControlRoute[] {
  return [
    {
      method: 'POST',
      path: '/contacts',
      handle: ({ body }) => ({ status: 201, body: contactView(parts, changeContact(parts, contactBody.parse(body))) }),
    },
    {
      /** The same, and the person is among the account's contacts from now on. */
      method: 'POST',
      path: '/accounts/:phone/contacts',
      handle({ params, body }) {
        const account = parts.context.account(params['phone'] ?? '');
        const person = changeContact(parts, contactBody.parse(body));
        parts.addressBook.add(account, person);
        return { status: 201, body: contactView(parts, person) };
      },
    },
    {
      method: 'POST',
      path: '/contacts/:phone/reinstall',
      handle({ params }) {
        reinstall(parts, knownPerson(parts.context, params['phone'] ?? ''));
        return { status: 200, body: { success: true, message: 'WhatsApp is on a new phone.' } };
      },
    },
  ];
}

function changeContact(parts: ContactRouteParts, body: ContactBody): User {
  const { context, settings, portraits } = parts;
  const { name, registered, behaviour, addressing, forbids_group_add: forbidsGroupAdd, picture } = body;
  const user = personOf(context, body.phone);
  context.directory.change(user, present({ name, registered }));
  settings.change(user, present({ behaviour, addressing, forbidsGroupAdd }));
  changeProfile(parts, user, body);
  if (picture === null) portraits.remove(user, user);
  else if (picture !== undefined) portraits.set(user, user, Buffer.from(picture, 'base64'));
  return user;
}

function changeProfile(parts: ContactRouteParts, user: User, body: ContactBody): void {
  const { context, profiles } = parts;
  const { about, about_hidden: isAboutHidden, picture_hidden: isPictureHidden, is_business: isBusiness } = body;
  const known = profiles.of(user).business;
  const wanted = body.business === undefined ? known : body.business;
  const business = isBusiness === false ? null : isBusiness === true ? (wanted ?? {}) : wanted;
  const aboutAt = about === undefined ? undefined : Math.floor(context.clock.now() / 1000);
  profiles.change(user, { ...present({ about, aboutAt, isAboutHidden, isPictureHidden }), business });
  if (about !== undefined && !profiles.of(user).isAboutHidden) tellAbout(parts, user, about);
}

/** A simulated person as the control API shows it. */
export function contactView(
  { settings, profiles, portraits }: Pick<ContactRouteParts, 'settings' | 'profiles' | 'portraits'>,
  user: User,
) {
  const { behaviour, addressing, forbidsGroupAdd } = settings.of(user);
  const { about, isAboutHidden, isPictureHidden, business } = profiles.of(user);
  return {
    phone: user.pn,
    jid: pnJid(user.pn),
    lid: lidJid(user.lid),
    name: user.name,
    registered: user.registered,
    behaviour,
    addressing,
    forbids_group_add: forbidsGroupAdd,
    about,
    about_hidden: isAboutHidden,
    picture_id: portraits.of(user)?.id ?? null,
    picture_hidden: isPictureHidden,
    is_business: business !== null,
    business,
  };
}

/** The person loses all keys; whoever has had to do with it is told that its identity is another one now. */
function reinstall({ context, engine, senderKeys, groupOutgoing }: ContactRouteParts, user: User): void {
  if (user.devices.size > 0) {
    throw new WardenError('unprocessable', { message: 'The phone has linked sessions; log them out first.' });
  }
  context.directory.reinstall(user);
  engine.forgetAll(user);
  senderKeys.forgetAll(user);
  groupOutgoing.forgetAll(user);
  const t = String(Math.floor(context.clock.now() / 1000));
  for (const watcher of context.watchers.of(user)) {
    for (const device of watcher.devices.values()) {
      const attrs = { from: lidJid(user.lid), type: 'encrypt', id: context.stanzaId(), t };
      context.notify(device, element('notification', attrs, [element('identity')]));
    }
  }
}

type Present<Fields> = { [Name in keyof Fields]?: Exclude<Fields[Name], undefined> };

/** The fields that have a value. */
function present<Fields extends object>(fields: Fields): Present<Fields> {
  const kept: Present<Fields> = { ...fields };
  for (const name in kept) if (kept[name] === undefined) delete kept[name];
  return kept;
}
