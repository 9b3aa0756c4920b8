// The lean child is made out of other people's files by rewriting them. A rewrite that silently does nothing would be a
// security hole or a leak: whatever is not as expected ends the build with a sentence.

export class UnexpectedShape extends Error {
  constructor(file, expectation) {
    super(
      `${file} does not have the shape that the lean child's build expects: ${expectation}. ` +
        'The library has changed; look at scripts/lean before this version of it is used.',
    );
    this.name = 'UnexpectedShape';
  }
}

/** Replaces a text that must occur exactly once; white space may differ. */
export function replaceOnce(text, { file, find, by }) {
  const pattern = new RegExp(find.trim().split(/\s+/).map(escape).join('\\s+'), 'g');
  const found = [...text.matchAll(pattern)];
  if (found.length !== 1) {
    throw new UnexpectedShape(file, `"${find.trim()}" should stand there once, and does ${found.length} times`);
  }
  return text.replace(pattern, () => by);
}

function escape(text) {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
