/** Turns what somebody wants to say into a message protobuf and the stanza attributes that go with it. */
import { assertNever } from '../../contract/assert-never.ts';
import { type DescribedLocation, type DescribedPoll, messageSecretOf } from '../content.ts';
import type { MediaFile } from '../media/media-depot.ts';
import { proto } from '../wire/proto.ts';
import { deleteMessage, editAttribute, editMessage, reactionMessage } from './changes.ts';
import { contactMessage } from './contact-message.ts';
import type { MessageContext } from './context-info.ts';
import { locationMessage } from './location-message.ts';
import { type MediaFacts, mediaMessage } from './media-message.ts';
import { pollMessage, voteMessage } from './poll-message.ts';
import { textMessage } from './text.ts';
import type { ContactCard } from './vcard.ts';

/** A message of the chat that another message is about. */
export interface Target {
  /** As the writer sees the message: chat, author, id. */
  readonly key: proto.IMessageKey;
  /** JIDs without device, in the form in which the chat is addressed. */
  readonly author: string;
  readonly writer: string;
  readonly content: Uint8Array;
}

export type Composition =
  | { readonly tag: 'text'; readonly text: string }
  | { readonly tag: 'media'; readonly file: MediaFile; readonly facts: Omit<MediaFacts, 'at'> }
  | { readonly tag: 'location'; readonly location: DescribedLocation }
  | { readonly tag: 'contact'; readonly cards: readonly ContactCard[] }
  | { readonly tag: 'poll'; readonly poll: DescribedPoll }
  | { readonly tag: 'edit'; readonly target: Target; readonly text: string }
  | { readonly tag: 'delete'; readonly target: Target }
  | { readonly tag: 'react'; readonly target: Target; readonly emoji: string }
  | { readonly tag: 'vote'; readonly target: Target; readonly options: readonly string[] };

export interface Composed {
  /** The message protobuf. */
  readonly content: Uint8Array;
  /** The stanza's type. */
  readonly type: string;
  /** The stanza's `edit` attribute. */
  readonly edit?: string;
}

export function compose(composition: Composition, context: MessageContext, nowMs: number): Composed {
  switch (composition.tag) {
    case 'text':
      return composed('text', textMessage(composition.text, context));
    case 'media': {
      const facts = { ...composition.facts, at: Math.floor(nowMs / 1000) };
      return composed('media', mediaMessage(composition.file, facts, context));
    }
    case 'location':
      return composed('media', locationMessage(composition.location, context));
    case 'contact':
      return composed('media', contactMessage(composition.cards, context));
    case 'poll':
      return composed('poll', pollMessage(composition.poll, context));
    case 'edit': {
      const { target, text } = composition;
      const edited = editMessage(target.key, { text, original: target.content, atMs: nowMs });
      return { ...composed('text', edited), edit: editAttribute.edit };
    }
    case 'delete': {
      const { key } = composition.target;
      const isAnothers = key.fromMe === false && key.participant !== undefined;
      const edit = isAnothers ? editAttribute.deleteAsAdmin : editAttribute.delete;
      return { ...composed('text', deleteMessage(key)), edit };
    }
    case 'react':
      return composed('reaction', reactionMessage(composition.target.key, { emoji: composition.emoji, atMs: nowMs }));
    case 'vote': {
      const { key, author, writer, content } = composition.target;
      const scope = { pollId: key.id ?? '', creator: author, voter: writer, secret: messageSecretOf(content) };
      return composed('poll', voteMessage(key, { options: composition.options, scope, atMs: nowMs }));
    }
    default:
      return assertNever(composition);
  }
}

function composed(type: string, message: proto.IMessage): Composed {
  return { type, content: proto.Message.encode(message).finish() };
}
