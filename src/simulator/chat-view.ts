/**
 * A chat as one of the simulated people sees it: what the account has written, as this person could decrypt it, and what
 * the people have written, in order. Edits, deletions and reactions are folded into the messages that they change.
 */
import { type DescribedContent, describeContent } from './content.ts';
import { pnJid } from './jid.ts';
import type { Activity } from './state/activity.ts';
import type { Group } from './state/groups.ts';
import type { Inbox } from './state/inbox.ts';
import type { PersonReceipts } from './state/person-receipts.ts';
import type { ReceivedMedia } from './state/received-media.ts';
import type { SentMessages } from './state/sent-messages.ts';
import type { Directory, User } from './types.ts';

export interface ChatViewParts {
  readonly directory: Directory;
  readonly inbox: Inbox;
  readonly sent: SentMessages;
  readonly receipts: PersonReceipts;
  readonly activity: Activity;
  readonly receivedMedia: ReceivedMedia;
}

export interface Chat {
  /** Whose sessions take part in it. */
  readonly account: User;
  /** Through whose eyes it is seen. */
  readonly reader: User;
  /** Null for the chat of these two. */
  readonly group: Group | null;
}

export interface ChatPage {
  readonly limit: number;
  /** Only what was written before this message. */
  readonly before: string | null;
}

/** One thing that was written. */
export interface Utterance {
  readonly id: string;
  readonly author: User;
  /** `session`: through the gateway; `phone`: on the account's own phone. */
  readonly by: 'session' | 'phone' | 'contact';
  /** Unix ms. */
  readonly atMs: number;
  readonly content: Uint8Array;
}

interface Change {
  readonly utterance: Utterance;
  readonly said: DescribedContent;
}

/** The latest messages of a chat, oldest first, and whether there are earlier ones. */
export function chatView(parts: ChatViewParts, chat: Chat, { limit, before }: ChatPage) {
  const all = utterances(parts, chat);
  const changes = new Map<string, Change[]>();
  const shown: Change[] = [];
  let isOpen = before === null;
  let hasMore = false;
  for (const utterance of all.toReversed()) {
    const said = describeContent(utterance.content);
    const target = said.editOf ?? said.deleteOf ?? said.reaction?.message_id;
    if (target !== undefined) {
      changes.set(target, [{ utterance, said }, ...(changes.get(target) ?? [])]);
      continue;
    }
    if (isOpen && shown.length === limit) {
      hasMore = true;
      break;
    }
    if (isOpen) shown.unshift({ utterance, said });
    if (utterance.id === before) isOpen = true;
  }
  const texts = new Map(all.map(({ id, content }) => [id, content]));
  const messages = shown.map((item) => ({
    ...basics(item, texts),
    ...details(parts, chat, item),
    ...folded(changes.get(item.utterance.id) ?? []),
    receipts: receiptsOf(parts, chat, item.utterance),
  }));
  return { messages, has_more: hasMore };
}

/** What was written last in the chat of two people, without what only changes a message; null for nothing. */
export function lastMessage(utterance: Utterance | undefined) {
  if (utterance === undefined) return null;
  const { type, text, caption, reaction } = describeContent(utterance.content);
  return {
    at: Math.floor(utterance.atMs / 1000),
    type,
    text: text ?? caption ?? reaction?.emoji ?? null,
    from: utterance.by,
  };
}

function utterances({ directory, inbox, sent }: ChatViewParts, { account, reader, group }: Chat): Utterance[] {
  const isHere = (jid: string) => (group === null ? !jid.endsWith('@g.us') : jid === group.jid);
  const fromSessions = inbox
    .list(account)
    .filter((entry) => entry.reader === reader.lid && isHere(entry.chat))
    .map(({ messageId, atMs, content }): Utterance => {
      return { id: messageId, author: account, by: 'session', atMs, content };
    });
  const fromPeople: Utterance[] = [];
  for (const { id, from, to, category, atMs, content } of sent.all()) {
    const isBetween = (from === reader.lid && to === account.lid) || (from === account.lid && to === reader.lid);
    if (category !== undefined || (group === null ? !isBetween : to !== group.jid)) continue;
    const author = directory.byLid(from);
    if (author === undefined) continue;
    fromPeople.push({ id, author, by: author === account ? 'phone' : 'contact', atMs, content });
  }
  return [...fromSessions, ...fromPeople].toSorted((one, other) => one.atMs - other.atMs);
}

