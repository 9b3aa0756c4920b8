/** The messages of a session: the chat stays at its end, older messages come in front, and the forms send. */
import { serveComposer } from './composer.ts';
import { keepCountdowns } from './countdown.ts';
import { all, element, find, nodesOf } from './dom.ts';
import { nameGroups } from './group-names.ts';
import { serveMessageDialog } from './message-dialog.ts';
import { onPart } from './parts.ts';
import { toast } from './toasts.ts';

const nearEndPx = 80;
const session = document.body.dataset['session'] ?? '';

serveComposer(session);
serveMessageDialog();
nameGroups(session);
keepCountdowns();
keepAtEnd();
serveOlder();
explainMissingMedia();

function keepAtEnd(): void {
  const scroll = find(document, '[data-scroll]', HTMLElement);
  if (scroll === null) return;
  let isAtEnd = true;
  const toEnd = (): void => void (scroll.scrollTop = scroll.scrollHeight);
  scroll.addEventListener('scroll', () => {
    isAtEnd = scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < nearEndPx;
  });
  // Pictures take their room when they have come.
  scroll.addEventListener('load', () => (isAtEnd ? toEnd() : undefined), true);
  onPart((part) => (isAtEnd && part.dataset['part'] === 'thread' ? toEnd() : undefined));
  toEnd();
}

function serveOlder(): void {
  const link = find(document, 'a[data-older]', HTMLAnchorElement);
  const list = find(document, '[data-part="thread"]', HTMLElement);
  const scroll = find(document, '[data-scroll]', HTMLElement);
  if (link === null || list === null || scroll === null) return;
  link.addEventListener('click', (event) => {
    event.preventDefault();
    if (link.getAttribute('aria-busy') !== null) return;
    link.setAttribute('aria-busy', 'true');
    void older(link.href).then((page) => {
      link.removeAttribute('aria-busy');
      if (page === null) {
        toast('bad', 'Older messages could not be loaded.');
        return;
      }
      const height = scroll.scrollHeight;
      list.prepend(...page.items);
      scroll.scrollTop += scroll.scrollHeight - height;
      if (page.next === null) link.parentElement?.remove();
      else link.href = page.next;
    });
  });
}

/** The messages of a page of this chat, and where those before them are. */
async function older(href: string): Promise<{ readonly items: readonly Element[]; readonly next: string | null } | null> {
  const answer = await fetch(href, { credentials: 'same-origin' }).catch(() => null);
  if (answer?.ok !== true) return null;
  const page = nodesOf(await answer.text());
  const items = [...(page.querySelector('[data-part="thread"]')?.children ?? [])];
  return { items, next: page.querySelector('a[data-older]')?.getAttribute('href') ?? null };
}

/** A file that WhatsApp no longer has is said to be gone, in place of a broken picture. */
function explainMissingMedia(): void {
  const explain = (target: EventTarget | null): void => {
    if (!(target instanceof HTMLImageElement || target instanceof HTMLMediaElement)) return;
    const place = target.closest('.bubble-media');
    place?.replaceWith(element('p', { class: 'quiet bubble-mark', text: 'The file cannot be loaded.' }));
  };
  document.addEventListener('error', ({ target }) => explain(target), true);
  // What failed before this script was there.
  for (const image of all(document, '.bubble-media img')) {
    if (image instanceof HTMLImageElement && image.complete && image.naturalWidth === 0 && image.currentSrc !== '') explain(image);
  }
}
