/** The inbox as the control API shows it: what people received from sessions, and what later messages made of it. */
import { type DescribedContent, describeContent, messageSecretOf } from './content.ts';
import { readVote } from './content/poll-message.ts';
import { lidJid, parseJid, pnJid } from './jid.ts';
import { findMessage, type MessageLookupParts } from './message-lookup.ts';
import type { Groups } from './state/groups.ts';
import type { InboxEntry } from './state/inbox.ts';
import type { ReceivedMedia } from './state/received-media.ts';
import type { Directory, User } from './types.ts';

export interface InboxViewParts extends MessageLookupParts {
  readonly directory: Directory;
  readonly groups: Groups;
  readonly receivedMedia: ReceivedMedia;
}

interface Described {
  readonly entry: InboxEntry;
  readonly said: DescribedContent;
}

/**
 * These copies of messages of an account, in order. Fields that do not apply are absent. A message that was edited
 * keeps its text and lists its `edits`; one that was deleted is marked so; the messages that did it stand in the list
 * too. Waits until media have been read.
 */
export async function inboxView(parts: InboxViewParts, account: User, entries: readonly InboxEntry[]) {
  const described = entries.map((entry) => ({ entry, said: describeContent(entry.content) }));
  const changes = new Map<string, Described[]>();
  for (const item of described) {
    const target = item.said.editOf ?? item.said.deleteOf;
    if (target === undefined) continue;
    const key = changeKey(item.entry, target);
    changes.set(key, [...(changes.get(key) ?? []), item]);
  }
  return Promise.all(
    described.map(async (item) => ({
      ...basics(parts.directory, account, item),
      ...(await details(parts, account, item)),
      ...laterChanges(changes.get(changeKey(item.entry, item.entry.messageId)) ?? []),
    })),
  );
}

function basics(directory: Directory, account: User, { entry, said }: Described) {
  const reader = directory.byLid(entry.reader);
  return {
    message_id: entry.messageId,
    to: reader === undefined ? lidJid(entry.reader) : pnJid(reader.pn),
    chat: entry.chat,
    ...(parseJid(entry.chat)?.server === 'g.us' ? { author: pnJid(account.pn) } : {}),
    type: said.type,
    text: said.text,
    caption: said.caption,
    quoted_id: said.quotedId,
    at: entry.at,
    raw: said.raw,
  };
}

async function details(parts: InboxViewParts, account: User, { entry, said }: Described) {
  const { media, vote } = said;
  return {
    ...(media === undefined ? {} : { media: await mediaView(parts, account, { entry, said, media }) }),
    ...(vote === undefined ? {} : { vote: voteView(parts, account, { entry, vote }) }),
    ...(said.editOf === undefined ? {} : { edit_of: said.editOf }),
    ...(said.deleteOf === undefined ? {} : { delete_of: said.deleteOf }),
    ...(said.reaction === undefined ? {} : { reaction: said.reaction }),
    ...(said.poll === undefined ? {} : { poll: said.poll }),
    ...(said.location === undefined ? {} : { location: said.location }),
    ...(said.contacts === undefined ? {} : { contacts: said.contacts }),
    ...(said.mentions === undefined ? {} : { mentions: said.mentions }),
    ...(said.forwarded === undefined ? {} : { forwarded: said.forwarded }),
    ...(said.viewOnce === undefined ? {} : { view_once: said.viewOnce }),
    ...(said.ephemeralSeconds === undefined ? {} : { ephemeral_seconds: said.ephemeralSeconds }),
  };
}

/** `failure` tells why the file could not be read; hash and length are those of the file that was. */
async function mediaView(
  { receivedMedia }: InboxViewParts,
  account: User,
  { entry, said, media }: Described & { readonly media: NonNullable<DescribedContent['media']> },
) {
  const check = await receivedMedia.check(account, entry.messageId, media.file);
  const isIntact = check.tag === 'intact';
  return {
    mimetype: media.mimetype,
    file_length: isIntact ? check.bytes : media.file.fileLength,
    sha256: isIntact ? check.sha256 : null,
    file_name: media.fileName,
    seconds: media.seconds,
    ptt: media.isPtt,
    view_once: said.viewOnce === true,
    failure: isIntact ? null : check.reason,
  };
}

/** `options` is null when the vote cannot be decrypted, or the poll is not known. */
function voteView(
  parts: InboxViewParts,
  account: User,
  { entry, vote }: { readonly entry: InboxEntry; readonly vote: NonNullable<DescribedContent['vote']> },
) {
  const reader = parts.directory.byLid(entry.reader);
  const chat = parts.directory.byJid(entry.chat);
  const members = parts.groups.byJid(entry.chat)?.members.map(({ lid }) => parts.directory.byLid(lid)) ?? [];
  const people = new Set([account, reader, chat, ...members].filter((user) => user !== undefined));
  const found = findMessage(parts, people, vote.pollId);
  const poll = found === null ? undefined : describeContent(found.content).poll;
  if (found === null || poll === undefined) return { message_id: vote.pollId, options: null };
  const secret = messageSecretOf(found.content);
  // Either address may be meant, of the author and of the voter alike.
  const scopes = formsOf(found.author).flatMap((creator) =>
    formsOf(account).map((voter) => ({ pollId: vote.pollId, creator, voter, secret })),
  );
  return { message_id: vote.pollId, options: readVote(vote, scopes, poll.options) };
}

function laterChanges(changes: readonly Described[]) {
  const edits = changes
    .filter(({ said }) => said.editOf !== undefined)
    .map(({ entry, said }) => ({ message_id: entry.messageId, text: said.text, caption: said.caption, at: entry.at }));
  const isDeleted = changes.some(({ said }) => said.deleteOf !== undefined);
  return { ...(edits.length === 0 ? {} : { edits }), ...(isDeleted ? { deleted: true } : {}) };
}

function formsOf(user: User): readonly string[] {
  return [lidJid(user.lid), pnJid(user.pn)];
}

function changeKey(entry: InboxEntry, messageId: string): string {
  return `${entry.reader}/${messageId}`;
}
