/**
 * Which chat a message belongs to. A copy that is sent again to one of the sender's own devices is addressed to that
 * device and may not name the chat; the server knows it from the first time.
 */
import { parseJid } from '../jid.ts';
import type { BinaryNode, Device } from '../types.ts';

const REMEMBERED = 5_000;

export class Destinations {
  readonly #byMessage = new Map<string, string>();

  /** JID of the chat of a message stanza that `sender` wrote. */
  of(sender: Device, node: BinaryNode): string {
    const to = node.attrs['to'] ?? '';
    const named = node.attrs['recipient'];
    if (named !== undefined) return named;
    const key = `${sender.user.lid}/${node.attrs['id'] ?? ''}`;
    const isToOwnDevice = isOwn(to, sender) && (parseJid(to)?.device ?? 0) !== 0;
    if (isToOwnDevice) return this.#byMessage.get(key) ?? to;
    this.#byMessage.delete(key);
    this.#byMessage.set(key, to);
    if (this.#byMessage.size > REMEMBERED) {
      for (const oldest of this.#byMessage.keys()) {
        this.#byMessage.delete(oldest);
        break;
      }
    }
    return to;
  }
}

function isOwn(jid: string, sender: Device): boolean {
  const user = parseJid(jid)?.user;
  return user === sender.user.pn || user === sender.user.lid;
}
