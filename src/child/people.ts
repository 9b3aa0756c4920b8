/** What WhatsApp tells of people apart from messages: presence, typing, calls, what they change about themselves. */
import type { Clock } from '../clock.ts';
import { assertNever } from '../contract/assert-never.ts';
import { isLidJid, isPhoneJid } from '../contract/ids.ts';
import type { RecordItem } from '../contract/ipc.ts';
import { addressesOf, phoneJidOf } from './engine/addresses.ts';
import { createCache } from './engine/caches.ts';
import type { WAMessage, WASocket } from './engine/link-socket.ts';
import { lookUp } from './engine/lookups.ts';
import { readPeopleStanza, type PeopleStanza } from './engine/people-stanzas.ts';
import type { ContactNames } from './contact-names.ts';
import { callItem, type SeenCall } from './events/calls.ts';
import { aboutChange, pictureChange } from './events/contacts.ts';
import {
  chatStateItem,
  isNewChatState,
  isNewPresence,
  presenceItem,
  type KnownChatState,
  type SeenPresence,
} from './events/presence.ts';

interface PeopleOptions {
  readonly names: ContactNames;
  readonly clock: Clock;
  /** Resolves with true when the item is recorded, with false when it cannot be any more. */
  readonly record: (item: RecordItem) => Promise<boolean>;
  readonly onError: (text: string) => void;
}

const rememberedPeople = 2_000;
const rememberedMs = 24 * 3_600_000;
const rememberedCalls = 200;
const callLifetimeMs = 3_600_000;

export class People {
  readonly #options: PeopleOptions;
  readonly #presences = createCache(rememberedPeople, rememberedMs);
  readonly #chatStates = createCache(rememberedPeople, rememberedMs);
  /** Only the offer says what kind of call it is, and the caller's number. */
  readonly #offers = createCache(rememberedCalls, callLifetimeMs);
  #queue: Promise<void> = Promise.resolve();

  constructor(options: PeopleOptions) {
    this.#options = options;
  }

  /** Null for a stanza that tells nothing of people; otherwise it resolves as `record` does. */
  stanza(sock: WASocket, node: Parameters<typeof readPeopleStanza>[0]): Promise<boolean> | null {
    const { clock, record } = this.#options;
    const seen = readPeopleStanza(node, clock.now());
    if (seen === null) return null;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    this.#enqueue(async () => {
      try {
        const item = await this.#told(sock, seen);
        // Not waited for: what happens to one person must not wait for the database to tell of another.
        resolve(item === null || record(item));
      } catch (error) {
        resolve(true);
        throw error;
      }
    });
    return promise;
  }

  /** Learns the names of those who wrote. */
  messages(sock: WASocket, messages: readonly WAMessage[]): void {
    for (const { key, pushName } of messages) {
      if (!pushName || key.fromMe === true) continue;
      this.#enqueue(async () => {
        const { sender } = await addressesOf(sock, key);
        if (!isPhoneJid(sender) && !isLidJid(sender)) return;
        const { names, clock, record } = this.#options;
        await names.note({ jid: sender, name: pushName, at: clock.now() }, record);
      });
    }
  }

  /** The next word on this person's presence is news. */
  forgetPresence(jid: string): void {
    void this.#presences.del(jid);
  }

  /** Resolves when everything told so far is recorded. */
  async drain(): Promise<void> {
    await this.#queue;
  }

  /** What is to be recorded of it; null for what is no news. */
  async #told(sock: WASocket, seen: PeopleStanza): Promise<RecordItem | null> {
    const now = this.#options.clock.now();
    switch (seen.tag) {
      case 'presence': {
        const presence = { jid: await phoneJidOf(sock, seen.jid), status: seen.status, lastSeen: seen.lastSeen };
        const known = this.#presences.get<SeenPresence>(presence.jid);
        void this.#presences.set(presence.jid, presence);
        return isNewPresence(await known, presence) ? presenceItem(presence, now) : null;
      }
      case 'chat_state': {
        const from = await phoneJidOf(sock, seen.from);
        const chat = seen.chat === seen.from ? from : seen.chat;
        const id = `${chat} ${from}`;
        const known = this.#chatStates.get<KnownChatState>(id);
        const state = { state: seen.state, at: now };
        void this.#chatStates.set(id, state);
        return isNewChatState(await known, state) ? chatStateItem({ chat, from, state: seen.state }, now) : null;
      }
      case 'call':
        return callItem(await this.#wholeCall(sock, seen));
      case 'picture':
        return pictureChange({ ...seen, jid: await phoneJidOf(sock, seen.jid) });
      case 'about':
        return aboutChange({ ...seen, jid: await phoneJidOf(sock, seen.jid), about: await aboutOf(sock, seen) });
      default:
        return assertNever(seen);
    }
  }

  async #wholeCall(sock: WASocket, seen: PeopleStanza & { tag: 'call' }): Promise<SeenCall> {
    const offered = await this.#offers.get<SeenCall>(seen.callId);
    const call: SeenCall = {
      callId: seen.callId,
      status: seen.status,
      timestamp: seen.timestamp,
      from: offered?.from ?? seen.fromPn ?? (await phoneJidOf(sock, seen.from)),
      isVideo: offered?.isVideo ?? seen.isVideo,
      isGroup: offered?.isGroup ?? seen.isGroup,
    };
    if (seen.status === 'offer') void this.#offers.set(seen.callId, call);
    return call;
  }

  #enqueue(work: () => Promise<void>): void {
    this.#queue = this.#queue.then(work).catch(() => this.#options.onError('news of a contact could not be told'));
  }
}

/** The text itself when the notice brought it, else as WhatsApp tells it now. */
async function aboutOf(
  sock: WASocket,
  seen: { readonly jid: string; readonly about: string | null },
): Promise<string | null> {
  if (seen.about !== null) return seen.about;
  const [answer] = await lookUp(sock, [seen.jid], ['status']);
  return answer?.about ?? null;
}
