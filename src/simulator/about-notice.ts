/** Tells those who know a person of its new "about" text: the notice carries the text itself. */
import { lidJid, pnJid } from './jid.ts';
import type { ContactSettings } from './state/contact-settings.ts';
import type { SimulatorContext, User } from './types.ts';
import { element } from './wire/node.ts';

export interface AboutNoticeParts {
  readonly context: SimulatorContext;
  readonly settings: ContactSettings;
}

export function tellAbout({ context, settings }: AboutNoticeParts, user: User, about: string): void {
  const from = settings.of(user).addressing === 'lid' ? lidJid(user.lid) : pnJid(user.pn);
  const t = String(Math.floor(context.clock.now() / 1000));
  for (const watcher of context.watchers.of(user)) {
    if (watcher === user) continue;
    for (const device of watcher.devices.values()) {
      const attrs = { from, type: 'status', id: context.stanzaId(), t };
      context.notify(device, element('notification', attrs, [element('set', {}, Buffer.from(about, 'utf8'))]));
    }
  }
}
