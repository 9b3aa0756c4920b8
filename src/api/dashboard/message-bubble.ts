/** A message as a page shows it. Pure. */
import type { Result } from '../../contract/index.ts';
import { isGroupJid } from '../../contract/ids.ts';
import { formatPhone } from './format.ts';
import type { MessageDetail, MessageMarks, Place, Poll } from './message-marks.ts';

type Message = Result<'getMessage'>;
type Preview = 'image' | 'video' | 'audio' | 'file';

/** Longer texts are cut in a list; the message itself shows all of it. */
const longestShown = 700;
const longestLine = 120;
/** Of those who chose an option, on hover. */
const mostNames = 20;

const previews: Readonly<Record<string, Preview>> = {
  image: 'image',
  sticker: 'image',
  video: 'video',
  ptv: 'video',
  audio: 'audio',
  ptt: 'audio',
};

const statusWords = {
  received: 'Received',
  scheduled: 'Scheduled',
  accepted: 'Accepted, not sent yet',
  sent: 'Sent',
  delivered: 'Delivered',
  read: 'Read',
  played: 'Played',
  failed: 'Failed',
} as const satisfies Record<Message['status'], string>;

/** The name that is known of an address, else its number. */
export const nameOf = (jid: string, { names }: Pick<MessageMarks, 'names'>): string =>
  names.get(jid) ?? (isGroupJid(jid) ? 'Group' : formatPhone(jid));

export function bubbleOf(message: Message, marks: MessageMarks) {
  const { message_id: id, media, type, status } = message;
  const detail = marks.details.get(id);
  const poll = pollOf(detail?.poll ?? null, { id, marks });
  const reactions = countOf(marks.reactions.get(id) ?? []);
  const text = message.deleted_at === null ? (message.body ?? '') : '';
  return {
    id,
    chat: message.chat,
    isMine: message.is_from_me,
    type,
    text: text.slice(0, longestShown),
    isCut: text.length > longestShown,
    wholeText: text,
    at: message.timestamp,
    status,
    statusWords: statusWords[status],
    failure: status === 'failed' ? (marks.failures.get(id) ?? failureOf(message.error_code)) : null,
    isEdited: message.edited_at !== null,
    isDeleted: message.deleted_at !== null,
    isForwarded: detail?.isForwarded ?? false,
    quoted: detail?.quoted?.slice(0, longestLine) ?? null,
    place: placeOf(detail?.place ?? null),
    cards: detail?.cards ?? [],
    poll,
    sender: isGroupJid(message.chat) && !message.is_from_me ? nameOf(message.from, marks) : null,
    media:
      media === null || message.deleted_at !== null
        ? null
        : {
            preview: previewOf(type, media.mimetype),
            url: media.url,
            name: media.file_name ?? type,
            bytes: media.file_length,
            seconds: media.seconds,
            mimetype: media.mimetype,
          },
    reactions,
    /** Changes whenever what is shown of the message does. */
    version: [
      status,
      message.edited_at,
      message.deleted_at,
      media === null ? '' : 'media',
      ...reactions.map(String),
      ...(poll?.options ?? []).map(({ votes }) => `v${votes}`),
    ].join('.'),
  };
}

/** The place with where a map shows it. */
const placeOf = (place: Place | null) =>
  place === null
    ? null
    : {
        ...place,
        map: `https://www.openstreetmap.org/?mlat=${place.latitude}&mlon=${place.longitude}#map=16/${place.latitude}/${place.longitude}`,
      };

/** The poll with the votes that are known, each option with who chose it. */
function pollOf(poll: Poll | null, { id, marks }: { readonly id: string; readonly marks: MessageMarks }) {
  if (poll === null) return null;
  const ballots = [...(marks.votes.get(id) ?? new Map<string, readonly string[]>())];
  const { selectable } = poll;
  return {
    question: poll.question,
    rule: selectable === 1 ? 'Choose one' : selectable === 0 ? 'Choose any number' : `Choose up to ${selectable}`,
    voters: ballots.filter(([, selected]) => selected.length > 0).length,
    options: poll.options.map((text) => {
      const names = ballots.filter(([, selected]) => selected.includes(text)).map(([jid]) => nameOf(jid, marks));
      return { text, votes: names.length, names: names.slice(0, mostNames).join(', ') };
    }),
  };
}

/** One line about a message, for a list of chats. */
export function lineOf(message: Message, detail?: MessageDetail): string {
  if (message.deleted_at !== null) return 'Deleted';
  const { place, poll, cards = [] } = detail ?? {};
  const words = message.body ?? poll?.question ?? place?.name ?? cards.map(({ name }) => name).join(', ');
  const text = words.slice(0, longestLine);
  if (message.type === 'text') return text;
  const kind = `${message.type.slice(0, 1).toUpperCase()}${message.type.slice(1)}`;
  return text === '' ? kind : `${kind}: ${text}`;
}

/** Each emoji once, with how many chose it where that is more than one. */
function countOf(emojis: readonly string[]): readonly string[] {
  const counts = new Map<string, number>();
  for (const emoji of emojis) counts.set(emoji, (counts.get(emoji) ?? 0) + 1);
  return [...counts].map(([emoji, count]) => (count === 1 ? emoji : `${emoji} ${count}`));
}

const codeWords: Readonly<Record<string, string>> = {
  expired: 'It could not be sent in time.',
  pacing_limit: 'Pacing held it back for longer than it may wait.',
};

const failureOf = (code: string | null): string =>
  code === null ? 'It was not sent.' : (codeWords[code] ?? `WhatsApp refused it with the code ${code}.`);

function previewOf(type: string, mimetype: string | null): Preview {
  const preview = previews[type];
  if (preview !== undefined) return preview;
  return type === 'document' && mimetype?.startsWith('image/') === true && mimetype !== 'image/svg+xml'
    ? 'image'
    : 'file';
}
