/** Tells sessions what others do at this moment: be online, be away, type, record. Nothing of it is kept for later. */
import { addressIn } from './groups/group-stanzas.ts';
import { lidJid, pnJid } from './jid.ts';
import type { Blocklist } from './state/blocklist.ts';
import type { ContactSettings } from './state/contact-settings.ts';
import type { Group } from './state/groups.ts';
import type { PresenceBook } from './state/presence.ts';
import type { Privacy } from './state/privacy.ts';
import type { BinaryNode, Connection, SimulatorContext, User } from './types.ts';
import { element } from './wire/node.ts';

export type TypingState = 'composing' | 'recording' | 'paused';

export interface Typing {
  readonly writer: User;
  readonly state: TypingState;
  /** Null for a chat of two. */
  readonly group: Group | null;
}

export interface PresenceRelayParts {
  readonly context: SimulatorContext;
  readonly book: PresenceBook;
  readonly settings: ContactSettings;
  readonly privacy: Privacy;
  readonly blocklist: Blocklist;
}

export class PresenceRelay {
  readonly #parts: PresenceRelayParts;

  constructor(parts: PresenceRelayParts) {
    this.#parts = parts;
  }

  /** Tells everybody who has subscribed to the person; answers how many sessions were told. */
  announce(user: User): number {
    let told = 0;
    for (const connection of this.#parts.context.connections.all()) if (this.tell(connection, user)) told += 1;
    return told;
  }

  /** Tells one session, when it has subscribed and is itself online. */
  tell(connection: Connection, user: User): boolean {
    const { book, blocklist } = this.#parts;
    const jid = book.subscription(connection, user);
    if (jid === undefined || !book.isAvailable(connection)) return false;
    if (blocklist.has(connection.device.user, user)) return false;
    return connection.send(this.#presenceNode(user, connection.device.user, jid));
  }

  /** Tells the sessions of an account, of those that are online, that somebody types; answers how many were told. */
  typing(to: User, { writer, state, group }: Typing): number {
    const { context, book, blocklist } = this.#parts;
    if (group === null && blocklist.has(to, writer)) return 0;
    const node = this.#typingNode({ writer, state, group });
    let told = 0;
    for (const device of to.devices.values()) {
      const connection = context.connections.of(device);
      if (connection === undefined || !book.isAvailable(connection)) continue;
      if (connection.send(node)) told += 1;
    }
    return told;
  }

  #presenceNode(user: User, asking: User, jid: string): BinaryNode {
    const { book, privacy, blocklist } = this.#parts;
    const isHidden = blocklist.has(user, asking);
    const { isAvailable, lastSeen } = book.of(user);
    if (isAvailable && !isHidden && privacy.of(user, 'online') === 'all') return element('presence', { from: jid });
    const isTold = !isHidden && lastSeen !== null && privacy.of(user, 'last') === 'all';
    return element('presence', { from: jid, type: 'unavailable', last: isTold ? String(lastSeen) : 'deny' });
  }

  #typingNode({ writer, state, group }: Typing): BinaryNode {
    const { context, settings } = this.#parts;
    const own = settings.of(writer).addressing === 'lid' ? lidJid(writer.lid) : pnJid(writer.pn);
    const attrs =
      group === null
        ? { from: own }
        : { from: group.jid, participant: addressIn(context.directory, group.addressing, writer) };
    const child = state === 'recording' ? element('composing', { media: 'audio' }) : element(state);
    return element('chatstate', attrs, [child]);
  }
}
