/**
 * The request forms that WA-RS has published beside ours, so that scripts written for it run unchanged: other names of a
 * field, and media in an object of its own. Pure. A field that stands in its own form already is left as it is, and what
 * is unknown stays, for the schema to refuse by name.
 */
import type { OperationName } from './index.ts';

type Fields = Readonly<Record<string, unknown>>;

/** Published name → our name, by operation. */
const renames: Partial<Record<OperationName, Readonly<Record<string, string>>>> = {
  editMessage: { chat: 'to' },
  reactToMessage: { chat: 'to' },
  deleteMessage: { chat: 'to' },
  readMessages: { chat_jid: 'chat' },
  createGroup: { name: 'subject' },
};

/** Published fields that say what the gateway knows by itself. */
const superfluous: Partial<Record<OperationName, readonly string[]>> = {
  // The sender of a message is looked up in the message store.
  readMessages: ['sender'],
  deleteMessage: ['original_sender'],
};

const mediaOperations: ReadonlySet<string> = new Set<OperationName>([
  'sendImage',
  'sendVideo',
  'sendAudio',
  'sendDocument',
  'sendSticker',
]);

/** The input with published forms turned into ours; anything but an object is answered as it is. */
export function fromPublishedForm(name: OperationName, input: unknown): unknown {
  if (!isFields(input)) return input;
  const renamed = rename(input, renames[name] ?? {});
  const wanted = Object.fromEntries(
    Object.entries(renamed).filter(([key]) => !(superfluous[name] ?? []).includes(key)),
  );
  if (mediaOperations.has(name)) return flatten(wanted, 'media');
  return name === 'sendContact' ? withPublishedContact(wanted) : wanted;
}

function rename(fields: Fields, names: Readonly<Record<string, string>>): Fields {
  return Object.fromEntries(
    Object.entries(fields).map(([key, value]) => {
      const ours = Object.hasOwn(names, key) ? names[key] : undefined;
      return ours === undefined || Object.hasOwn(fields, ours) ? [key, value] : [ours, value];
    }),
  );
}

/** `{media: {url}}` becomes `{url}`. */
function flatten(fields: Fields, key: string): Fields {
  const inner = fields[key];
  if (!isFields(inner)) return fields;
  const others = Object.entries(fields).filter(([name]) => name !== key);
  return { ...inner, ...Object.fromEntries(others) };
}

/** `{contact: {name, phones: [{phone, type}]}}` becomes `{contact: {display_name, phones: [{number, phone_type}]}}`. */
function withPublishedContact(fields: Fields): Fields {
  const { contact } = fields;
  if (!isFields(contact)) return fields;
  const renamed = rename(contact, { name: 'display_name' });
  const { phones } = renamed;
  if (!Array.isArray(phones)) return { ...fields, contact: renamed };
  const numbers = phones.map((entry: unknown) =>
    isFields(entry) ? rename(entry, { phone: 'number', type: 'phone_type' }) : entry,
  );
  return { ...fields, contact: { ...renamed, phones: numbers } };
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
