/** Pure. One message for many: which of its fields are filled for each recipient, and what is wrong with that. */
import type { ErrorDetail } from '../contract/errors.ts';
import { fill, placeholdersOf } from './placeholders.ts';

export type Fields = Readonly<Record<string, unknown>>;
export type Variables = Readonly<Record<string, string>>;

const filledFields = ['text', 'caption'] as const;
/** WhatsApp's own limit of a text. */
const maxCharacters = 65_536;
const mostDetails = 20;

/** The params of one recipient's send. */
export function paramsFor(template: Fields, to: string, variables: Variables): Fields {
  const filled = filledFields.flatMap((field) => {
    const text = template[field];
    return typeof text === 'string' ? [[field, fill(text, variables)] as const] : [];
  });
  return { ...template, ...Object.fromEntries(filled), to };
}

/** What keeps recipients from getting the message: a name without a value, a text that is empty or too long when filled. */
export function objectionsTo(
  template: Fields,
  recipients: readonly { readonly variables: Variables }[],
): readonly ErrorDetail[] {
  const texts = filledFields.flatMap((field) => {
    const text = template[field];
    return typeof text === 'string' ? [{ field, text, names: placeholdersOf(text) }] : [];
  });
  if (texts.every(({ names }) => names.length === 0)) return [];
  const details: ErrorDetail[] = [];
  for (const [index, { variables }] of recipients.entries()) {
    if (details.length >= mostDetails) break;
    for (const { field, text, names } of texts) {
      const missing = names.filter((name) => !Object.hasOwn(variables, name));
      for (const name of missing) {
        details.push({
          field: `recipients[${index}].variables.${name}`,
          expected: `a value for {{${name}}} of message.${field}`,
          received: 'nothing',
        });
      }
      if (missing.length > 0) continue;
      const { length } = fill(text, variables);
      if (length > 0 && length <= maxCharacters) continue;
      const expected = `values with which message.${field} has 1 to ${maxCharacters} characters`;
      details.push({ field: `recipients[${index}].variables`, expected, received: `${length} characters` });
    }
  }
  return details;
}

export interface Recipient {
  readonly to: string;
  readonly variables: Variables;
}

/** Recipients in their order, with whether the same one was named before. */
export function markDuplicates<Each extends Recipient>(
  recipients: readonly Each[],
): readonly (Each & { readonly isDuplicate: boolean })[] {
  const seen = new Set<string>();
  return recipients.map((recipient) => {
    const isDuplicate = seen.has(recipient.to);
    seen.add(recipient.to);
    return { ...recipient, isDuplicate };
  });
}
