/**
 * Who a number turned out to be on WhatsApp, as it is kept among a session's keys: the child writes it when it resolves
 * a recipient, the gateway reads it when somebody names a chat by that number. Hence a text that both can read.
 */
import { trusted } from './trusted.ts';

/** The key type under which resolved recipients are kept; the id is the JID as it was written. */
export const recipientKeyType = 'recipient';

export interface KnownRecipient {
  /** The JID that WhatsApp has for it: national forms may differ from what was typed. */
  readonly jid: string;
  readonly lid: string | null;
}

export function writeRecipient(recipient: KnownRecipient): Uint8Array {
  const { jid, lid } = recipient;
  return new TextEncoder().encode(JSON.stringify({ jid, lid }));
}

/** What `writeRecipient` wrote. */
export function readRecipient(bytes: Uint8Array): KnownRecipient {
  return trusted<KnownRecipient>(JSON.parse(new TextDecoder().decode(bytes)));
}
