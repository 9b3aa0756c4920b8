/** Text messages as simulated people write them. */
import { proto } from '../wire/proto.ts';

export interface Quoted {
  readonly messageId: string;
  /** JID of who wrote the quoted message. */
  readonly author: string;
  /** The quoted message itself, a message protobuf. */
  readonly content: Uint8Array;
}

/** A message protobuf: `conversation`, or `extendedTextMessage` when it quotes another message. */
export function textContent(text: string, quoted: Quoted | null): Uint8Array {
  return proto.Message.encode(
    quoted === null
      ? { conversation: text }
      : {
          extendedTextMessage: {
            text,
            contextInfo: {
              stanzaId: quoted.messageId,
              participant: quoted.author,
              quotedMessage: proto.Message.decode(quoted.content),
            },
          },
        },
  ).finish();
}
