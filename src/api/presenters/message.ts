/** What leaves the process of a message, field by field. Pure. */
import { isGroupJid } from '../../contract/ids.ts';
import type { Result } from '../../contract/index.ts';
import type { ChatRow, MessageRow, SessionRow } from '../../store/store.ts';
import { unixSecondsOf } from './session.ts';

type MessageResource = Result<'getMessage'>;
type Timeline = Result<'getMessageTimeline'>;

/** What a message will be that no child has built yet, by what was asked for. */
const typesOfOperations: Readonly<Record<string, string>> = {
  sendText: 'text',
  sendImage: 'image',
  sendVideo: 'video',
  sendAudio: 'audio',
  sendDocument: 'document',
  sendSticker: 'sticker',
  sendLocation: 'location',
  sendContact: 'contact',
  sendPoll: 'poll',
  editMessage: 'edit',
  deleteMessage: 'delete',
  reactToMessage: 'reaction',
  pinMessage: 'pin',
};

export const typeOfOperation = (operation: string | null): string => typesOfOperations[operation ?? ''] ?? 'unknown';

export function presentMessage(row: MessageRow, session: SessionRow): MessageResource {
  return {
    message_id: row.id,
    chat: row.chat,
    from: row.sender ?? (row.fromMe ? (session.device?.jid ?? row.chat) : row.chat),
    is_from_me: row.fromMe,
    type: row.type ?? typeOfOperation(row.operation),
    body: row.body,
    timestamp: unixSecondsOf(row.at),
    status: statusOf(row),
    error_code: row.errorCode,
    edited_at: secondsOrNull(row.editedAt),
    deleted_at: secondsOrNull(row.deletedAt),
    media: mediaOf(row, session),
  };
}

/** How far a message has come. In the order of the steps: our clock and WhatsApp's need not agree. */
export function presentTimeline(row: MessageRow): Timeline {
  const steps: readonly (readonly [string, number | null])[] = [
    [row.fromMe ? (row.operation === null ? 'sent' : 'accepted') : 'received', row.at],
    ['sent', row.sentAt],
    ['delivered', row.deliveredAt],
    ['read', row.readAt],
    ['played', row.playedAt],
    ['failed', row.failedAt],
    ['edited', row.editedAt],
    ['deleted', row.deletedAt],
  ];
  const events = steps
    .flatMap(([status, at]) => (at === null ? [] : [{ status, at: unixSecondsOf(at) }]))
    .map((step) => ({ ...step, error_code: step.status === 'failed' ? row.errorCode : null }));
  return { message_id: row.id, status: statusOf(row), events };
}

export function presentChat(row: ChatRow, session: SessionRow): Result<'listChats'>['chats'][number] {
  const { messageCount, lastMessage } = row;
  return {
    chat: lastMessage.chat,
    is_group: isGroupJid(lastMessage.chat),
    last_message: presentMessage(lastMessage, session),
    message_count: messageCount,
  };
}

function statusOf(row: MessageRow): MessageResource['status'] {
  return row.fromMe ? row.status : 'received';
}

function mediaOf({ id, media }: MessageRow, session: SessionRow): MessageResource['media'] {
  if (media === null) return null;
  return {
    mimetype: media.mimetype,
    file_length: media.fileLength,
    file_name: media.fileName,
    seconds: media.seconds,
    url: `/api/v1/sessions/${encodeURIComponent(session.id)}/messages/${encodeURIComponent(id)}/media`,
  };
}

const secondsOrNull = (at: number | null): number | null => (at === null ? null : unixSecondsOf(at));
