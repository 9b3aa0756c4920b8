/**
 * Group notifications, before the library acknowledges them: WhatsApp repeats one until then, so that none is lost
 * when this process ends in between. The library's own events about groups lose changes and whoever made them.
 */
import type { BinaryNode, WASocket } from '@whiskeysockets/baileys';
import { completed, learn, ownPerson } from './group-people.ts';
import { isGroupNotice, readGroupNotice, type GroupNotice } from './group-notices.ts';
import type { Person } from './group-facts.ts';

export interface GroupWatcher {
  /** At once: what is known of the group may be out of date. */
  changed(group: string): void;
  /** In the order of arrival. Resolves with true when WhatsApp may hear of it; with false it tells it again. */
  noticed(notice: GroupNotice): Promise<boolean>;
  failed(): void;
}

const notificationEvent = 'CB:notification';

/** Takes the library's place as the listener to notifications, and hands each on to it when its turn has come. */
export function watchGroups(sock: WASocket, watcher: GroupWatcher): void {
  const listeners = sock.ws.listeners(notificationEvent);
  sock.ws.removeAllListeners(notificationEvent);
  let queue: Promise<void> = Promise.resolve();
  const handOn = (node: BinaryNode): void => {
    for (const listener of listeners) {
      void Promise.resolve(Reflect.apply(listener, sock.ws, [node])).catch(() => watcher.failed());
    }
  };
  /** Resolves when the next one may be read; this one is handed on when it is recorded. */
  const notice = async (node: BinaryNode): Promise<void> => {
    try {
      const read = await withAddresses(sock, readGroupNotice(node, ownPerson(sock)));
      void watcher
        .noticed(read)
        .catch(() => {
          watcher.failed();
          return true;
        })
        .then((isDone) => {
          if (isDone) handOn(node);
        });
    } catch {
      // What cannot be read now cannot be read the next time, and is acknowledged all the same.
      watcher.failed();
      handOn(node);
    }
  };
  sock.ws.on(notificationEvent, (node: BinaryNode) => {
    if (!isGroupNotice(node)) {
      handOn(node);
      return;
    }
    watcher.changed(node.attrs['from'] ?? '');
    queue = queue.then(() => notice(node));
  });
}

/** Keeps the addresses that the notice discloses, and adds those that are known from elsewhere. */
async function withAddresses(sock: WASocket, notice: GroupNotice): Promise<GroupNotice> {
  const named = notice.changes.flatMap((change) => (change.tag === 'setting' ? [] : change.people));
  await learn(sock, [notice.by, ...named]);
  const [by = notice.by] = await completed(sock, [notice.by]);
  const complete = (people: readonly Person[]): Promise<readonly Person[]> => completed(sock, people);
  const changes = await Promise.all(
    notice.changes.map(async (change) =>
      change.tag === 'setting' ? change : { ...change, people: await complete(change.people) },
    ),
  );
  return { ...notice, by, changes };
}
