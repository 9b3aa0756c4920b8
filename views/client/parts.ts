/**
 * Keeps parts of a page true. A part is an element `data-part="name"`; the server renders it again on `?part=name`, when
 * an event of `data-on` arrives (`*` for any), or every `data-every` seconds while the page can be seen.
 */
import { all, nodesOf } from './dom.ts';
import { renewKeyed } from './keyed.ts';
import { onEvent, onLive } from './live.ts';
import { released } from './press.ts';

const settleMs = 300;
const replaced = new Set<(part: HTMLElement) => void>();

/** Calls back for every part that was renewed: what a script has added to it is gone. */
export function onPart(listener: (part: HTMLElement) => void): void {
  replaced.add(listener);
}

export function keepParts(): void {
  for (const part of all(document, '[data-part]')) keepPart(part);
}

/** Renders a part again now. */
export async function renewPart(part: HTMLElement): Promise<void> {
  const url = new URL(location.href);
  url.searchParams.set('part', part.dataset['part'] ?? '');
  const answer = await fetch(url, { credentials: 'same-origin' }).catch(() => null);
  if (answer === null) return;
  if (answer.status === 401) {
    location.reload();
    return;
  }
  if (!answer.ok) return;
  const markup = await answer.text();
  await released();
  if (part.dataset['markup'] === markup || isBusy(part)) return;
  const focused = document.activeElement instanceof HTMLElement ? document.activeElement.id : '';
  const open = all(part, 'details[open]').map((each) => each.id);
  if (part.dataset['keyed'] === undefined) part.replaceChildren(nodesOf(markup));
  else renewKeyed(part, nodesOf(markup));
  part.dataset['markup'] = markup;
  for (const id of open) if (id !== '') document.getElementById(id)?.setAttribute('open', '');
  if (focused !== '') document.getElementById(focused)?.focus({ preventScroll: true });
  for (const listener of replaced) listener(part);
}

function keepPart(part: HTMLElement): void {
  const { on, every } = part.dataset;
  let timer: number | null = null;
  const soon = (): void => {
    timer ??= setTimeout(() => {
      timer = null;
      void renewPart(part);
    }, settleMs);
  };
  const names = new Set((on ?? '').split(' ').filter((name) => name !== ''));
  if (names.size > 0) {
    onEvent(({ name }) => (names.has('*') || names.has(name) ? soon() : undefined));
    onLive(soon);
  }
  if (every !== undefined) {
    setInterval(() => {
      if (!document.hidden) soon();
    }, Number(every) * 1000);
  }
  document.addEventListener('visibilitychange', () => {
    if (!document.hidden && (names.size > 0 || every !== undefined)) soon();
  });
}

/** Somebody is typing or has a menu open in it: it is left alone until the next time. */
function isBusy(part: HTMLElement): boolean {
  const focused = document.activeElement;
  const isTyping = focused instanceof HTMLInputElement || focused instanceof HTMLTextAreaElement;
  return isTyping && part.contains(focused) && focused.type !== 'checkbox';
}
