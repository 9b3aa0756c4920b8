/**
 * What waited while a session was away: the server announces it, the session asks for it, the server sends it and says
 * that this was all. Only then do new stanzas follow.
 */
import type { Queues } from '../state/queues.ts';
import type { Connection, Flow } from '../types.ts';
import { child, element, SERVER_JID } from '../wire/node.ts';

/** To be called once the session has become active. */
export function announceOffline(queues: Queues, connection: Connection): void {
  const { messages, receipts } = queues.pending(connection.device);
  if (messages + receipts === 0) {
    sendQueue(queues, connection);
    return;
  }
  connection.send(
    element('ib', { from: SERVER_JID }, [
      element('offline_preview', {
        count: String(messages + receipts),
        message: String(messages),
        receipt: String(receipts),
        notification: '0',
        appdata: '0',
      }),
    ]),
  );
}

/** The session asks for what was announced; all of it goes at once, since clients ask only once. */
export function offlineFlow(queues: Queues): Flow {
  return {
    name: 'offline',
    handles: (node) => node.tag === 'ib' && child(node, 'offline_batch') !== undefined,
    async handle(_node, connection) {
      sendQueue(queues, connection);
    },
  };
}

function sendQueue(queues: Queues, connection: Connection): void {
  const count = queues.flush(connection);
  connection.send(element('ib', { from: SERVER_JID }, [element('offline', { count: String(count) })]));
}
