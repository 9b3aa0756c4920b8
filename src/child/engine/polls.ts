/** Votes in polls, decrypted with the poll as the store keeps it. The library leaves them encrypted. */
import { createHash } from 'node:crypto';
import { decryptPollVote, jidNormalizedUser, type WASocket } from '@whiskeysockets/baileys';
import type { StoreClient } from '../store-client.ts';
import type { EncryptedVote } from './control-content.ts';
import { decodeContent, messageSecretOf, pollOf, type MessageContent } from './message-content.ts';

interface Voter {
  readonly jid: string;
  readonly lid: string | null;
}

/**
 * The options that a vote chooses, in the poll's order. Null when it cannot be told: the poll is not known, or the vote
 * was not made for it.
 */
export async function selectedOptions(
  { sock, store }: { readonly sock: WASocket; readonly store: Pick<StoreClient, 'message'> },
  { pollId, vote, voter }: { readonly pollId: string; readonly vote: EncryptedVote; readonly voter: Voter },
): Promise<readonly string[] | null> {
  const known = await store.message(pollId);
  if (known === null || known.proto === null || known.sender === null) return null;
  const creators = await formsOf(sock, { jid: known.sender, lid: null });
  const voters = await formsOf(sock, voter);
  return readVote({ vote, pollId, poll: decodeContent(known.proto), creators, voters });
}

interface Ballot {
  readonly vote: EncryptedVote;
  readonly pollId: string;
  readonly poll: MessageContent;
  /** The addresses of the poll's author and of the voter: a vote is bound to one of each, and does not say to which. */
  readonly creators: readonly string[];
  readonly voters: readonly string[];
}

export function readVote({ vote, pollId, poll, creators, voters }: Ballot): readonly string[] | null {
  const pollEncKey = messageSecretOf(poll);
  const options = pollOf(poll)?.options;
  if (pollEncKey === null || options === undefined) return null;
  for (const pollCreatorJid of creators) {
    for (const voterJid of voters) {
      const hashes = decrypted(vote, { pollCreatorJid, pollMsgId: pollId, pollEncKey, voterJid });
      if (hashes !== null) return options.filter((option) => hashes.has(hashOf(option)));
    }
  }
  return null;
}

function decrypted(vote: EncryptedVote, scope: Parameters<typeof decryptPollVote>[1]): ReadonlySet<string> | null {
  try {
    const { selectedOptions: chosen } = decryptPollVote(vote, scope);
    return new Set((chosen ?? []).map((hash) => Buffer.from(hash).toString('hex')));
  } catch {
    return null;
  }
}

const hashOf = (option: string): string => createHash('sha256').update(option).digest('hex');

/** Both addresses of a person, as far as they are known. */
async function formsOf(sock: WASocket, { jid, lid }: Voter): Promise<readonly string[]> {
  const { lidMapping } = sock.signalRepository;
  const isOwn = sock.user !== undefined && jidNormalizedUser(sock.user.id) === jid;
  const [otherLid, pn] = jid.endsWith('@lid')
    ? [null, await lidMapping.getPNForLID(jid)]
    : [isOwn ? sock.user?.lid : await lidMapping.getLIDForPN(jid), null];
  return [...new Set([jid, lid, otherLid, pn].flatMap((each) => (each ? [jidNormalizedUser(each)] : [])))];
}
