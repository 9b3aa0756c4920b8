/** What is in the messages that a session has sent: the same that events tell of the received ones. Pure. */
import type { z } from 'zod';
import { operations } from '../../contract/index.ts';
import type { SentContent } from '../../store/store.ts';
import type { MessageDetail, MessageMarks } from './message-marks.ts';

type Content = Pick<MessageDetail, 'place' | 'cards' | 'poll'>;

const nothing: Content = { place: null, cards: [], poll: null };

/** The marks with what is in these sent messages; `textOf` answers the words of a message that one of them quotes. */
export function withSent(
  marks: MessageMarks,
  sent: readonly SentContent[],
  textOf: (messageId: string) => string | null,
): MessageMarks {
  const details = new Map(marks.details);
  for (const { id, operation, params, replyTo, forwardOf } of sent) {
    const repeated = forwardOf === null ? undefined : marks.details.get(forwardOf);
    const content = readers[operation]?.(params) ?? repeated ?? nothing;
    const quoted = replyTo === null ? null : (textOf(replyTo) ?? 'a message');
    const { place, cards, poll } = content;
    details.set(id, { place, cards, poll, quoted, isForwarded: forwardOf !== null });
  }
  return { ...marks, details };
}

/** By what was asked for; null for params that are not what they were. */
const readers: Readonly<Record<string, (params: unknown) => Content | null>> = {
  sendLocation: reader(operations.sendLocation.params, ({ latitude, longitude, name, address }) => ({
    ...nothing,
    place: { latitude, longitude, name: name ?? null, address: address ?? null },
  })),
  sendContact: reader(operations.sendContact.params, ({ contact, contacts }) => ({
    ...nothing,
    cards: (contacts ?? (contact === undefined ? [] : [contact])).map(({ display_name: name, phones }) => ({
      name,
      numbers: phones.map(({ number }) => `+${number.replace(/^\+/, '')}`),
    })),
  })),
  sendPoll: reader(operations.sendPoll.params, ({ question, options, selectable }) => ({
    ...nothing,
    poll: { question, options, selectable },
  })),
};

function reader<Params>(schema: z.ZodType<Params>, read: (params: Params) => Content) {
  return (params: unknown): Content | null => {
    const { data } = schema.safeParse(params);
    return data === undefined ? null : read(data);
  };
}

/** The marks with what the account itself reacted with; message id → emoji, empty for a reaction taken back. */
export function withOwnReactions(marks: MessageMarks, own: ReadonlyMap<string, string>): MessageMarks {
  const reactions = new Map(marks.reactions);
  for (const [id, emoji] of own) if (emoji !== '') reactions.set(id, [...(reactions.get(id) ?? []), emoji]);
  return { ...marks, reactions };
}
