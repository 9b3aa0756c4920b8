/**
 * Who a recipient is on WhatsApp. A send succeeds silently although nobody gets it when the number is unknown or its
 * devices could not be looked up, so both are settled before anything is encrypted.
 */
import { jidNormalizedUser, type WASocket } from '@whiskeysockets/baileys';
import { WardenError } from '../../contract/errors.ts';
import { isPhoneJid, userOf } from '../../contract/ids.ts';
import type { StoreClient } from '../store-client.ts';
import { answered, normaliseFailure } from './failures.ts';
import { readValue, writeValue } from './values.ts';

/** The key type under which resolved numbers are kept. */
const recipientType = 'recipient';
const lookup = 'look up the recipient';

interface KnownRecipient {
  /** The JID that WhatsApp has for the number: national forms may differ from what was typed. */
  readonly jid: string;
}

export class Recipients {
  readonly #store: StoreClient;

  constructor(store: StoreClient) {
    this.#store = store;
  }

  /** The JID to send to. Throws `recipient_not_on_whatsapp`, `whatsapp_timeout` or `session_not_connected`. */
  async resolve(sock: WASocket, jid: string): Promise<string> {
    if (!isPhoneJid(jid)) return jid;
    const digits = userOf(jid);
    const known = (await this.#store.get(recipientType, [digits]))[digits];
    if (known !== undefined) return readValue<KnownRecipient>(known).jid;
    const found = await this.#ask(sock, jid);
    if (found === null) throw notOnWhatsApp(jid);
    const recipient: KnownRecipient = { jid: found };
    await this.#store.set({ [recipientType]: { [digits]: writeValue(recipient) } }, null);
    return found;
  }

  /**
   * Makes sure that the recipient has devices to encrypt for; the answer is cached for the send that follows. An empty
   * answer that came only after the query's time-out is a time-out.
   */
  async requireDevices(sock: WASocket, jid: string, queryTimeoutMs: number): Promise<void> {
    const startedAt = performance.now();
    const own = new Set([sock.user?.id, sock.user?.lid].flatMap((id) => (id === undefined ? [] : [userOf(id)])));
    if (own.has(userOf(jid))) return;
    try {
      const devices = await sock.getUSyncDevices([jid], true, false);
      if (devices.some((device) => !own.has(device.user))) return;
    } catch (error) {
      throw normaliseFailure(error, lookup);
    }
    if (performance.now() - startedAt >= queryTimeoutMs) answered(undefined, lookup);
    throw notOnWhatsApp(jid);
  }

  async #ask(sock: WASocket, jid: string): Promise<string | null> {
    try {
      const [result] = answered(await sock.onWhatsApp(jid), lookup);
      return result === undefined || !result.exists ? null : jidNormalizedUser(result.jid);
    } catch (error) {
      throw normaliseFailure(error, lookup);
    }
  }
}

function notOnWhatsApp(jid: string): WardenError {
  return new WardenError('recipient_not_on_whatsapp', {
    details: [
      { field: 'to', expected: 'a number that is registered on WhatsApp', received: `…${userOf(jid).slice(-4)}` },
    ],
  });
}
