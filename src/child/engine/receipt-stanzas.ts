/** Reads the receipts that WhatsApp relays for messages of this account: pure. */
import { areJidsSameUser, isJidGroup, jidNormalizedUser, type BinaryNode } from '@whiskeysockets/baileys';
import type { ReceiptFacts } from '../events/receipts.ts';

/** A receipt without a type tells that a message was delivered; the other types tell nothing of how far one has come. */
const statuses: Readonly<Record<string, ReceiptFacts['status']>> = {
  read: 'read',
  'read-self': 'read',
  played: 'played',
};

/** What a `<receipt>` tells of the account's own messages; `now` in unix milliseconds, for one without a time. */
export function readReceiptStanza(
  { attrs, content }: BinaryNode,
  own: { readonly id: string; readonly lid: string },
  now: number,
): readonly ReceiptFacts[] {
  const { id, from, participant, recipient, type, t } = attrs;
  const status = type === undefined ? 'delivered' : statuses[type];
  // A recipient is named when the account itself has read what somebody else wrote.
  if (status === undefined || from === undefined || recipient !== undefined) return [];
  const isGroup = isJidGroup(from) === true;
  const reader = isGroup ? participant : from;
  if (reader === undefined) return [];
  if (!isGroup && [own.id, own.lid].some((jid) => areJidsSameUser(jid, reader))) return [];
  const seconds = Number(t);
  const facts = {
    from: jidNormalizedUser(reader),
    group: isGroup ? from : null,
    status,
    at: seconds > 0 ? seconds * 1000 : now,
  };
  return [id, ...listed(content)].flatMap((messageId) => (messageId ? [{ messageId, ...facts }] : []));
}

/** Receipts of several messages at once name the others in a list. */
function listed(content: BinaryNode['content']): readonly (string | undefined)[] {
  const [list] = Array.isArray(content) ? content : [];
  return Array.isArray(list?.content) ? list.content.map(({ attrs }) => attrs['id']) : [];
}
