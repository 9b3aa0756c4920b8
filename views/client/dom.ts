/** Small ways to reach and make elements. */

/** The first element of that kind below `root`, or null. */
export function find<Kind extends Element>(
  root: ParentNode,
  selector: string,
  kind: new (...args: never[]) => Kind,
): Kind | null {
  const found = root.querySelector(selector);
  return found instanceof kind ? found : null;
}

/** All HTML elements that match. */
export function all(root: ParentNode, selector: string): readonly HTMLElement[] {
  return [...root.querySelectorAll(selector)].filter((each) => each instanceof HTMLElement);
}

interface Attributes {
  readonly class?: string;
  readonly text?: string;
  readonly [name: string]: string | undefined;
}

/** A new element; text is text, never markup. */
export function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  { text, ...attributes }: Attributes = {},
  children: readonly Node[] = [],
): HTMLElementTagNameMap[Tag] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) if (value !== undefined) made.setAttribute(name, value);
  if (text !== undefined) made.textContent = text;
  made.append(...children);
  return made;
}

/** Markup of this gateway's own templates as nodes. */
export function nodesOf(markup: string): DocumentFragment {
  const template = document.createElement('template');
  template.innerHTML = markup;
  return template.content;
}
