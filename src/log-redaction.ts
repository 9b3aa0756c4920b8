/** Pure: what may stand in a log. Numbers of people lose all but their last digits. */

/** A JID or phone number as it may stand in a log: its last four digits. */
export function maskJid(jid: string): string {
  const at = jid.indexOf('@');
  const user = at === -1 ? jid : jid.slice(0, at);
  return `…${user.slice(-4)}${at === -1 ? '' : jid.slice(at)}`;
}

/** A text in which no number of seven digits and more stands whole: phone numbers, JIDs, LIDs, groups. */
export const maskNumbers = (text: string): string => text.replace(/\d{7,}/g, (digits) => `…${digits.slice(-4)}`);

/** Fields that name a thing of ours, and have to be found again as they are. */
const idFields: ReadonlySet<string> = new Set(['session', 'requestId', 'messageId', 'operation']);

/** Fields that come from a child, or from a library in it. */
export const maskFields = (fields: Readonly<Record<string, string | number | boolean | null>>) =>
  Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [
      name,
      typeof value === 'string' && !idFields.has(name) ? maskNumbers(value) : value,
    ]),
  );
