/**
 * Renews a list item by item: `data-keyed` on the list, `data-key` and `data-version` on its items. What has not changed
 * stays as it is, so that a picture is not fetched again and nothing that plays is interrupted. Items before those that
 * the server knows of were loaded by somebody who scrolled up; they stay, too.
 */
import { all } from './dom.ts';

const keyOf = (item: Element): string => item.getAttribute('data-key') ?? '';
const versionOf = (item: Element): string => item.getAttribute('data-version') ?? '';

export function renewKeyed(list: HTMLElement, fresh: DocumentFragment): void {
  const shown = new Map(all(list, ':scope > [data-key]').map((item) => [keyOf(item), item]));
  const news = [...fresh.children];
  const keys = new Set(news.map(keyOf));
  const first = news.find((item) => shown.has(keyOf(item)));
  let isBefore = first !== undefined;
  for (const [key, item] of shown) {
    if (keys.has(key)) isBefore = false;
    else if (!isBefore) item.remove();
  }
  let next: Element | null = null;
  for (const item of news.toReversed()) {
    const old = shown.get(keyOf(item));
    if (old === undefined) list.insertBefore(item, next);
    else if (versionOf(old) !== versionOf(item)) old.replaceWith(item);
    next = old?.isConnected === true ? old : item;
  }
}
