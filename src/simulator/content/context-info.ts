/** What goes with the content of a message: whom it quotes and mentions, and how it is to be treated. */
import { proto } from '../wire/proto.ts';

export interface Quoted {
  readonly messageId: string;
  /** JID of who wrote the quoted message. */
  readonly author: string;
  /** The quoted message itself, a message protobuf. */
  readonly content: Uint8Array;
}

export interface MessageContext {
  readonly quoted: Quoted | null;
  /** JIDs. */
  readonly mentions: readonly string[];
  readonly isForwarded: boolean;
  /** Seconds after which the message disappears; null when it stays. */
  readonly ephemeralSeconds: number | null;
}

export const noContext: MessageContext = { quoted: null, mentions: [], isForwarded: false, ephemeralSeconds: null };

/** Null when there is nothing to tell. */
export function contextInfo(context: MessageContext): proto.IContextInfo | null {
  const { quoted, mentions, isForwarded, ephemeralSeconds } = context;
  const info: proto.IContextInfo = {
    ...(quoted === null
      ? {}
      : {
          stanzaId: quoted.messageId,
          participant: quoted.author,
          quotedMessage: proto.Message.decode(quoted.content),
        }),
    ...(mentions.length === 0 ? {} : { mentionedJid: [...mentions] }),
    ...(isForwarded ? { isForwarded, forwardingScore: 1 } : {}),
    ...(ephemeralSeconds === null ? {} : { expiration: ephemeralSeconds }),
  };
  return Object.keys(info).length === 0 ? null : info;
}
