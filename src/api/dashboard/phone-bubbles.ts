/** The messages of a simulated chat as bubbles on the phone of one of its people. Pure. */
import type { Result } from '../../contract/index.ts';

type ChatMessage = Result<'sandboxChat'>['messages'][number];

export interface Bubble extends ChatMessage {
  /** Written by whoever holds the phone. */
  readonly isOwn: boolean;
  /** Written by the account: this person can tell receipts of it. */
  readonly isOfAccount: boolean;
  /** Above the bubble; null for one's own. */
  readonly writer: string | null;
  /** What stands for it in a few words, for labels and replies. */
  readonly summary: string;
  readonly ticks: { readonly state: 'sent' | 'delivered' | 'read' | 'played'; readonly words: string };
  readonly thumbnail: string | null;
}

const summaryLength = 60;

export function bubbleOf(message: ChatMessage, reader: { readonly jid: string }): Bubble {
  const isOwn = message.author === reader.jid && message.from === 'contact';
  return {
    ...message,
    isOwn,
    isOfAccount: message.from !== 'contact',
    writer: isOwn ? null : writerOf(message),
    summary: summaryOf(message),
    ticks: ticksOf(message),
    thumbnail: message.media?.thumbnail ?? null,
  };
}

function writerOf({ from, author_name: name }: ChatMessage): string {
  if (from === 'contact') return name;
  return from === 'session' ? 'The session' : 'The account’s own phone';
}

function summaryOf({ text, caption, type, media, location, poll }: ChatMessage): string {
  const words = text ?? caption ?? media?.file_name ?? location?.name ?? poll?.question ?? type;
  return words.length > summaryLength ? `${words.slice(0, summaryLength)}…` : words;
}

/** The furthest that anybody has told, and who told what. */
function ticksOf({ receipts, from }: ChatMessage): Bubble['ticks'] {
  const has = (field: 'played_at' | 'read_at' | 'delivered_at') => receipts.some((told) => told[field] !== null);
  const state = has('played_at') ? 'played' : has('read_at') ? 'read' : has('delivered_at') ? 'delivered' : 'sent';
  if (from === 'contact') {
    const words = { sent: 'Not acknowledged by the session yet', delivered: 'The session has it' };
    return { state, words: state === 'sent' || state === 'delivered' ? words[state] : `The session has ${state} it` };
  }
  if (state === 'sent') return { state, words: 'Arrived; no receipt was sent' };
  const names = receipts
    .filter(
      (told) => (state === 'delivered' ? told.delivered_at : state === 'read' ? told.read_at : told.played_at) !== null,
    )
    .map((told) => told.by_name);
  const shown = names.length > 3 ? [...names.slice(0, 3), `${names.length - 3} more`] : names;
  return {
    state,
    words: `${state === 'delivered' ? 'Delivered to' : state === 'read' ? 'Read by' : 'Played by'} ${shown.join(', ')}`,
  };
}
