/** Addresses on the wire: `<user>[:<device>]@<server>`, phone numbers under `s.whatsapp.net`, LIDs under `lid`. */

export interface ParsedJid {
  /** Digits; empty for the server's own address. */
  readonly user: string;
  /** 0 is the phone itself. */
  readonly device: number;
  readonly server: string;
}

/** Reads a JID; undefined when it has no server part. The agent part (`_1`) that Baileys may write is dropped. */
export function parseJid(jid: string): ParsedJid | undefined {
  const at = jid.indexOf('@');
  if (at === -1) return undefined;
  const [account = '', device = '0'] = jid.slice(0, at).split(':');
  return { user: account.split('_')[0] ?? '', device: Number(device) || 0, server: jid.slice(at + 1) };
}

/** `<pn>[:<device>]@s.whatsapp.net`; device 0 is not written. */
export function pnJid(pn: string, device = 0): string {
  return device === 0 ? `${pn}@s.whatsapp.net` : `${pn}:${device}@s.whatsapp.net`;
}

/** `<lid>[:<device>]@lid`; device 0 is not written. */
export function lidJid(lid: string, device = 0): string {
  return device === 0 ? `${lid}@lid` : `${lid}:${device}@lid`;
}

/** The digits of a phone number as people write it; undefined when it is not one (7 to 15 digits). */
export function phoneDigits(written: string): string | undefined {
  const digits = written.replace(/^\+/, '').replaceAll(/[\s().-]/g, '');
  return /^[1-9]\d{6,14}$/.test(digits) ? digits : undefined;
}
