/** Whose address is whose: WhatsApp writes from LIDs, people know phone numbers. */
import {
  isJidGroup,
  isLidUser,
  isPnUser,
  jidNormalizedUser,
  type WAMessageKey,
  type WASocket,
} from '@whiskeysockets/baileys';
import { WardenError } from '../../contract/errors.ts';

/** The addresses of a message: phone-number JIDs wherever they are known. */
export interface Addresses {
  readonly chat: string;
  readonly sender: string;
  readonly senderLid: string | null;
}

/** Resolves the addresses of a message's key; asks the stored mappings when the stanza did not bring both forms. */
export async function addressesOf(sock: WASocket, key: WAMessageKey): Promise<Addresses> {
  const remote = jidNormalizedUser(key.remoteJid ?? '');
  const ownPn = jidNormalizedUser(sock.user?.id ?? '');
  const ownLid = sock.user?.lid === undefined ? null : jidNormalizedUser(sock.user.lid);
  if (isJidGroup(remote) === true) {
    if (key.fromMe === true) return { chat: remote, sender: ownPn, senderLid: ownLid };
    const author = await bothForms(sock, key.participant ?? undefined, key.participantAlt);
    return { chat: remote, sender: author.pn ?? author.lid ?? remote, senderLid: author.lid };
  }
  const other = await bothForms(sock, remote, key.remoteJidAlt);
  const chat = other.pn ?? other.lid ?? remote;
  if (key.fromMe === true) return { chat, sender: ownPn, senderLid: ownLid };
  return { chat, sender: chat, senderLid: other.lid };
}

/** The account's own phone-number JID. Throws `session_not_connected` before it has one. */
export function ownJid(sock: WASocket): string {
  const id = sock.user?.id;
  if (id === undefined) throw new WardenError('session_not_connected');
  return jidNormalizedUser(id);
}

/** The account's own addresses: phone-number JID and LID. */
export function ownAddresses(sock: WASocket): ReadonlySet<string> {
  return new Set([sock.user?.id, sock.user?.lid].flatMap((jid) => (jid ? [jidNormalizedUser(jid)] : [])));
}

/** A phone-number JID for any address, or the address itself when WhatsApp does not disclose the number. */
export async function phoneJidOf(sock: WASocket, jid: string): Promise<string> {
  const { pn, lid } = await bothForms(sock, jid, undefined);
  return pn ?? lid ?? jidNormalizedUser(jid);
}

interface BothForms {
  readonly pn: string | null;
  readonly lid: string | null;
}

async function bothForms(sock: WASocket, jid: string | undefined, alternative: string | undefined): Promise<BothForms> {
  const known = [jid, alternative].flatMap((each) => (each ? [jidNormalizedUser(each)] : []));
  const pn = known.find((each) => isPnUser(each) === true) ?? null;
  const lid = known.find((each) => isLidUser(each) === true) ?? null;
  if (pn !== null || lid === null) return { pn, lid };
  const mapped = await sock.signalRepository.lidMapping.getPNForLID(lid);
  return { pn: mapped === null ? null : jidNormalizedUser(mapped), lid };
}
