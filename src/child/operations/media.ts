/** Messages with a file, which the supervisor has prepared. The upload waits until the recipient is known. */
import type { Params } from '../../contract/index.ts';
import { WardenError } from '../../contract/errors.ts';
import { uploadedContent, worded, type MediaWords } from '../engine/media-content.ts';
import type { OutgoingMessage } from '../engine/outgoing.ts';
import { common } from './common.ts';
import type { SendContext } from './index.ts';

export function sendImage(params: Params<'sendImage'>, context: SendContext): OutgoingMessage {
  return media(params, context, { caption: params.caption, isViewOnce: params.view_once });
}

export function sendVideo(params: Params<'sendVideo'>, context: SendContext): OutgoingMessage {
  const { caption, view_once: isViewOnce, gif: isGif, ptv: isPtv } = params;
  return media(params, context, { caption, isViewOnce, isGif, isPtv });
}

export function sendAudio(params: Params<'sendAudio'>, context: SendContext): OutgoingMessage {
  return media(params, context, { isPtt: params.ptt, isViewOnce: params.view_once });
}

export function sendDocument(params: Params<'sendDocument'>, context: SendContext): OutgoingMessage {
  return media(params, context, { caption: params.caption, fileName: context.media?.fileName ?? undefined });
}

export function sendSticker(params: Params<'sendSticker'>, context: SendContext): OutgoingMessage {
  return media(params, context, {});
}

function media(params: Parameters<typeof common>[0], context: SendContext, words: MediaWords): OutgoingMessage {
  const { media: prepared, sock, limits, clock } = context;
  if (prepared === null) throw new WardenError('internal_error', { message: 'a message with media came without it' });
  const settings = { timeoutMs: limits.mediaUploadTimeoutMs, now: clock.now() };
  return {
    ...common(params),
    content: {
      upload: async () => worded(await uploadedContent(sock, prepared, settings), prepared.kind, words),
    },
  };
}
