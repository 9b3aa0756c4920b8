/** Names of groups that no event has told: asked of WhatsApp once, for the chats of this page. */
import { ask, listAt, textAt } from './ask.ts';
import { all } from './dom.ts';
import { onPart } from './parts.ts';

export function nameGroups(session: string): void {
  const names = new Map<string, string>();
  let asked = false;
  const nameless = (): readonly HTMLElement[] =>
    all(document, '[data-name$="@g.us"]').filter(({ textContent }) => textContent === 'Group');
  const show = (): void => {
    for (const place of nameless()) {
      const name = names.get(place.dataset['name'] ?? '');
      if (name !== undefined) place.textContent = name;
    }
    if (asked || nameless().length === 0) return;
    asked = true;
    ask(`/sessions/${encodeURIComponent(session)}/groups`)
      .then((answer) => {
        for (const group of listAt(answer, 'groups')) names.set(textAt(group, 'jid'), textAt(group, 'subject'));
        show();
      })
      // A session that is not connected cannot tell; the chats stay as they are.
      .catch(() => undefined);
  };
  onPart(show);
  show();
}
