/** Pure: whether a secret that somebody chose can be guessed. */

const published =
  /change[-_ ]?(me|this|it)|your[-_ ]|example|default|placeholder|super[-_ ]?secret|^(secret|password|admin)/i;
const fewestDifferentCharacters = 8;

/** Why a secret is refused, as the end of a sentence ("must …"), or null when it may be used. */
export function secretWeakness(secret: string, shortest: number): string | null {
  if (secret.length < shortest) return `must have at least ${shortest} characters`;
  if (published.test(secret)) return 'must not be a value from an example; leave it out to have one generated';
  if (new Set(secret).size < fewestDifferentCharacters) {
    return `must have at least ${fewestDifferentCharacters} different characters`;
  }
  return null;
}
