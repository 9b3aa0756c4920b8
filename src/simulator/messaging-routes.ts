/** The control routes of messaging: simulated people are created, write, tell receipts, and are looked at. */
import { z } from 'zod';
import { WardenError } from '../contract/errors.ts';
import type { Contact } from './contact.ts';
import { describeContent } from './content.ts';
import { textContent, type Quoted } from './content/text.ts';
import { lidJid, pnJid } from './jid.ts';
import { findPerson, personOf } from './people.ts';
import type { Phone } from './phone.ts';
import type { SignalEngine } from './signal-engine.ts';
import type { Activity } from './state/activity.ts';
import type { ContactSettings } from './state/contact-settings.ts';
import type { Inbox, InboxEntry } from './state/inbox.ts';
import type { Queues } from './state/queues.ts';
import type { SentMessages } from './state/sent-messages.ts';
import type { ControlAnswer, ControlRequest, ControlRoute, SimulatorContext, User } from './types.ts';

export interface MessagingRouteParts {
  readonly context: SimulatorContext;
  readonly engine: SignalEngine;
  readonly queues: Queues;
  readonly inbox: Inbox;
  readonly sent: SentMessages;
  readonly settings: ContactSettings;
  readonly activity: Activity;
  readonly contact: Contact;
  readonly phone: Phone;
}

const messageBody = z.strictObject({
  /** `phone`: the account's own. */
  from: z.string(),
  to: z.string().optional(),
  text: z.string().min(1).max(65_536),
  quoted_id: z.string().min(1).optional(),
  message_id: z.string().min(1).max(128).optional(),
});
const receiptBody = z.strictObject({ message_id: z.string(), type: z.enum(['delivered', 'read', 'played']) });
const forgetBody = z.strictObject({ contact: z.string() });
const redeliverBody = z.strictObject({ message_id: z.string() });
const sinceQuery = z.coerce.number().int().min(0);

export function messagingRoutes(parts: MessagingRouteParts): readonly ControlRoute[] {
  const { context, inbox, activity } = parts;
  const account = (request: ControlRequest) => context.account(request.params['phone'] ?? '');
  const ok = (body: unknown): ControlAnswer => ({ status: 200, body });
  const done = (message: string) => ok({ success: true, message });
  return [
    {
      method: 'POST',
      path: '/accounts/:phone/messages',
      async handle(request) {
        return { status: 201, body: await writeMessage(parts, account(request), messageBody.parse(request.body)) };
      },
    },
    {
      method: 'GET',
      path: '/accounts/:phone/inbox',
      handle: (request) => ok({ messages: readInbox(parts, account(request), request.query) }),
    },
    {
      method: 'POST',
      path: '/accounts/:phone/receipts',
      handle(request) {
        const { message_id: messageId, type } = receiptBody.parse(request.body);
        const sender = account(request);
        const copy = inbox.copies(sender, messageId).find((entry) => entry.reader !== sender.lid);
        const reader = copy === undefined ? undefined : context.directory.byLid(copy.reader);
        if (reader === undefined) throw new WardenError('message_not_found');
        parts.contact.sendReceipt({ reader, account: sender, messageId }, type);
        return done('Receipt sent.');
      },
    },
    {
      method: 'GET',
      path: '/accounts/:phone/receipts',
      handle(request) {
        const id = request.query.get('message_id');
        const { receipts } = activity.of(account(request));
        return ok({ receipts: receipts.filter((seen) => id === null || seen.message_id === id) });
      },
    },
    {
      method: 'GET',
      path: '/accounts/:phone/chat-states',
      handle: (request) => ok({ chat_states: activity.of(account(request)).chatStates }),
    },
    {
      method: 'POST',
      path: '/accounts/:phone/forget',
      handle(request) {
        const peer = account(request);
        const { contact: written } = forgetBody.parse(request.body);
        const person = written === 'phone' ? peer : findPerson(context, written);
        if (person === undefined) throw new WardenError('contact_not_found');
        parts.engine.forget(person, { lid: peer.lid });
        return done('Session forgotten.');
      },
    },
    {
      method: 'POST',
      path: '/accounts/:phone/redeliver',
      handle(request) {
        const { message_id: messageId } = redeliverBody.parse(request.body);
        const devices = [...account(request).devices.values()];
        const known = devices.filter((device) => parts.queues.redeliver(device, messageId));
        if (known.length === 0) throw new WardenError('message_not_found');
        return done('Message delivered again.');
      },
    },
  ];
}

async function writeMessage(parts: MessagingRouteParts, account: User, body: z.output<typeof messageBody>) {
  const { context, phone } = parts;
  const isOwnPhone = body.from === 'phone';
  if (isOwnPhone && body.to === undefined) {
    throw new WardenError('invalid_request', {
      message: 'A message of the own phone needs "to".',
      details: [{ field: 'to', expected: 'a phone number or JID' }],
    });
  }
  const from = isOwnPhone ? account : personOf(context, body.from);
  const to = isOwnPhone ? personOf(context, body.to ?? '') : account;
  const quoted = body.quoted_id === undefined ? null : quote(parts, { from, to, account }, body.quoted_id);
  const draft = { from, to, content: textContent(body.text, quoted), type: 'text', messageId: body.message_id };
  return { message_id: await phone.write(draft) };
}

/** What is quoted, as its author wrote it. Clients may quote what the other side does not know: then it is empty. */
function quote(parts: MessagingRouteParts, chat: { from: User; to: User; account: User }, messageId: string): Quoted {
  const { inbox, sent, settings } = parts;
  const { addressing } = settings.of(chat.from);
  const jidOf = (user: User) => (addressing === 'lid' ? lidJid(user.lid) : pnJid(user.pn));
  for (const author of [chat.from, chat.to]) {
    const written = sent.find(author, messageId);
    if (written !== undefined) return { messageId, author: jidOf(author), content: written.content };
  }
  const content = inbox.copies(chat.account, messageId)[0]?.content ?? textContent('', null);
  return { messageId, author: jidOf(chat.account), content };
}

function readInbox(parts: MessagingRouteParts, account: User, query: URLSearchParams) {
  const { context, inbox } = parts;
  const written = query.get('contact');
  const contact = written === null ? null : findPerson(context, written);
  const since = sinceQuery.parse(query.get('since') ?? 0);
  return inbox
    .list(account)
    .filter((entry) => entry.at >= since && (contact === null || entry.reader === contact?.lid))
    .map((entry) => present(context, entry));
}

function present(context: SimulatorContext, entry: InboxEntry) {
  const reader = context.directory.byLid(entry.reader);
  const { quotedId, ...described } = describeContent(entry.content);
  return {
    message_id: entry.messageId,
    to: reader === undefined ? lidJid(entry.reader) : pnJid(reader.pn),
    chat: entry.chat,
    ...described,
    quoted_id: quotedId,
    at: entry.at,
  };
}
