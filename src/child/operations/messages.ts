/** Messages without a file. */
import type { Params } from '../../contract/index.ts';
import { forwardedContent } from '../engine/forwarding.ts';
import type { OutgoingMessage } from '../engine/outgoing.ts';
import { findTarget } from '../engine/targets.ts';
import { vcard } from '../vcard.ts';
import { common } from './common.ts';
import type { SendContext } from './index.ts';

export function sendText(params: Params<'sendText'>): OutgoingMessage {
  return { ...common(params), content: { text: params.text, linkPreview: null } };
}

export function sendLocation(params: Params<'sendLocation'>): OutgoingMessage {
  const { latitude, longitude, name, address } = params;
  const location = {
    degreesLatitude: latitude,
    degreesLongitude: longitude,
    ...(name === undefined ? {} : { name }),
    ...(address === undefined ? {} : { address }),
  };
  return { ...common(params), content: { location } };
}

export function sendContact(params: Params<'sendContact'>): OutgoingMessage {
  const cards = params.contacts ?? (params.contact === undefined ? [] : [params.contact]);
  const contacts = cards.map((card) => ({ displayName: card.display_name, vcard: vcard(card) }));
  const displayName = contacts.length === 1 ? (contacts[0]?.displayName ?? '') : `${contacts.length} contacts`;
  return { ...common(params), content: { contacts: { displayName, contacts } } };
}

export function sendPoll(params: Params<'sendPoll'>): OutgoingMessage {
  const { question, options, selectable } = params;
  return {
    ...common(params),
    content: { poll: { name: question, values: [...options], selectableCount: selectable } },
  };
}

/** The message may be of any chat of the session; media stays where it was uploaded. */
export async function forwardMessage(params: Params<'forwardMessage'>, context: SendContext): Promise<OutgoingMessage> {
  const target = await findTarget(context, { chat: null, id: params.message_id, field: 'message_id' });
  return {
    tag: 'message',
    to: params.to,
    content: { ready: forwardedContent(target.content) },
    typingMs: params.typing_ms,
  };
}
