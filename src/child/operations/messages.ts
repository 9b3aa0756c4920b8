import type { Params } from '../../contract/index.ts';
import type { OutgoingMessage } from '../engine/sending.ts';

/** The optional fields that every send has. */
function common(
  params: Pick<Params<'sendText'>, 'to' | 'reply_to' | 'typing_ms' | 'ephemeral_seconds'>,
): Omit<OutgoingMessage, 'content'> {
  return {
    to: params.to,
    replyTo: params.reply_to,
    typingMs: params.typing_ms,
    ephemeralSeconds: params.ephemeral_seconds,
  };
}

export function sendText(params: Params<'sendText'>): OutgoingMessage {
  const { text, mentions = [] } = params;
  return { ...common(params), content: { text, linkPreview: null, mentions } };
}
