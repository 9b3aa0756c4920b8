/** What a send handler makes of its params, and how that becomes the message that goes out. */
import {
  generateWAMessage,
  generateWAMessageFromContent,
  getContentType,
  normalizeMessageContent,
  type AnyMessageContent,
  type MessageGenerationOptions,
  type WAMessage,
} from '@whiskeysockets/baileys';
import { nameMentions, type ResolvedMentions } from './mentions.ts';
import type { MessageContent } from './message-content.ts';

export type { AnyMessageContent };

/** Content that is complete, as against what the library makes out of a description. */
export interface ReadyContent {
  readonly ready: MessageContent;
}

/** Content with a file, which is uploaded when everything else is settled. */
export interface UploadedContent {
  readonly upload: () => Promise<MessageContent>;
}

export interface OutgoingMessage {
  readonly tag: 'message';
  readonly to: string;
  readonly content: AnyMessageContent | ReadyContent | UploadedContent;
  readonly replyTo?: string | undefined;
  readonly mentions?: 'all' | readonly string[] | undefined;
  readonly typingMs?: number | undefined;
  /** Absent keeps the chat's own setting; 0 switches it off for this message. */
  readonly ephemeralSeconds?: number | undefined;
}

/** A send that changes nothing but this account's own view of a message. */
export interface LocalDeletion {
  readonly tag: 'local_deletion';
  /** The resolved chat, as the store knows it. */
  readonly chat: string;
  readonly targetId: string;
  readonly run: () => Promise<unknown>;
}

export type Outgoing = OutgoingMessage | LocalDeletion;

interface Form {
  readonly to: string;
  readonly content: OutgoingMessage['content'];
  readonly mentions: ResolvedMentions;
  readonly options: MessageGenerationOptions;
}

/** Uploads what has to be uploaded. */
export async function buildMessage(form: Form): Promise<WAMessage> {
  const { mentions } = form;
  const built = await wrap(form);
  if (mentions.jids.length > 0 && built.message) mention(built.message, mentions);
  return built;
}

async function wrap({ to, content, options }: Form): Promise<WAMessage> {
  if ('upload' in content) return generateWAMessageFromContent(to, await content.upload(), options);
  if ('ready' in content) return generateWAMessageFromContent(to, content.ready, options);
  return generateWAMessage(to, content, options);
}

/** Adds the mentions to the part of the message that has a context. */
function mention(message: MessageContent, { jids, names }: ResolvedMentions): void {
  const inner = normalizeMessageContent(message);
  const type = inner === undefined ? undefined : getContentType(inner);
  const part: unknown = inner === undefined || type === undefined ? undefined : inner[type];
  if (typeof part !== 'object' || part === null) return;
  const context: unknown = Reflect.get(part, 'contextInfo');
  Reflect.set(part, 'contextInfo', { ...Object(context), mentionedJid: [...jids] });
  for (const field of ['text', 'caption']) {
    const text: unknown = Reflect.get(part, field);
    if (typeof text === 'string') Reflect.set(part, field, nameMentions(text, names));
  }
}
