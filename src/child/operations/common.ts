import type { Params } from '../../contract/index.ts';
import type { OutgoingMessage } from '../engine/outgoing.ts';

type CommonParams = Pick<Params<'sendText'>, 'to' | 'reply_to' | 'mentions' | 'typing_ms' | 'ephemeral_seconds'>;

/** What the optional fields that every send has come to. */
export function common(params: CommonParams): Omit<OutgoingMessage, 'content'> {
  return {
    tag: 'message',
    to: params.to,
    replyTo: params.reply_to,
    mentions: params.mentions,
    typingMs: params.typing_ms,
    ephemeralSeconds: params.ephemeral_seconds,
  };
}
