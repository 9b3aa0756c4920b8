/** The messages of a session: its chats and one of them, what is to be sent later, and what goes to many. */
import { isGroupJid, parseJid, parseMessageId } from '../../../contract/ids.ts';
import { WardenError } from '../../../contract/errors.ts';
import type { Result } from '../../../contract/index.ts';
import type { SessionRow } from '../../../store/store.ts';
import { callerOf, type Caller } from '../../caller.ts';
import type { DashboardDependencies } from '../dependencies.ts';
import { formatPhone } from '../format.ts';
import { noProblems, type FormProblems } from '../form.ts';
import { bubbleOf, lineOf, nameOf } from '../message-bubble.ts';
import { markEvents, marksOf, type MessageMarks } from '../message-marks.ts';
import { withOwnReactions, withSent } from '../sent-details.ts';
import { askSession } from '../session-call.ts';
import { defineSessionPage, type SessionPageCall } from '../session-page.ts';
import { outgoingModel, type BulkFormValues } from './session-outgoing.ts';

type Message = Result<'getMessage'>;

const shownMessages = 40;
const shownChats = 30;
const shownResults = 30;
const shortestSearch = 2;
/** What names, reactions and the like are looked for in. */
const searchedEvents = 3000;

export interface SendTextValues {
  readonly text: string;
  readonly linkPreview: boolean;
  readonly sendAt: string;
}

/** What a form of this page shows that was refused. */
export interface RefusedForms {
  readonly text?: { readonly values: SendTextValues; readonly problems: FormProblems };
  readonly bulk?: { readonly values: BulkFormValues; readonly problems: FormProblems };
}

export function sessionMessagesPage(dependencies: DashboardDependencies, refused: RefusedForms = {}) {
  return defineSessionPage(dependencies, {
    tab: 'messages',
    template: 'session/messages.njk',
    parts: {
      chats: 'session/_chats.njk',
      thread: 'session/_thread.njk',
      held: 'session/_held.njk',
      timeline: 'session/_timeline.njk',
      scheduled: 'session/_scheduled.njk',
      bulks: 'session/_bulks.njk',
    },
    script: 'messages',
    live: [
      'message',
      'message_sent',
      'receipt',
      'message_failed',
      'message_edited',
      'message_deleted',
      'reaction',
      'poll_vote',
      'session_pacing',
      'bulk_progress',
      'bulk_finished',
    ],
    load: async (call) => {
      const { row, query, resource } = call;
      const marks = marksOf(
        await dependencies.store.events.listLatest(row.id, { names: markEvents, among: searchedEvents }),
      );
      const view = query['view'] === 'scheduled' || query['view'] === 'bulk' ? query['view'] : 'chats';
      const typed = (query['chat'] ?? '').trim();
      const chat = typed === '' ? null : parseJid(typed);
      const asked = { dependencies, caller: callerOf(call.ctx), row, marks };
      const [chats, thread, opened, outgoing] = await Promise.all([
        chatsModel(asked, call),
        chat === null || view !== 'chats' ? null : threadModel(asked, { chat, cursor: query['cursor'] ?? null }),
        openedMessage(asked, query['message'] ?? ''),
        outgoingModel(asked, { view, refused: refused.bulk ?? null }),
      ]);
      return {
        view,
        chats,
        thread,
        chat:
          chat === null
            ? null
            : {
                jid: chat,
                name: nameOf(chat, marks),
                isNamed: marks.names.has(chat),
                number: formatPhone(chat),
                isGroup: isGroupJid(chat),
              },
        newChat: {
          isOpen: query['new'] === '1' || (typed !== '' && chat === null),
          typed: chat === null ? typed : '',
          problem:
            typed !== '' && chat === null
              ? 'Expected: a phone number in international form such as +1 555 123 4567, or a JID.'
              : null,
        },
        opened,
        reply: chat === null ? null : await repliedTo(asked, query['reply'] ?? ''),
        compose: refused.text ?? { values: { text: '', linkPreview: false, sendAt: '' }, problems: noProblems },
        held: resource.pacing?.held ?? null,
        backoff: resource.pacing?.backoff ?? { new_chats: null, slow_down: null },
        ...outgoing,
      };
    },
  });
}

export interface Asked {
  readonly dependencies: DashboardDependencies;
  readonly caller: Caller;
  readonly row: SessionRow;
  readonly marks: MessageMarks;
}

