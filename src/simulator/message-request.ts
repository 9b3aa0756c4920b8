/** Messages as control requests describe them: what the fields mean, and what is written for them. */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { z } from 'zod';
import { assertNever } from '../contract/assert-never.ts';
import { WardenError } from '../contract/errors.ts';
import { describeContent } from './content.ts';
import { type Composed, compose, type Composition, type Target } from './content/compose.ts';
import type { Quoted } from './content/context-info.ts';
import { textContent } from './content/text.ts';
import { phoneDigits } from './jid.ts';
import type { MediaKind } from './media/media-keys.ts';
import { findMessage, type MessageLookupParts } from './message-lookup.ts';
import { personOf } from './people.ts';
import type { SimulatorContext, User } from './types.ts';

const messageId = z.string().min(1).max(128);
/** Far more than any application lets its user write: who writes need not be using one. */
const longestText = 4_000_000;
const text = z.string().min(1).max(longestText);
const card = z.strictObject({ display_name: text, phones: z.array(z.string()).min(1).max(20) });

/** The fields of a message apart from who writes it to whom. */
export const contentFields = {
  type: z.enum(['text', 'image', 'video', 'audio', 'document', 'sticker', 'location', 'contact', 'poll']).optional(),
  text: text.optional(),
  quoted_id: messageId.optional(),
  mentions: z.array(z.string()).max(1024).default([]),
  forwarded: z.boolean().default(false),
  ephemeral_seconds: z.int().min(1).max(31_536_000).optional(),
  view_once: z.boolean().default(false),
  file: z.union([z.strictObject({ base64: z.base64() }), z.strictObject({ path: z.string().min(1) })]).optional(),
  mimetype: z.string().min(1).max(200).optional(),
  file_name: text.optional(),
  caption: text.optional(),
  ptt: z.boolean().default(false),
  seconds: z.int().min(0).max(86_400).optional(),
  thumbnail: z.base64().optional(),
  latitude: z.number().min(-90).max(90).optional(),
  longitude: z.number().min(-180).max(180).optional(),
  name: z.string().max(longestText).optional(),
  address: z.string().max(longestText).optional(),
  contact: card.optional(),
  contacts: z.array(card).min(1).max(100).optional(),
  question: text.optional(),
  options: z.array(text).max(12).optional(),
  selectable: z.int().min(0).max(12).default(1),
  edit_of: messageId.optional(),
  delete_of: messageId.optional(),
  react_to: messageId.optional(),
  emoji: z.string().max(32).optional(),
  vote_in: messageId.optional(),
};

const contentSchema = z.object(contentFields);
export type ContentRequest = z.output<typeof contentSchema>;

/** Where a message is written, as its writer sees the chat. */
export interface WriterView {
  readonly writer: User;
  /** JID of the chat. */
  readonly chat: string;
  readonly isGroup: boolean;
  /** Who may have written earlier messages of the chat, the writer included. */
  readonly members: readonly User[];
  /** The gateway's account whose chat it is: faults of its media meet the files. */
  readonly account: User;
  /** JID of a member in the form in which the chat is addressed. */
  jidOf(user: User): string;
}

export interface MessageRequestParts extends MessageLookupParts {
  readonly context: SimulatorContext;
}

const mimetypes = {
  image: 'image/jpeg',
  video: 'video/mp4',
  audio: 'audio/ogg; codecs=opus',
  document: 'application/octet-stream',
  sticker: 'image/webp',
} as const satisfies Record<MediaKind, string>;

/** Writes the message that was asked for; media are uploaded. Throws `invalid_request` and `message_not_found`. */
export async function composeRequest(
  parts: MessageRequestParts,
  view: WriterView,
  request: ContentRequest,
): Promise<Composed> {
  const { context } = parts;
  const composition = actionOf(parts, view, request) ?? (await contentOf(parts, view, request));
  const messageContext = {
    quoted: request.quoted_id === undefined ? null : quote(parts, view, request.quoted_id),
    mentions: request.mentions.map((written) => view.jidOf(personOf(context, written))),
    isForwarded: request.forwarded,
    ephemeralSeconds: request.ephemeral_seconds ?? null,
  };
  return compose(composition, messageContext, context.clock.now());
}

