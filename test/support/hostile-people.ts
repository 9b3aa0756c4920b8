/** What people write who mean harm, over a WhatsApp server that lets them: nothing of it passes the gateway's own checks. */
import { examplePng } from '../../src/contract/schemas.ts';
import type { CrashRig } from './crash-rig.ts';
import { halfSurrogate, hostileTexts, nul } from './hostile-text.ts';

const file = { base64: examplePng.slice(examplePng.indexOf(',') + 1) };

/** Those that a contact's client can send, whatever the gateway would take from its own users. */
export const worstTexts: readonly string[] = [...hostileTexts, `a${nul}b`, nul, `x${halfSurrogate}`, '\udc00'];

/** Every kind of message with a text in every place that has one. */
export function messagesOf(text: string): readonly Readonly<Record<string, unknown>>[] {
  const card = { display_name: text, phones: ['15550002222'] };
  return [
    { text },
    { type: 'image', file, caption: text, mimetype: text.slice(0, 200) },
    { type: 'document', file, file_name: text, caption: text },
    { type: 'location', latitude: 1, longitude: 2, name: text, address: text },
    { type: 'contact', contact: card },
    { type: 'poll', question: text, options: [text, `${text}.`] },
  ];
}

export interface Written {
  readonly text: string;
  readonly id: string;
}

/** A contact of that name writes one message of each text, of one kind after the other. */
export async function writeAll(
  rig: CrashRig,
  session: string,
  { from, texts }: { readonly from: string; readonly texts: readonly string[] },
): Promise<readonly Written[]> {
  const written: Written[] = [];
  for (const [index, text] of texts.entries()) {
    const kinds = messagesOf(text);
    const body = kinds[index % kinds.length] ?? { text };
    written.push({ text, id: await rig.written(session, { from, ...body }) });
  }
  return written;
}
