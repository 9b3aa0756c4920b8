/**
 * Parts that take a while: `data-load` is loaded when the page is open, `data-load-again="name"` on a button loads it
 * again, and a form with `data-fills="name"` puts its fields into the address and loads the part for them.
 */
import { all, element, find } from './dom.ts';
import { renewPart } from './parts.ts';

export function serveLazyParts(): void {
  for (const part of all(document, '[data-part][data-load]')) void load(part);
  document.addEventListener('click', ({ target }) => {
    const button = target instanceof Element ? target.closest('[data-load-again]') : null;
    if (button instanceof HTMLElement) void loadNamed(button.dataset['loadAgain'] ?? '');
  });
  document.addEventListener('submit', (event) => {
    const { target: form } = event;
    if (!(form instanceof HTMLFormElement) || form.dataset['fills'] === undefined) return;
    event.preventDefault();
    const url = new URL(location.href);
    for (const [name, value] of new FormData(form)) {
      // The part alone is loaded, not all of the page.
      if (name !== 'all' && typeof value === 'string') url.searchParams.set(name, value.replaceAll('\r\n', '\n'));
    }
    history.replaceState(null, '', url);
    void loadNamed(form.dataset['fills']);
  });
}

async function loadNamed(name: string): Promise<void> {
  const part = find(document, `[data-part="${CSS.escape(name)}"]`, HTMLElement);
  if (part) await load(part);
}

async function load(part: HTMLElement): Promise<void> {
  delete part.dataset['markup'];
  const words = 'Asking WhatsApp…';
  const waiting = element('p', { class: 'row quiet', role: 'status' }, [
    element('progress', { 'aria-label': words }),
    element('span', { text: words }),
  ]);
  part.replaceChildren(waiting);
  await renewPart(part);
  if (!waiting.isConnected) return;
  const again = element('button', {
    class: 'button button-small',
    type: 'button',
    'data-load-again': part.dataset['part'],
    text: 'Try again',
  });
  part.replaceChildren(element('p', { class: 'row', role: 'alert' }, [document.createTextNode('The gateway cannot be reached.'), again]));
}
