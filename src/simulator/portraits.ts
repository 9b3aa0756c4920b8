/** The pictures of people and groups as others get to see them: who may, where to fetch them, who is told of a new one. */
import type { GroupDesk } from './groups/group-desk.ts';
import { addressIn } from './groups/group-stanzas.ts';
import { lidJid, pnJid } from './jid.ts';
import type { Blocklist } from './state/blocklist.ts';
import type { ContactSettings } from './state/contact-settings.ts';
import type { Group } from './state/groups.ts';
import type { Picture, Pictures } from './state/pictures.ts';
import type { Privacy } from './state/privacy.ts';
import type { Profiles } from './state/profiles.ts';
import type { BinaryNode, SimulatorContext, User } from './types.ts';
import { element } from './wire/node.ts';

export interface PortraitParts {
  readonly context: SimulatorContext;
  readonly pictures: Pictures;
  readonly profiles: Profiles;
  readonly privacy: Privacy;
  readonly blocklist: Blocklist;
  readonly settings: ContactSettings;
  readonly desk: GroupDesk;
}

export class Portraits {
  readonly #parts: PortraitParts;

  constructor(parts: PortraitParts) {
    this.#parts = parts;
  }

  of(subject: User | Group): Picture | undefined {
    return this.#parts.pictures.of(keyOf(subject));
  }

  isVisible(subject: User | Group, asking: User): boolean {
    if (!('pn' in subject) || subject === asking) return true;
    const { profiles, privacy, blocklist } = this.#parts;
    const isHidden = profiles.of(subject).isPictureHidden || privacy.of(subject, 'profile') === 'none';
    return !isHidden && !blocklist.has(subject, asking);
  }

  /** Plain HTTP at the control API, no token needed: the file's name is the secret, as with WhatsApp's own. */
  url(picture: Picture): string {
    return `${this.#parts.context.controlUrl()}/pictures/${picture.file}`;
  }

  set(subject: User | Group, author: User, bytes: Uint8Array): Picture {
    const picture = this.#parts.pictures.set(keyOf(subject), bytes);
    this.#tell(subject, author, (jid, by) => element('set', { jid, id: picture.id, author: by }));
    return picture;
  }

  remove(subject: User | Group, author: User): void {
    if (!this.#parts.pictures.remove(keyOf(subject))) return;
    this.#tell(subject, author, (jid, by) => element('delete', { jid, author: by }));
  }

  #tell(subject: User | Group, author: User, child: (jid: string, author: string) => BinaryNode): void {
    const { context, settings, desk } = this.#parts;
    if (!('pn' in subject)) {
      const by = addressIn(context.directory, subject.addressing, author);
      desk.tellAll(subject, { actor: author, type: 'picture', node: child(subject.jid, by) });
      return;
    }
    const from = settings.of(subject).addressing === 'lid' ? lidJid(subject.lid) : pnJid(subject.pn);
    const t = String(Math.floor(context.clock.now() / 1000));
    for (const watcher of context.watchers.of(subject)) {
      if (!this.isVisible(subject, watcher)) continue;
      for (const device of watcher.devices.values()) {
        const attrs = { from, type: 'picture', id: context.stanzaId(), t };
        context.notify(device, element('notification', attrs, [child(from, from)]));
      }
    }
  }
}

function keyOf(subject: User | Group): string {
  return 'pn' in subject ? subject.lid : subject.jid;
}
