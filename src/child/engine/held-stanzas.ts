/**
 * Stanzas that WhatsApp repeats until they are acknowledged, held back from the library, which acknowledges what it gets
 * at once: what a process that ends in between was told would be lost.
 */
import type { BinaryNode, WASocket } from '@whiskeysockets/baileys';

interface HeldStanzas {
  readonly tag: 'notification' | 'call' | 'receipt';
  /**
   * Resolves with true when what the stanza tells is recorded, and WhatsApp may hear of it; with false WhatsApp tells it
   * again. Null for a stanza that tells nothing.
   */
  readonly record: (node: BinaryNode) => Promise<boolean> | null;
  /** A stanza could not be read; it never will be, and is acknowledged all the same. */
  readonly failed: () => void;
}

/** Takes the place of those who listen to these stanzas by now, and hands each on to them when it is recorded. */
export function holdStanzas(sock: WASocket, { tag, record, failed }: HeldStanzas): void {
  const name = `CB:${tag}`;
  const listeners = sock.ws.listeners(name);
  sock.ws.removeAllListeners(name);
  const handOn = (node: BinaryNode): void => {
    for (const listener of listeners) {
      void Promise.resolve(Reflect.apply(listener, sock.ws, [node])).catch(failed);
    }
  };
  const recorded = async (node: BinaryNode): Promise<boolean> => {
    try {
      return (await record(node)) ?? true;
    } catch {
      failed();
      return true;
    }
  };
  sock.ws.on(name, (node: BinaryNode) => {
    void recorded(node).then((isDone) => {
      if (isDone) handOn(node);
    });
  });
}
