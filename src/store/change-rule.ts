/** Pure: who may change which message. WhatsApp relays changes without knowing the messages that they are about. */
import type { RecordItem } from '../contract/ipc.ts';

export type Change = Extract<RecordItem, { tag: 'change' }>;

export interface ChangeTarget {
  readonly chat: string;
  readonly sender: string | null;
  readonly isDeleted: boolean;
  /** Unix milliseconds. */
  readonly editedAt: number | null;
}

type ChangeFacts = Pick<Change, 'change' | 'scope' | 'chat' | 'by' | 'byLid'>;

/**
 * Authors change their own messages, by whichever of their addresses they are known. In groups others delete, too:
 * WhatsApp lets only admins do so.
 */
export function isAllowed(target: Pick<ChangeTarget, 'chat' | 'sender'>, change: ChangeFacts): boolean {
  const isGroup = change.chat.endsWith('@g.us');
  if (isGroup && target.chat !== change.chat) return false;
  if (change.scope === 'account') return true;
  if (change.change === 'deleted' && isGroup) return true;
  return target.sender !== null && (target.sender === change.by || target.sender === change.byLid);
}

/** Whether a change that is allowed still has an effect: a deletion is final, and of edits the latest counts. */
export function isEffective(target: ChangeTarget, change: Pick<Change, 'change' | 'at'>): boolean {
  if (target.isDeleted) return false;
  return change.change === 'deleted' || target.editedAt === null || target.editedAt <= change.at;
}
