/**
 * What the latest events of a session add to its messages: names of people and groups, what was forwarded or quoted,
 * reactions, and why a message failed. Pure.
 */
import { events } from '../../contract/events.ts';

export interface MessageDetail {
  readonly isForwarded: boolean;
  readonly quoted: string | null;
  readonly place: Place | null;
  readonly cards: readonly Card[];
  readonly poll: Poll | null;
}

export interface Place {
  readonly latitude: number;
  readonly longitude: number;
  readonly name: string | null;
  readonly address: string | null;
}

export interface Card {
  readonly name: string;
  /** As they stand in the card. */
  readonly numbers: readonly string[];
}

export interface Poll {
  readonly question: string;
  readonly options: readonly string[];
  /** How many options one person may choose; 0 for any number. */
  readonly selectable: number;
}

export interface MessageMarks {
  /** By JID. */
  readonly names: ReadonlyMap<string, string>;
  /** By message id, as the next three. */
  readonly details: ReadonlyMap<string, MessageDetail>;
  /** The emoji that each person has chosen last. */
  readonly reactions: ReadonlyMap<string, readonly string[]>;
  /** Of polls: person → the options that this person has chosen last. */
  readonly votes: ReadonlyMap<string, ReadonlyMap<string, readonly string[]>>;
  readonly failures: ReadonlyMap<string, string>;
}

export const markEvents = [
  'message',
  'contact_update',
  'group_update',
  'reaction',
  'poll_vote',
  'message_failed',
] as const;

const messageFacts = events.message.data.pick({
  message_id: true,
  chat: true,
  from: true,
  participant: true,
  push_name: true,
  is_from_me: true,
  is_group: true,
  forwarded: true,
  quoted: true,
  location: true,
  contacts: true,
  poll: true,
});

/** From events of `markEvents`, newest first; what does not look as events do is left out. */
export function marksOf(latest: readonly { readonly name: string; readonly data: unknown }[]): MessageMarks {
  const names = new Map<string, string>();
  const details = new Map<string, MessageDetail>();
  const reactions = new Map<string, Map<string, string | null>>();
  const votes = new Map<string, Map<string, readonly string[]>>();
  const failures = new Map<string, string>();
  const call = (jid: string | null, name: string | null): void => {
    if (jid !== null && name !== null && name.trim() !== '' && !names.has(jid)) names.set(jid, name);
  };
  const readers: Readonly<Record<(typeof markEvents)[number], (data: unknown) => void>> = {
    message: (data) => {
      const fact = messageFacts.safeParse(data).data;
      if (fact === undefined) return;
      if (!fact.is_from_me) call(fact.participant ?? fact.from, fact.push_name);
      details.set(fact.message_id, {
        isForwarded: fact.forwarded,
        quoted: fact.quoted === null ? null : (fact.quoted.body ?? 'a message'),
        place: fact.location,
        cards: (fact.contacts ?? []).map((card) => ({ name: card.display_name, numbers: numbersOf(card.vcard) })),
        poll: fact.poll,
      });
    },
    contact_update: (data) => {
      const fact = events.contact_update.data.safeParse(data).data;
      if (fact !== undefined) call(fact.jid, fact.name);
    },
    group_update: (data) => {
      const fact = events.group_update.data.safeParse(data).data;
      if (fact?.change === 'subject' || fact?.change === 'created') call(fact.group, fact.value);
    },
    reaction: (data) => {
      const fact = events.reaction.data.safeParse(data).data;
      if (fact === undefined) return;
      const byPerson = reactions.get(fact.message_id) ?? new Map<string, string | null>();
      reactions.set(fact.message_id, byPerson);
      if (!byPerson.has(fact.from)) byPerson.set(fact.from, fact.emoji);
    },
    poll_vote: (data) => {
      const fact = events.poll_vote.data.safeParse(data).data;
      if (fact === undefined) return;
      const byPerson = votes.get(fact.message_id) ?? new Map<string, readonly string[]>();
      votes.set(fact.message_id, byPerson);
      if (!byPerson.has(fact.from)) byPerson.set(fact.from, fact.selected);
    },
    message_failed: (data) => {
      const fact = events.message_failed.data.safeParse(data).data;
      if (fact !== undefined && !failures.has(fact.message_id)) failures.set(fact.message_id, fact.reason);
    },
  };
  for (const { name, data } of latest) {
    const known = markEvents.find((each) => each === name);
    if (known !== undefined) readers[known](data);
  }
  const chosen = [...reactions].map(
    ([id, byPerson]) => [id, [...byPerson.values()].filter((emoji) => emoji !== null && emoji !== '')] as const,
  );
  return {
    names,
    details,
    votes,
    failures,
    reactions: new Map(chosen.map(([id, emojis]) => [id, emojis.filter((emoji) => emoji !== null)])),
  };
}

const mostNumbers = 10;

/** The telephone numbers of a vCard (RFC 2426 §3.3.1), whatever group and parameters stand before them. */
function numbersOf(vcard: string): readonly string[] {
  const lines = vcard.split(/\r\n|\r|\n/).slice(0, 200);
  return lines
    .flatMap((line) => /^(?:[\w-]{1,40}\.)?TEL[^:]{0,200}:(.{1,40})/i.exec(line)?.[1]?.trim() ?? [])
    .slice(0, mostNumbers);
}
