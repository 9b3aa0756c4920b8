/** The events of a page's stream as a list, the latest first: what a webhook would get. */
import { element } from './dom.ts';
import { onEvent, type LiveEvent } from './live.ts';
import { timeOf } from './times.ts';

const kept = 30;

export function keepEventLog(list: HTMLElement, names: ReadonlySet<string>): void {
  onEvent((event) => {
    if (!names.has(event.name)) return;
    list.querySelector('[data-event-none]')?.remove();
    list.prepend(entryOf(event));
    while (list.children.length > kept) list.lastElementChild?.remove();
  });
}

function entryOf({ name, data }: LiveEvent): HTMLElement {
  const summary = element('summary', {}, [
    element('code', { text: name }),
    element('span', { class: 'quiet' }, [timeOf(Math.floor(Date.now() / 1000))]),
  ]);
  const body = element('pre', { text: JSON.stringify(data, null, 2), tabindex: '0', 'aria-label': `Data of ${name}` });
  return element('li', {}, [element('details', {}, [summary, body])]);
}
