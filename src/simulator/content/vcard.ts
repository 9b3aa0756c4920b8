/** Pure. Contact cards as WhatsApp sends them: vCard 3.0, with the WhatsApp number as `waid`. */

export interface ContactCard {
  readonly display_name: string;
  /** Digits. */
  readonly phones: readonly string[];
}

export function writeVcard({ display_name: name, phones }: ContactCard): string {
  const escaped = name.replaceAll(/([\\;,])/g, '\\$1').replaceAll('\n', '\\n');
  return [
    'BEGIN:VCARD',
    'VERSION:3.0',
    `N:;${escaped};;;`,
    `FN:${escaped}`,
    ...phones.map((phone) => `TEL;type=CELL;type=VOICE;waid=${phone}:+${phone}`),
    'END:VCARD',
  ].join('\n');
}

/** The numbers of a vCard; its own word for the name counts when the message has none. */
export function readVcard(vcard: string, displayName: string | null): ContactCard {
  const lines = vcard.split(/\r?\n/);
  const phones = lines
    .filter((line) => /^(?:item\d+\.)?TEL\b/i.test(line))
    .map((line) => /waid=(\d+)/i.exec(line)?.[1] ?? line.slice(line.lastIndexOf(':') + 1).replaceAll(/\D/g, ''))
    .filter((phone) => phone !== '');
  const written = lines.find((line) => /^FN\b/i.test(line))?.replace(/^[^:]*:/, '');
  return { display_name: displayName ?? written?.replaceAll(/\\([\\;,])/g, '$1') ?? '', phones };
}
