/** Pure: text on its way into a column. */

/** Text as Postgres can keep it: NUL becomes U+FFFD, as lone surrogates do on their way to UTF-8. */
export function textOf<Text extends string | null>(text: Text): Text | string {
  return text === null ? text : text.replaceAll('\u0000', '\uFFFD');
}
