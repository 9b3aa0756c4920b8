import { randomBytes } from 'node:crypto';
import { getContentType, normalizeMessageContent, proto } from '@whiskeysockets/baileys';
import { WardenError } from '../../contract/errors.ts';
import { describeContent, pollOf, type MessageContent } from './message-content.ts';

const secretBytes = 32;

/**
 * The content of a message as it is forwarded: marked as such, once more than it was, without what it quoted and whom
 * it mentioned. Throws `unprocessable` for what may be seen only once.
 */
export function forwardedContent(message: MessageContent): MessageContent {
  const { viewOnce, forwardingScore } = { ...describeContent(message), forwardingScore: scoreOf(message) };
  if (viewOnce) {
    throw new WardenError('unprocessable', { message: 'A message that may be seen only once cannot be forwarded.' });
  }
  const inner = normalizeMessageContent(message);
  const type = inner === undefined ? undefined : getContentType(inner);
  const contextInfo = { isForwarded: true, forwardingScore: forwardingScore + 1 };
  if (inner?.conversation) return { extendedTextMessage: { text: inner.conversation, contextInfo } };
  const part: unknown = type === undefined ? undefined : inner?.[type];
  if (type === undefined || typeof part !== 'object' || part === null) {
    throw new WardenError('unprocessable', { message: 'A message of this kind cannot be forwarded.' });
  }
  // A forwarded poll is a new one, with votes and a secret of its own.
  const context = pollOf(message) === null ? {} : { messageContextInfo: { messageSecret: randomBytes(secretBytes) } };
  return proto.Message.fromObject({ [type]: { ...part, contextInfo }, ...context });
}

function scoreOf(message: MessageContent): number {
  const inner = normalizeMessageContent(message);
  const type = inner === undefined ? undefined : getContentType(inner);
  const part: unknown = type === undefined ? undefined : inner?.[type];
  if (typeof part !== 'object' || part === null) return 0;
  const context: unknown = Reflect.get(part, 'contextInfo');
  const score: unknown = typeof context === 'object' && context !== null ? Reflect.get(context, 'forwardingScore') : 0;
  return typeof score === 'number' ? score : 0;
}