/** Chats, or what was found in all of them. */
async function chatsModel(asked: Asked, { query }: SessionPageCall) {
  const { dependencies, caller, row, marks } = asked;
  const search = (query['q'] ?? '').trim().slice(0, 200);
  const cursor = query['chats'];
  const isShort = search !== '' && search.length < shortestSearch;
  if (search !== '' && !isShort) {
    const input = { search, limit: shownResults, ...(cursor === undefined ? {} : { cursor }) };
    const found = await askSession(dependencies, 'listMessages', { caller, row, input });
    return {
      search,
      problem: null,
      total: found.total,
      next: found.next_cursor,
      isFurther: cursor !== undefined,
      results: found.messages.map((message) => ({ ...bubbleOf(message, marks), name: nameOf(message.chat, marks) })),
      list: [],
    };
  }
  const input = { limit: shownChats, ...(cursor === undefined ? {} : { cursor }) };
  const page = await askSession(dependencies, 'listChats', { caller, row, input });
  const detailed = await sentMarks(
    asked,
    page.chats.map(({ last_message: last }) => last),
  );
  return {
    search,
    problem: isShort ? `At least ${shortestSearch} characters.` : null,
    total: page.total,
    next: page.next_cursor,
    isFurther: cursor !== undefined,
    results: null,
    list: page.chats.map(({ chat, is_group: isGroup, last_message: last }) => ({
      jid: chat,
      isGroup,
      name: nameOf(chat, marks),
      isNamed: marks.names.has(chat),
      line: lineOf(last, detailed.details.get(last.message_id)),
      isMine: last.is_from_me,
      status: last.status,
      at: last.timestamp,
    })),
  };
}

/** A page of a chat, the oldest message first. */
async function threadModel(asked: Asked, { chat, cursor }: { readonly chat: string; readonly cursor: string | null }) {
  const { dependencies, caller, row } = asked;
  const input = { chat, limit: shownMessages, ...(cursor === null ? {} : { cursor }) };
  const page = await askSession(dependencies, 'listMessages', { caller, row, input });
  const marks = await sentMarks(asked, page.messages);
  return {
    messages: page.messages.toReversed().map((message) => bubbleOf(message, marks)),
    total: page.total,
    older: page.next_cursor,
    isOlder: cursor !== null,
  };
}

/** The marks with what is in those of the messages that are the account's own, and with its own reactions. */
async function sentMarks({ dependencies, row, marks }: Asked, messages: readonly Message[]): Promise<MessageMarks> {
  const { store } = dependencies;
  const ids = messages.map((message) => message.message_id);
  const own = messages.filter((message) => message.is_from_me).map((message) => message.message_id);
  const bodies = new Map(messages.map((message) => [message.message_id, message.body]));
  const [sent, reactions] = await Promise.all([
    own.length === 0 ? [] : store.messages.listSentContents(row.id, own),
    store.messages.listOwnReactions(row.id, ids),
  ]);
  return withOwnReactions(
    withSent(marks, sent, (id) => bodies.get(id) ?? null),
    reactions,
  );
}

/** One message in full with how far it has come; null when none was asked for. */
async function openedMessage(asked: Asked, typed: string) {
  const { dependencies, caller, row } = asked;
  const input = { message_id: typed };
  if (parseMessageId(typed) === null) return null;
  try {
    const [message, timeline] = await Promise.all([
      askSession(dependencies, 'getMessage', { caller, row, input }),
      askSession(dependencies, 'getMessageTimeline', { caller, row, input }),
    ]);
    const marks = await sentMarks(asked, [message]);
    const [first] = timeline.events;
    const steps = timeline.events.map((step) => ({
      words: step.status.replace(/^./, (letter) => letter.toUpperCase()),
      status: step.status,
      at: step.at,
      afterMs: Math.max(0, (step.at - (first?.at ?? step.at)) * 1000),
      code: step.error_code,
    }));
    return { isKnown: true, id: typed, message: bubbleOf(message, marks), name: nameOf(message.chat, marks), steps };
  } catch (error) {
    if (!(error instanceof WardenError) || error.code !== 'message_not_found') throw error;
    return { isKnown: false, id: typed, message: null, name: '', steps: [] };
  }
}

/** The message that is answered; null when there is none of that id. */
async function repliedTo(asked: Asked, typed: string) {
  const opened = await openedMessage(asked, typed);
  const message = opened?.message ?? null;
  return message === null ? null : { id: typed, text: message.text.slice(0, 120), type: message.type };
}
