/** Pure. Texts with `{{name}}` in them. */

const pattern = /\{\{\s*(\w{1,64})\s*\}\}/g;

/** The names in a text, each once, in their order. */
export function placeholdersOf(text: string): readonly string[] {
  return [...new Set([...text.matchAll(pattern)].flatMap(([, name]) => name ?? []))];
}

/** The text with values in place of names; a name without a value stays as it is. What a value holds is never filled. */
export function fill(text: string, variables: Readonly<Record<string, string>>): string {
  return text.replace(pattern, (whole, name: string) =>
    Object.hasOwn(variables, name) ? (variables[name] ?? whole) : whole,
  );
}
