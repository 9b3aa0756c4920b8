/**
 * Answers what a child asks of the store. A child may only name sessions that it hosts, and only write with the epoch
 * that it was given: one that was broken into must not reach the others.
 */
import type { Handlers } from '../contract/channel.ts';
import { WardenError } from '../contract/errors.ts';
import type { SessionId } from '../contract/ids.ts';
import type { RecordItem, ToSupervisor } from '../contract/ipc.ts';
import type { Logger } from '../log.ts';
import type { Store } from '../store/store.ts';

interface ServeOptions {
  readonly store: Pick<Store, 'commits' | 'credentials' | 'messages'>;
  /** The epoch with which the child hosts a session; undefined for one that it does not host. */
  readonly epochOf: (session: SessionId) => number | undefined;
  /** The store says that somebody else owns the session now. */
  readonly onFenced: (session: SessionId) => void;
  readonly log: Logger;
}

export function serveChild({ store, epochOf, onFenced, log }: ServeOptions): Handlers<ToSupervisor> {
  const { commits, credentials, messages } = store;

  function mustHost(session: SessionId): void {
    if (epochOf(session) === undefined) throw new WardenError('fenced');
  }

  async function write(body: { session: SessionId; epoch: number }, commit: () => Promise<void>): Promise<null> {
    if (epochOf(body.session) !== body.epoch) throw new WardenError('fenced');
    try {
      await commit();
      return null;
    } catch (error) {
      if (error instanceof WardenError && error.code === 'fenced') onFenced(body.session);
      throw error;
    }
  }

  return {
    keys_get: async ({ session, type, ids }) => {
      mustHost(session);
      return credentials.getKeys(session, type, ids);
    },
    keys_set: (body) => write(body, () => commits.setKeys(body)),
    record: async (body) => {
      await write(body, () => commits.record(body));
      for (const messageId of messagesOf(body.items))
        log.debug({ session: body.session, messageId }, 'message recorded');
      return null;
    },
    message_sending: (body) => write(body, () => commits.sending(body)),
    credentials_clear: (body) => write(body, () => commits.clearCredentials(body)),
    message_get: async ({ session, id }) => {
      mustHost(session);
      const message = await messages.get(session, id);
      if (message === null) return null;
      const { proto, key, chat, sender, fromMe, type, timestamp, isDeleted } = message;
      return { proto, key, chat, sender, fromMe, type, timestamp, isDeleted };
    },
  };
}

/** The ids of messages that came in, or of which it was told how far they are. */
function messagesOf(items: readonly RecordItem[]): ReadonlySet<string> {
  const ids = items.flatMap((item) => {
    if (item.tag === 'message') return [item.record.id];
    return item.tag === 'status' ? item.ids : [];
  });
  return new Set(ids);
}
