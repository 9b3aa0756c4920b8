/** Polls and votes as simulated people write them. */
import { randomBytes } from 'node:crypto';
import type { DescribedPoll } from '../content.ts';
import { proto } from '../wire/proto.ts';
import { contextInfo, type MessageContext } from './context-info.ts';
import { decryptVote, type EncryptedVote, encryptVote, optionHash, type VoteScope } from './poll-votes.ts';

/** Polls with one choice have a field of their own. */
export function pollMessage(poll: DescribedPoll, context: MessageContext): proto.IMessage {
  const creation = {
    name: poll.question,
    options: poll.options.map((optionName) => ({ optionName })),
    selectableOptionsCount: poll.selectable,
    contextInfo: contextInfo(context),
  };
  const messageContextInfo = { messageSecret: randomBytes(32) };
  return poll.selectable === 1
    ? { pollCreationMessageV3: creation, messageContextInfo }
    : { pollCreationMessage: creation, messageContextInfo };
}

/** A vote for these options; none takes an earlier vote back. */
export function voteMessage(
  key: proto.IMessageKey,
  vote: { readonly options: readonly string[]; readonly scope: VoteScope; readonly atMs: number },
): proto.IMessage {
  const chosen = proto.Message.PollVoteMessage.encode({ selectedOptions: vote.options.map(optionHash) }).finish();
  return {
    pollUpdateMessage: {
      pollCreationMessageKey: key,
      vote: encryptVote(chosen, vote.scope),
      senderTimestampMs: vote.atMs,
    },
  };
}

/** The options that a vote names, of those that the poll offers; null when none of the scopes fits. */
export function readVote(
  vote: EncryptedVote,
  scopes: readonly VoteScope[],
  options: readonly string[],
): readonly string[] | null {
  for (const scope of scopes) {
    const decrypted = decryptVote(vote, scope);
    if (decrypted === null) continue;
    const { selectedOptions } = proto.Message.PollVoteMessage.decode(decrypted);
    return options.filter((option) => selectedOptions.some((hash) => optionHash(option).equals(hash)));
  }
  return null;
}
