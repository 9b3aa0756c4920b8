/** Pure: whether a webhook wants an event. */
import { factsOf, type EventFacts, type ToldEvent } from './event-facts.ts';
import type { WebhookConditions } from './webhook-records.ts';

export interface Subscription {
  /** Names of events, or `all`. */
  readonly events: readonly string[];
  readonly conditions: WebhookConditions | null;
}

/**
 * By name, then by conditions: all of them must be met. Conditions are about chats, so that an event without one
 * (`connected`, `qr_code`) is not held back by them; an event about a chat that lacks what a condition asks for, such as
 * a text, does not meet it.
 */
export function isWanted({ events, conditions }: Subscription, event: ToldEvent): boolean {
  if (!events.includes(event.name) && !events.includes('all')) return false;
  if (conditions === null) return true;
  const facts = factsOf(event);
  return facts.chats === null || meets(conditions, facts);
}

function meets({ chats, senders, isGroup, isFromMe, text }: WebhookConditions, facts: EventFacts): boolean {
  return (
    (chats === null || sharesOne(chats, facts.chats ?? [])) &&
    (senders === null || sharesOne(senders, facts.senders)) &&
    (isGroup === null || isGroup === facts.isGroup) &&
    (isFromMe === null || isFromMe === facts.isFromMe) &&
    (text === null || (facts.text !== null && meetsText(text, facts.text)))
  );
}

const sharesOne = (wanted: readonly string[], found: readonly string[]): boolean =>
  found.some((each) => wanted.includes(each));

function meetsText(wanted: NonNullable<WebhookConditions['text']>, found: string): boolean {
  const fold = (text: string): string => (wanted.ignoreCase ? text.toLowerCase() : text);
  const text = fold(found);
  return (
    (wanted.contains === null || text.includes(fold(wanted.contains))) &&
    (wanted.startsWith === null || text.startsWith(fold(wanted.startsWith))) &&
    (wanted.matches === null || matchesGlob(fold(wanted.matches), text))
  );
}

/**
 * Whether the whole text is what the pattern says, `*` standing for any run of characters. Each part is looked for once
 * and from where the one before ended, so that no pattern can make it go back.
 */
export function matchesGlob(pattern: string, text: string): boolean {
  const [head = '', ...parts] = pattern.split('*');
  const tail = parts.pop();
  if (tail === undefined) return text === head;
  if (!text.startsWith(head)) return false;
  let from = head.length;
  for (const part of parts) {
    const found = text.indexOf(part, from);
    if (found === -1) return false;
    from = found + part.length;
  }
  return text.length - tail.length >= from && text.endsWith(tail);
}
