/**
 * Who a recipient is on WhatsApp. A send succeeds silently although nobody gets it when the number is unknown or its
 * devices could not be looked up, so both are settled before anything is encrypted.
 */
import { jidNormalizedUser, type WASocket } from '@whiskeysockets/baileys';
import { WardenError } from '../../contract/errors.ts';
import { isLidJid, isPhoneJid, userOf } from '../../contract/ids.ts';
import {
  readRecipient,
  recipientKeyType,
  writeRecipient,
  type KnownRecipient,
} from '../../contract/known-recipient.ts';
import type { StoreClient } from '../store-client.ts';
import { answered, normaliseFailure } from './failures.ts';
import { lookUp, type Answer, type Question } from './lookups.ts';

const lookup = 'look up the recipient';

/** Somebody as asked for, and what WhatsApp told. */
export interface Person {
  readonly asked: string;
  /** The phone-number JID where it is known, else the LID; null for a number that is not on WhatsApp. */
  readonly jid: string | null;
  readonly lid: string | null;
  readonly answer: Answer | null;
}

export class Recipients {
  readonly #store: Pick<StoreClient, 'get' | 'set'>;

  constructor(store: Pick<StoreClient, 'get' | 'set'>) {
    this.#store = store;
  }

  /** The JID to send to. Throws `recipient_not_on_whatsapp`, `whatsapp_timeout` or `session_not_connected`. */
  async resolve(sock: WASocket, jid: string): Promise<string> {
    return (await this.identify(sock, jid)).jid;
  }

  /** The same with the other address beside it; groups are what they are. Asks WhatsApp once per number. */
  async identify(sock: WASocket, jid: string): Promise<KnownRecipient> {
    if (isLidJid(jid)) return { jid: (await numberOf(sock, jid)) ?? jid, lid: jid };
    if (!isPhoneJid(jid)) return { jid, lid: null };
    const known = (await this.#store.get(recipientKeyType, [jid]))[jid];
    if (known !== undefined) return readRecipient(known);
    const [person] = await this.lookUp(sock, [jid], []);
    if (person === undefined || person.jid === null) throw notOnWhatsApp(jid);
    return { jid: person.jid, lid: person.lid };
  }

  /** The LID of a person, which WhatsApp's own lists are about. Null when WhatsApp does not tell it. */
  async lidOf(sock: WASocket, jid: string): Promise<string | null> {
    const { jid: resolved, lid } = await this.identify(sock, jid);
    return lid ?? (await this.lookUp(sock, [resolved], []))[0]?.lid ?? null;
  }

  /**
   * Asks WhatsApp anew who people are, with further questions about them, and remembers it. In the order given; nobody
   * is left out, whether on WhatsApp or not.
   */
  async lookUp(sock: WASocket, jids: readonly string[], questions: readonly Question[]): Promise<readonly Person[]> {
    const numbers = await Promise.all(
      jids.map(async (asked) => ({ asked, jid: isLidJid(asked) ? ((await numberOf(sock, asked)) ?? asked) : asked })),
    );
    const answers = await lookUp(
      sock,
      numbers.map(({ jid }) => jid),
      ['contact', 'lid', ...questions],
    );
    const people = numbers.map(({ asked, jid }, index): Person => {
      const answer = answers[index] ?? null;
      if (answer === null || answer.isRegistered === false) return { asked, jid: null, lid: null, answer: null };
      const lid = answer.lid ?? [asked, answer.jid].find(isLidJid) ?? null;
      return { asked, jid: answer.jid || jid, lid, answer };
    });
    await this.#remember(people);
    return people;
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

  async #remember(people: readonly Person[]): Promise<void> {
    const values = people.flatMap(({ asked, jid, lid }): [string, Uint8Array | null][] => {
      if (jid === null) return [[asked, null]];
      const value = writeRecipient({ jid, lid });
      const names = [asked, jid, ...(lid === null ? [] : [lid])].filter((name) => isPhoneJid(jid) || name === asked);
      return names.map((name) => [name, value]);
    });
    if (values.length > 0) await this.#store.set({ [recipientKeyType]: Object.fromEntries(values) }, null);
  }
}

/** The phone-number JID behind a LID, as far as it was ever disclosed. */
async function numberOf(sock: WASocket, lid: string): Promise<string | null> {
  const mapped = await sock.signalRepository.lidMapping.getPNForLID(lid);
  return mapped === null ? null : jidNormalizedUser(mapped);
}

export function notOnWhatsApp(jid: string, field = 'to'): WardenError {
  return new WardenError('recipient_not_on_whatsapp', {
    details: [{ field, expected: 'a number that is registered on WhatsApp', received: `…${userOf(jid).slice(-4)}` }],
  });
}