function basics({ utterance, said }: Change, texts: ReadonlyMap<string, Uint8Array>) {
  const { id, author, by, atMs } = utterance;
  const quoted = said.quotedId === null ? undefined : texts.get(said.quotedId);
  const quotedSaid = quoted === undefined ? null : describeContent(quoted);
  return {
    message_id: id,
    from: by,
    author: pnJid(author.pn),
    author_name: author.name,
    at: Math.floor(atMs / 1000),
    type: said.type,
    text: said.text,
    caption: said.caption,
    quoted:
      said.quotedId === null
        ? null
        : { message_id: said.quotedId, text: quotedSaid?.text ?? quotedSaid?.caption ?? quotedSaid?.type ?? null },
  };
}

function details({ receivedMedia }: ChatViewParts, { account }: Chat, { utterance, said }: Change) {
  const { media, location, contacts, poll } = said;
  return {
    ...(media === undefined
      ? {}
      : {
          media: {
            ...checked(utterance.by === 'session' ? receivedMedia.known(account, utterance.id) : null),
            mimetype: media.mimetype,
            file_length: media.file.fileLength,
            file_name: media.fileName,
            seconds: media.seconds,
            ptt: media.isPtt,
            view_once: said.viewOnce === true,
            thumbnail: media.jpegThumbnail,
          },
        }),
    ...(location === undefined ? {} : { location }),
    ...(contacts === undefined ? {} : { contacts }),
    ...(poll === undefined ? {} : { poll }),
    ...(said.forwarded === undefined ? {} : { forwarded: true }),
  };
}

/** The hash of a file that its reader has downloaded and decrypted, or why that was not possible; both null before. */
function checked(check: ReturnType<ReceivedMedia['known']>) {
  if (check === null) return { sha256: null, failure: null };
  return check.tag === 'intact' ? { sha256: check.sha256, failure: null } : { sha256: null, failure: check.reason };
}

/** What later messages made of one; of each person the last reaction counts, and an empty one is none. */
function folded(changes: readonly Change[]) {
  const edit = changes.findLast(({ said }) => said.editOf !== undefined)?.said;
  const reactions = new Map<string, { readonly by: string; readonly by_name: string; readonly emoji: string }>();
  for (const { utterance, said } of changes) {
    if (said.reaction === undefined) continue;
    const { author } = utterance;
    reactions.delete(author.lid);
    if (said.reaction.emoji === '') continue;
    reactions.set(author.lid, { by: pnJid(author.pn), by_name: author.name, emoji: said.reaction.emoji });
  }
  return {
    ...(typeof edit?.text === 'string' ? { text: edit.text } : {}),
    ...(typeof edit?.caption === 'string' ? { caption: edit.caption } : {}),
    edited: edit !== undefined,
    deleted: changes.some(({ said }) => said.deleteOf !== undefined),
    reactions: [...reactions.values()],
  };
}

/** Of what the account wrote, what each reader has told; of what people wrote, what the account's sessions have told. */
function receiptsOf({ directory, receipts, activity }: ChatViewParts, chat: Chat, { id, by, author }: Utterance) {
  const { account, reader, group } = chat;
  if (by === 'contact') {
    const seen = activity.of(account).receipts.filter(({ message_id: messageId }) => messageId === id);
    const first = (...types: readonly string[]) => seen.find(({ type }) => types.includes(type))?.at ?? null;
    const read = first('read');
    const told = { delivered_at: first('delivered', 'inactive') ?? read, read_at: read, played_at: first('played') };
    return told.delivered_at === null ? [] : [{ by: pnJid(account.pn), by_name: account.name, ...told }];
  }
  const readers =
    group === null
      ? [reader]
      : group.members.flatMap(({ lid }) => directory.byLid(lid) ?? []).filter((one) => one !== author);
  return readers.flatMap((each) => {
    const { deliveredAt, readAt, playedAt } = receipts.of({ account, messageId: id, reader: each });
    if (deliveredAt === null) return [];
    const told = { delivered_at: deliveredAt, read_at: readAt, played_at: playedAt };
    return [{ by: pnJid(each.pn), by_name: each.name, ...told }];
  });
}
