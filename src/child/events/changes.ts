/** From edits and deletions to records: pure. */
import type { SessionEvent } from '../../contract/events.ts';
import type { RecordItem } from '../../contract/ipc.ts';
import type { ControlContent } from '../engine/control-content.ts';
import { bodyOf, encodeContent } from '../engine/message-content.ts';

/** Somebody by phone-number JID, or by LID where the number is not known. */
export interface Author {
  readonly jid: string;
  readonly lid: string | null;
}

interface ChangeFacts {
  readonly control: Extract<ControlContent, { tag: 'edit' | 'delete' }>;
  readonly chat: string;
  readonly author: Author;
  /** Whether the account wrote it on another of its devices; null for a change that this session made and nobody has to be told. */
  readonly fromMe: boolean | null;
  /** Id of the message that carried the change. */
  readonly changeId: string;
  /** Unix milliseconds. */
  readonly at: number;
  readonly inboxId: string | null;
}

export function changeItem(facts: ChangeFacts): RecordItem {
  const { control, chat, author, at } = facts;
  const edited = control.tag === 'edit' ? control.content : null;
  const body = edited === null ? null : bodyOf(edited);
  return {
    tag: 'change',
    change: edited === null ? 'deleted' : 'edited',
    scope: 'everyone',
    targetId: control.targetId,
    chat,
    by: author.jid,
    byLid: author.lid,
    at,
    proto: edited === null ? null : encodeContent(edited),
    body,
    event: facts.fromMe === null ? null : eventOf(facts, facts.fromMe, body),
    inboxId: facts.inboxId,
    changeId: facts.changeId,
  };
}

function eventOf({ control, chat, author, at }: ChangeFacts, fromMe: boolean, body: string | null): SessionEvent {
  const common = {
    message_id: control.targetId,
    chat,
    from: author.jid,
    is_from_me: fromMe,
    timestamp: Math.floor(at / 1000),
  };
  return control.tag === 'edit'
    ? { name: 'message_edited', data: { ...common, body } }
    : { name: 'message_deleted', data: common };
}
