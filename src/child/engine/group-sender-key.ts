/** The key with which the account writes into a group, shared with all of its members. */
import { jidDecode, type SignalDataSet, type WASocket } from '@whiskeysockets/baileys';
import type { GroupNotice } from './group-notices.ts';

/** Whether somebody who may know the key is no member any more. */
export function endsMembership({ changes }: GroupNotice): boolean {
  return changes.some(
    (change) => change.tag === 'participants' && (change.action === 'remove' || change.action === 'leave'),
  );
}

/**
 * Forgets the key, so that the next message begins with a new one for those who are members then. WhatsApp's own clients
 * do so when somebody leaves; the library never does. Sends exclude each other by the account's id, and this by them.
 */
export async function renewSenderKey(sock: WASocket, group: string): Promise<void> {
  const { creds, keys } = sock.authState;
  const { me } = creds;
  if (me === undefined) return;
  const names = [me.id, me.lid].flatMap((jid) => (jid ? senderKeyName(group, jid) : []));
  const forgotten: SignalDataSet = {
    'sender-key': Object.fromEntries(names.map((name) => [name, null])),
    'sender-key-memory': { [group]: null },
  };
  await keys.transaction(async () => keys.set(forgotten), me.id);
}

/** As the library names a sender key: the group, the user with a mark for LIDs, the device. */
function senderKeyName(group: string, jid: string): readonly string[] {
  const decoded = jidDecode(jid);
  if (decoded === undefined) return [];
  const user = decoded.server === 'lid' ? `${decoded.user}_1` : decoded.user;
  return [`${group}::${user}::${decoded.device ?? 0}`];
}