/** Null when the request is not about an earlier message. */
function actionOf(parts: MessageRequestParts, view: WriterView, request: ContentRequest): Composition | null {
  const { edit_of: editOf, delete_of: deleteOf, react_to: reactTo, vote_in: voteIn } = request;
  if ([editOf, deleteOf, reactTo, voteIn].filter((id) => id !== undefined).length > 1) {
    throw invalid('edit_of', 'one of edit_of, delete_of, react_to and vote_in at most');
  }
  if (editOf !== undefined) {
    const text = required('text', request.text ?? request.caption);
    return { tag: 'edit', target: targetOf(parts, view, editOf), text };
  }
  if (deleteOf !== undefined) return { tag: 'delete', target: targetOf(parts, view, deleteOf) };
  if (reactTo !== undefined) {
    return { tag: 'react', target: targetOf(parts, view, reactTo), emoji: required('emoji', request.emoji) };
  }
  if (voteIn === undefined) return null;
  const target = targetOf(parts, view, voteIn);
  const { poll } = describeContent(target.content);
  if (poll === undefined) throw invalid('vote_in', 'the id of a poll');
  const options = required('options', request.options);
  if (options.some((option) => !poll.options.includes(option))) throw invalid('options', 'options of that poll');
  return { tag: 'vote', target, options };
}

async function contentOf(parts: MessageRequestParts, view: WriterView, request: ContentRequest): Promise<Composition> {
  const { type = 'text' } = request;
  switch (type) {
    case 'text':
      return { tag: 'text', text: required('text', request.text) };
    case 'image':
    case 'video':
    case 'audio':
    case 'document':
    case 'sticker':
      return mediaOf(parts, view, { ...request, type });
    case 'location': {
      const latitude = required('latitude', request.latitude);
      const longitude = required('longitude', request.longitude);
      const { name = null, address = null } = request;
      return { tag: 'location', location: { latitude, longitude, name, address } };
    }
    case 'contact': {
      const cards = request.contacts ?? [required('contact', request.contact)];
      return { tag: 'contact', cards: cards.map((each) => ({ ...each, phones: each.phones.map(digitsOf) })) };
    }
    case 'poll': {
      const question = required('question', request.question);
      const options = required('options', request.options);
      if (options.length < 2) throw invalid('options', 'two options or more');
      return { tag: 'poll', poll: { question, options, selectable: request.selectable } };
    }
    default:
      return assertNever(type);
  }
}

async function mediaOf(
  { context }: MessageRequestParts,
  view: WriterView,
  request: ContentRequest & { readonly type: MediaKind },
): Promise<Composition> {
  const { type: kind, thumbnail } = request;
  if (request.view_once && (kind === 'document' || kind === 'sticker')) {
    throw invalid('view_once', 'only with image, video and audio');
  }
  const source = await fileOf(required('file', request.file));
  const file = await context.media.upload(source, kind, view.account);
  return {
    tag: 'media',
    file,
    facts: {
      mimetype: request.mimetype ?? mimetypes[kind],
      fileName: request.file_name ?? null,
      caption: request.caption ?? null,
      seconds: request.seconds ?? null,
      isPtt: request.ptt,
      isViewOnce: request.view_once,
      jpegThumbnail: thumbnail === undefined ? null : Buffer.from(thumbnail, 'base64'),
    },
  };
}

async function fileOf(
  file: NonNullable<ContentRequest['file']>,
): Promise<AsyncIterable<Uint8Array> | Iterable<Uint8Array>> {
  if ('base64' in file) return [Buffer.from(file.base64, 'base64')];
  const facts = await stat(file.path).catch(() => null);
  if (facts?.isFile() !== true) throw invalid('file.path', 'the path of a file that can be read');
  return createReadStream(file.path);
}

function targetOf(parts: MessageRequestParts, view: WriterView, id: string): Target {
  const found = findMessage(parts, view.members, id);
  if (found === null) throw new WardenError('message_not_found');
  const author = view.jidOf(found.author);
  const fromMe = found.author === view.writer;
  const participant = view.isGroup && !fromMe ? { participant: author } : {};
  return {
    key: { remoteJid: view.chat, fromMe, id, ...participant },
    author,
    writer: view.jidOf(view.writer),
    content: found.content,
  };
}

/** What is quoted, as its author wrote it. Clients may quote what the other side does not know: then it is empty. */
function quote(parts: MessageRequestParts, view: WriterView, id: string): Quoted {
  const found = findMessage(parts, view.members, id);
  return {
    messageId: id,
    author: view.jidOf(found?.author ?? view.account),
    content: found?.content ?? textContent('', null),
  };
}

function digitsOf(phone: string): string {
  return phoneDigits(phone) ?? phone.replaceAll(/\D/g, '');
}

function required<Value>(field: string, value: Value | undefined): Value {
  if (value === undefined) throw invalid(field, 'this field');
  return value;
}

function invalid(field: string, expected: string): WardenError {
  return new WardenError('invalid_request', {
    message: `The message needs "${field}": ${expected}.`,
    details: [{ field, expected }],
  });
}
