/** Contact cards as WhatsApp sends them: vCard 3.0 (RFC 2426), with the number on WhatsApp as `waid`. Pure. */

export interface ContactCard {
  readonly display_name: string;
  readonly organization?: string | undefined;
  /** Numbers are digits in international form, types single words. */
  readonly phones: readonly { readonly number: string; readonly phone_type: string }[];
}

export function vcard(card: ContactCard): string {
  const name = escapeText(card.display_name);
  const organization = card.organization ? [`ORG:${escapeText(card.organization)}`] : [];
  return [
    'BEGIN:VCARD',
    'VERSION:3.0',
    `N:;${name};;;`,
    `FN:${name}`,
    ...organization,
    ...card.phones.map(
      ({ number, phone_type: type }) => `TEL;type=${type.toUpperCase()};type=VOICE;waid=${number}:+${number}`,
    ),
    'END:VCARD',
  ].join('\n');
}

/** Backslashes, semicolons, commas and line breaks mean something in a vCard. */
function escapeText(text: string): string {
  return text.replaceAll(/([\\;,])/g, String.raw`\$1`).replaceAll(/\r\n|\r|\n/g, String.raw`\n`);
}
