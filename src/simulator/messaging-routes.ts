/** The control routes of messaging: simulated people are created, write, tell receipts, and are looked at. */
import { z } from 'zod';
import { WardenError } from '../contract/errors.ts';
import type { Contact } from './contact.ts';
import { describeContent } from './content.ts';
import { inboxView } from './inbox-view.ts';
import { memberGroup } from './group-access.ts';
import { addressIn } from './groups/group-stanzas.ts';
import { mayWrite } from './groups/rules.ts';
import { lidJid, pnJid } from './jid.ts';
import { composeRequest, contentFields, type WriterView } from './message-request.ts';
import { findPerson, knownPerson, personOf } from './people.ts';
import type { Phone } from './phone.ts';
import type { SenderKeys } from './signal/sender-keys.ts';
import type { SignalEngine } from './signal-engine.ts';
import type { Activity } from './state/activity.ts';
import type { ContactSettings } from './state/contact-settings.ts';
import type { Inbox } from './state/inbox.ts';
import type { Group, Groups } from './state/groups.ts';
import type { Queues } from './state/queues.ts';
import type { ReceivedMedia } from './state/received-media.ts';
import type { SentMessages } from './state/sent-messages.ts';
import type { ControlAnswer, ControlRequest, ControlRoute, SimulatorContext, User } from './types.ts';

export interface MessagingRouteParts {
  readonly context: SimulatorContext;
  readonly engine: SignalEngine;
  readonly senderKeys: SenderKeys;
  readonly groups: Groups;
  readonly queues: Queues;
  readonly inbox: Inbox;
  readonly sent: SentMessages;
  readonly settings: ContactSettings;
  readonly receivedMedia: ReceivedMedia;
  readonly activity: Activity;
  readonly contact: Contact;
  readonly phone: Phone;
}

const messageBody = z.strictObject({
  /** `phone`: the account's own. */
  from: z.string(),
  to: z.string().optional(),
  /** JID of the group to write into. */
  group: z.string().optional(),
  ...contentFields,
  message_id: z.string().min(1).max(128).optional(),
});
const receiptBody = z.strictObject({
  message_id: z.string(),
  type: z.enum(['delivered', 'read', 'played']),
  /** Whose; of a message to one person, that person's. */
  contact: z.string().optional(),
});
const forgetBody = z.strictObject({ contact: z.string() });
const expireBody = z.strictObject({ message_id: z.string(), from_phone: z.boolean().default(false) });
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
      async handle(request) {
        return ok({ messages: await readInbox(parts, account(request), request.query) });
      },
    },
    {
      method: 'POST',
      path: '/accounts/:phone/receipts',
      handle(request) {
        const { message_id: messageId, type, contact: written } = receiptBody.parse(request.body);
        const sender = account(request);
        const wanted = written === undefined ? null : knownPerson(context, written);
        const copy = inbox
          .copies(sender, messageId)
          .find(({ reader }) => (wanted === null ? reader !== sender.lid : reader === wanted.lid));
        const reader = copy === undefined ? undefined : context.directory.byLid(copy.reader);
        if (copy === undefined || reader === undefined) throw new WardenError('message_not_found');
        const group = parts.groups.byJid(copy.chat);
        const receipt = { reader, account: sender, messageId };
        parts.contact.sendReceipt(group === undefined ? receipt : { ...receipt, group }, type);
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
        parts.senderKeys.forgetWriter(person, peer.lid);
        return done('Session forgotten.');
      },
    },
    {
      method: 'POST',
      path: '/accounts/:phone/media/expire',
      async handle(request) {
        const { message_id: messageId, from_phone: fromPhone } = expireBody.parse(request.body);
        await expireMedia(parts, account(request), { messageId, fromPhone });
        return done('Media expired.');
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
  if (body.group !== undefined) return writeToGroup(parts, account, { ...body, group: body.group });
  if (isOwnPhone && body.to === undefined) {
    throw new WardenError('invalid_request', {
      message: 'A message of the own phone needs "to" or "group".',
      details: [{ field: 'to', expected: 'a phone number or JID' }],
    });
  }
  const from = isOwnPhone ? account : personOf(context, body.from);
  const to = isOwnPhone ? personOf(context, body.to ?? '') : account;
  const composed = await composeRequest(parts, privateChat(parts, { from, to, account }), body);
  return { message_id: await phone.write({ from, to, ...composed, messageId: body.message_id }) };
}

async function writeToGroup(
  parts: MessagingRouteParts,
  account: User,
  body: z.output<typeof messageBody> & { readonly group: string },
) {
  const { context, groups, phone } = parts;
  const from = body.from === 'phone' ? account : personOf(context, body.from);
  memberGroup(groups, body.group, account);
  const group = memberGroup(groups, body.group, from);
  if (!mayWrite(group, from.lid)) {
    throw new WardenError('forbidden', { message: 'Only admins may write into this group.' });
  }
  const composed = await composeRequest(parts, groupChat(parts, { from, group, account }), body);
  return { message_id: await phone.writeToGroup({ from, group, ...composed, messageId: body.message_id }) };
}

function groupChat(
  { context: { directory } }: MessagingRouteParts,
  { from, group, account }: { readonly from: User; readonly group: Group; readonly account: User },
): WriterView {
  const members = group.members.flatMap(({ lid }) => directory.byLid(lid) ?? []);
  const jidOf = (user: User) => addressIn(directory, group.addressing, user);
  return { writer: from, chat: group.jid, isGroup: true, members, account, jidOf };
}

function privateChat(
  { settings }: MessagingRouteParts,
  { from, to, account }: { readonly from: User; readonly to: User; readonly account: User },
): WriterView {
  const { addressing } = settings.of(from);
  const jidOf = (user: User) => (addressing === 'lid' ? lidJid(user.lid) : pnJid(user.pn));
  return { writer: from, chat: jidOf(to), isGroup: false, members: [from, to], account, jidOf };
}

/** Of a message that somebody has written to the account, or the account to somebody. */
async function expireMedia(
  { context, sent, inbox }: MessagingRouteParts,
  account: User,
  { messageId, fromPhone }: { readonly messageId: string; readonly fromPhone: boolean },
): Promise<void> {
  const contents = [...sent.withId(messageId), ...inbox.copies(account, messageId)].map(({ content }) => content);
  const files = contents.flatMap((content) => describeContent(content).media?.file ?? []);
  if (files.length === 0) throw new WardenError('message_not_found');
  for (const file of files) await context.media.expire(file, { fromPhone });
}

function readInbox(parts: MessagingRouteParts, account: User, query: URLSearchParams) {
  const { context, groups, inbox, sent, receivedMedia } = parts;
  const written = query.get('contact');
  const contact = written === null ? null : findPerson(context, written);
  const since = sinceQuery.parse(query.get('since') ?? 0);
  const entries = inbox
    .list(account)
    .filter((entry) => entry.at >= since && (contact === null || entry.reader === contact?.lid));
  return inboxView({ directory: context.directory, groups, inbox, sent, receivedMedia }, account, entries);
}
