/** Identifiers as branded types with their parsers; a parser answers null for what is not one. No zod: children import this. */
declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

export type SessionId = Branded<'SessionId'>;
/** A normalised JID without device part: `<digits>@s.whatsapp.net`, `<digits>@lid`, `<id>@g.us` or `<id>@newsletter`. */
export type Jid = Branded<'Jid'>;
/** A WhatsApp message id: chosen by the sender, upper-case hexadecimal for those we choose. */
export type MessageId = Branded<'MessageId'>;

export const sessionIdPattern = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;
export const messageIdPattern = /^[A-Za-z0-9._:-]{4,128}$/;

export function parseSessionId(text: string): SessionId | null {
  return sessionIdPattern.test(text) ? (text as SessionId) : null;
}

export function parseMessageId(text: string): MessageId | null {
  return messageIdPattern.test(text) ? (text as MessageId) : null;
}

/**
 * Reads a recipient as people type it: digits in international form with `+`, spaces, dashes, dots, brackets or a
 * leading `00`, or a JID of any server WhatsApp knows (`@c.us` becomes `@s.whatsapp.net`). A device suffix is stripped.
 */
export function parseJid(text: string): Jid | null {
  const trimmed = text.trim();
  const at = trimmed.lastIndexOf('@');
  if (at === -1) {
    const digits = parsePhone(trimmed);
    return digits === null ? null : (`${digits}@s.whatsapp.net` as Jid);
  }
  const server = trimmed.slice(at + 1).toLowerCase();
  const user = trimmed.slice(0, at);
  switch (server) {
    case 's.whatsapp.net':
    case 'c.us': {
      const digits = parsePhone(withoutDevice(user));
      return digits === null ? null : (`${digits}@s.whatsapp.net` as Jid);
    }
    case 'lid': {
      const digits = withoutDevice(user);
      return /^\d{1,20}$/.test(digits) ? (`${digits}@lid` as Jid) : null;
    }
    case 'g.us':
      return /^\d{5,25}(-\d{5,20})?$/.test(user) ? (`${user}@g.us` as Jid) : null;
    case 'newsletter':
      return /^\d{5,25}$/.test(user) ? (`${user}@newsletter` as Jid) : null;
    default:
      return null;
  }
}

/** The digits of a phone number in international form (7 to 15 of them, E.164), or null. */
export function parsePhone(text: string): string | null {
  const compact = text.trim().replace(/[\s().\-\u2010-\u2015\u00a0]/g, '');
  const match = /^(?:\+|00)?(\d{7,15})$/.exec(compact);
  const digits = match?.[1];
  return digits === undefined || digits.startsWith('0') ? null : digits;
}

export const isGroupJid = (jid: string): boolean => jid.endsWith('@g.us');
export const isLidJid = (jid: string): boolean => jid.endsWith('@lid');
export const isPhoneJid = (jid: string): boolean => jid.endsWith('@s.whatsapp.net');

/** The user part of a JID, without device: the phone number of a phone-number JID. */
export function userOf(jid: string): string {
  const at = jid.indexOf('@');
  return withoutDevice(at === -1 ? jid : jid.slice(0, at));
}

function withoutDevice(user: string): string {
  return user.split(/[:_]/, 1)[0] ?? user;
}
