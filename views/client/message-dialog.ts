/** The details of a message in a dialog over its chat, true while it is open. */
import { all, element, find, nodesOf } from './dom.ts';
import { onEvent } from './live.ts';

const changing = new Set(['message_sent', 'receipt', 'message_failed', 'message_edited', 'message_deleted']);
const settleMs = 300;

export function serveMessageDialog(): void {
  const opened = find(document, 'dialog[data-opened]', HTMLDialogElement);
  if (opened) {
    opened.removeAttribute('open');
    watch(opened, new URL(location.href), location.href);
  }
  document.addEventListener('click', (event) => {
    const link = event.target instanceof Element ? event.target.closest('a[data-open-message]') : null;
    if (!(link instanceof HTMLAnchorElement)) return;
    event.preventDefault();
    const dialog = element('dialog', { class: 'dialog message-dialog', 'aria-labelledby': 'message-title' });
    document.body.append(dialog);
    dialog.addEventListener('close', () => dialog.remove());
    watch(dialog, new URL(link.href), null);
  });
}

/** Shows a dialog of the address; what it is shown of is loaded unless it is there, and again when the message changes. */
function watch(dialog: HTMLDialogElement, url: URL, loaded: string | null): void {
  const load = async (): Promise<void> => {
    const part = new URL(url);
    part.searchParams.set('part', 'timeline');
    const answer = await fetch(part, { credentials: 'same-origin' }).catch(() => null);
    if (answer?.ok === true) dialog.replaceChildren(nodesOf(await answer.text()));
  };
  if (loaded === null) {
    dialog.replaceChildren(element('p', { id: 'message-title', class: 'quiet', text: 'Loading the message…' }));
    void load();
  }
  let timer: number | null = null;
  const end = onEvent(({ name }) => {
    if (!changing.has(name)) return;
    timer ??= setTimeout(() => {
      timer = null;
      void load();
    }, settleMs);
  });
  dialog.addEventListener('click', (event) => {
    const isClose = event.target instanceof Element && event.target.closest('[data-close-message]') !== null;
    if (!isClose && event.target !== dialog) return;
    event.preventDefault();
    dialog.close();
  });
  dialog.addEventListener('close', () => {
    end();
    if (timer !== null) clearTimeout(timer);
    forget();
  });
  dialog.showModal();
  all(dialog, '[data-close-message]')[0]?.focus();
}

/** A page that is loaded again does not open what was closed. */
function forget(): void {
  const url = new URL(location.href);
  if (!url.searchParams.has('message')) return;
  url.searchParams.delete('message');
  history.replaceState(null, '', url);
}
