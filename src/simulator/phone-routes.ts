/** The control routes of the simulated phone's screens: whom an account has to do with, and what was said. */
import { z } from 'zod';
import { type ChatViewParts, chatView, lastMessage, type Utterance } from './chat-view.ts';
import { contactView } from './contact-routes.ts';
import { memberGroup } from './group-access.ts';
import { knownPerson } from './people.ts';
import type { Portraits } from './portraits.ts';
import type { AddressBook } from './state/address-book.ts';
import type { ContactSettings } from './state/contact-settings.ts';
import type { Groups } from './state/groups.ts';
import type { Profiles } from './state/profiles.ts';
import type { ControlRoute, SimulatorContext, User } from './types.ts';

export interface PhoneRouteParts extends Omit<ChatViewParts, 'directory'> {
  readonly context: SimulatorContext;
  readonly groups: Groups;
  readonly addressBook: AddressBook;
  readonly settings: ContactSettings;
  readonly profiles: Profiles;
  readonly portraits: Portraits;
}

const limit = z.coerce.number().int().min(1).max(500);
const contactsQuery = z.object({ limit: limit.default(200), search: z.string().max(100).default('') });
const chatQuery = z.object({
  contact: z.string(),
  /** JID. */
  group: z.string().optional(),
  limit: limit.default(100),
  before: z.string().optional(),
});

export function phoneRoutes(parts: PhoneRouteParts): readonly ControlRoute[] {
  const { context } = parts;
  const accountOf = (params: Readonly<Record<string, string>>) => context.account(params['phone'] ?? '');
  return [
    {
      method: 'GET',
      path: '/accounts/:phone/contacts',
      handle: ({ params, query }) => ({
        status: 200,
        body: listContacts(parts, accountOf(params), contactsQuery.parse(Object.fromEntries(query))),
      }),
    },
    {
      method: 'GET',
      path: '/accounts/:phone/chat',
      handle({ params, query }) {
        const account = accountOf(params);
        const { contact, group: jid, limit: most, before = null } = chatQuery.parse(Object.fromEntries(query));
        const reader = knownPerson(context, contact);
        const group = jid === undefined ? null : memberGroup(parts.groups, jid, reader);
        if (group !== null) memberGroup(parts.groups, group.jid, account);
        const view = chatView(
          { ...parts, directory: context.directory },
          { account, reader, group },
          { limit: most, before },
        );
        return { status: 200, body: view };
      },
    },
  ];
}

/** Whoever wrote last comes first, and those without a word by name. */
function listContacts(parts: PhoneRouteParts, account: User, { limit: most, search }: z.output<typeof contactsQuery>) {
  const { context, addressBook } = parts;
  const latest = latestOf(parts, account);
  const people = [...new Set([...latest.keys(), ...addressBook.of(account)])]
    .flatMap((lid) => context.directory.byLid(lid) ?? [])
    .filter(({ name, pn }) => name.toLowerCase().includes(search.toLowerCase()) || pn.includes(search));
  const at = ({ lid }: User) => latest.get(lid)?.atMs ?? 0;
  people.sort((one, other) => at(other) - at(one) || one.name.localeCompare(other.name));
  return {
    contacts: people
      .slice(0, most)
      .map((person) => ({ ...contactView(parts, person), last_message: lastMessage(latest.get(person.lid)) })),
    total: people.length,
  };
}

/** LID digits of each person that the account has a chat with → what was written there last. */
function latestOf({ context, inbox, sent }: PhoneRouteParts, account: User): ReadonlyMap<string, Utterance> {
  const latest = new Map<string, Utterance>();
  const consider = (person: string, utterance: Utterance) => {
    const known = latest.get(person);
    if (person !== account.lid && (known === undefined || known.atMs <= utterance.atMs)) latest.set(person, utterance);
  };
  for (const { messageId: id, reader, chat, atMs, content } of inbox.list(account)) {
    if (!chat.endsWith('@g.us')) consider(reader, { id, author: account, by: 'session', atMs, content });
  }
  for (const { id, from, to, category, atMs, content } of sent.all()) {
    const isOwn = from === account.lid;
    const author = context.directory.byLid(from);
    if (category !== undefined || to.endsWith('@g.us') || author === undefined || (!isOwn && to !== account.lid))
      continue;
    consider(isOwn ? to : from, { id, author, by: isOwn ? 'phone' : 'contact', atMs, content });
  }
  return latest;
}
