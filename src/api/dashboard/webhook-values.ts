/** The form of a webhook: from a webhook, from what somebody typed, and to what the API takes. Pure. */
import type { Result } from '../../contract/index.ts';
import type { FormProblems } from './form.ts';

export interface WebhookValues {
  readonly url: string;
  /** None stands for all. */
  readonly events: readonly string[];
  readonly ordered: boolean;
  /** One in each line. */
  readonly chats: string;
  readonly senders: string;
  readonly isGroup: ThreeWays;
  readonly isFromMe: ThreeWays;
  readonly contains: string;
  readonly startsWith: string;
  readonly matches: string;
  readonly ignoreCase: boolean;
}

/** Empty asks nothing. */
export type ThreeWays = '' | 'true' | 'false';
export type TextOfField = (name: string) => string;

export const emptyWebhook: WebhookValues = {
  url: '',
  events: [],
  ordered: false,
  chats: '',
  senders: '',
  isGroup: '',
  isFromMe: '',
  contains: '',
  startsWith: '',
  matches: '',
  ignoreCase: true,
};

export function valuesOfWebhook({ url, events, ordered, conditions }: Result<'getWebhook'>): WebhookValues {
  const { chats = [], senders = [], is_group: isGroup, is_from_me: isFromMe, text } = conditions ?? {};
  return {
    url,
    events: events.includes('all') ? [] : events,
    ordered,
    chats: chats.join('\n'),
    senders: senders.join('\n'),
    isGroup: threeWaysOf(isGroup),
    isFromMe: threeWaysOf(isFromMe),
    contains: text?.contains ?? '',
    startsWith: text?.starts_with ?? '',
    matches: text?.matches ?? '',
    ignoreCase: text?.ignore_case ?? true,
  };
}

export function typedWebhook(field: TextOfField, events: readonly string[]): WebhookValues {
  return {
    url: field('url').trim(),
    events,
    ordered: field('ordered') === 'yes',
    chats: field('chats'),
    senders: field('senders'),
    isGroup: threeWays(field('is_group')),
    isFromMe: threeWays(field('is_from_me')),
    contains: field('text_contains'),
    startsWith: field('text_starts_with'),
    matches: field('text_matches'),
    ignoreCase: field('ignore_case') === 'yes',
  };
}

/** As a client of the API would write it; the operation's own schema says what is wrong. */
export function webhookInput(values: WebhookValues) {
  return {
    url: values.url,
    events: values.events.length === 0 ? ['all'] : values.events,
    ordered: values.ordered,
    conditions: conditionsInput(values),
  };
}

/** Null asks nothing of an event. */
function conditionsInput(values: WebhookValues): object | null {
  const { chats, senders, isGroup, isFromMe, contains, startsWith, matches, ignoreCase } = values;
  const text = {
    ...(contains === '' ? {} : { contains }),
    ...(startsWith === '' ? {} : { starts_with: startsWith }),
    ...(matches === '' ? {} : { matches }),
  };
  const conditions = {
    ...(linesOf(chats).length === 0 ? {} : { chats: linesOf(chats) }),
    ...(linesOf(senders).length === 0 ? {} : { senders: linesOf(senders) }),
    ...(isGroup === '' ? {} : { is_group: isGroup === 'true' }),
    ...(isFromMe === '' ? {} : { is_from_me: isFromMe === 'true' }),
    ...(Object.keys(text).length === 0 ? {} : { text: { ...text, ignore_case: ignoreCase } }),
  };
  return Object.keys(conditions).length === 0 ? null : conditions;
}

/** The problem of each field of the form: the API names them by their place in the body. */
export function problemsByField({ message, fields }: FormProblems) {
  const under = (path: string): string | null => {
    const found = Object.entries(fields).find(
      ([name]) => name === path || name.startsWith(`${path}.`) || name.startsWith(`${path}[`),
    );
    return found?.[1] ?? null;
  };
  return {
    message,
    url: under('url'),
    events: under('events'),
    chats: under('conditions.chats'),
    senders: under('conditions.senders'),
    contains: under('conditions.text.contains'),
    startsWith: under('conditions.text.starts_with'),
    matches: under('conditions.text.matches'),
    hasConditions: under('conditions') !== null,
  };
}

const linesOf = (text: string): readonly string[] =>
  text
    .split(/[\n,]/)
    .map((line) => line.trim())
    .filter((line) => line !== '');

const threeWays = (text: string): ThreeWays => (text === 'true' || text === 'false' ? text : '');
const threeWaysOf = (value: boolean | undefined): ThreeWays => (value === undefined ? '' : threeWays(String(value)));
