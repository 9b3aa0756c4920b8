/** The account's blocklist. WhatsApp keeps it in LIDs; the number goes along when somebody is blocked. */
import {
  getBinaryNodeChild,
  getBinaryNodeChildren,
  jidNormalizedUser,
  S_WHATSAPP_NET,
  type WASocket,
} from '@whiskeysockets/baileys';
import { phoneJidOf } from './addresses.ts';
import { node, queryPeople } from './lookups.ts';

/** Blocked people: phone-number JIDs wherever they are known, LIDs otherwise. A time-out is an error. */
export async function readBlocklist(sock: WASocket): Promise<readonly string[]> {
  const query = node('iq', { to: S_WHATSAPP_NET, type: 'get', xmlns: 'blocklist' });
  const result = await queryPeople(sock, query, 'read the blocklist');
  const items = getBinaryNodeChildren(getBinaryNodeChild(result, 'list'), 'item');
  return Promise.all(
    items.map(async ({ attrs }) =>
      attrs['pn_jid'] === undefined ? phoneJidOf(sock, attrs['jid'] ?? '') : jidNormalizedUser(attrs['pn_jid']),
    ),
  );
}

/** `pn` is needed to block and left out to unblock. */
export async function changeBlocklist(
  sock: WASocket,
  change: { readonly action: 'block' | 'unblock'; readonly lid: string; readonly pn: string | null },
): Promise<void> {
  const { action, lid, pn } = change;
  const item = node('item', { action, jid: lid, ...(pn === null ? {} : { pn_jid: pn }) });
  await queryPeople(
    sock,
    node('iq', { to: S_WHATSAPP_NET, type: 'set', xmlns: 'blocklist' }, [item]),
    `${action} the contact`,
  );
}
