/** From reactions and votes to records: pure. */
import type { RecordItem } from '../../contract/ipc.ts';

interface Said {
  /** Id of the message that says it. */
  readonly id: string;
  readonly chat: string;
  readonly from: string;
  readonly fromMe: boolean;
  /** Unix milliseconds. */
  readonly at: number;
  readonly inboxId: string | null;
}

export function reactionItem(
  said: Said,
  { targetId, emoji }: { readonly targetId: string; readonly emoji: string | null },
): RecordItem {
  const { id, chat, from, fromMe, at, inboxId } = said;
  const timestamp = Math.floor(at / 1000);
  return {
    tag: 'event',
    event: { name: 'reaction', data: { message_id: targetId, chat, from, is_from_me: fromMe, emoji, timestamp } },
    at,
    inboxId,
    onceId: `reaction:${chat}:${from}:${id}`,
  };
}

export function voteItem(
  said: Said,
  { pollId, selected }: { readonly pollId: string; readonly selected: readonly string[] },
): RecordItem {
  const { id, chat, from, at, inboxId } = said;
  const data = { message_id: pollId, chat, from, selected: [...selected], timestamp: Math.floor(at / 1000) };
  return {
    tag: 'event',
    event: { name: 'poll_vote', data },
    at,
    inboxId,
    onceId: `poll_vote:${chat}:${from}:${id}`,
  };
}
