/**
 * Stops what a gateway commits, on the line to the database: before the database hears of it, or before the gateway hears
 * that it is done. Other statements pass.
 */
import type { Socket } from 'node:net';

export interface CommitGate {
  /**
   * From now on COMMITs are held, after `passing` more: at the `request` they are not committed yet, at the `answer` they
   * are. With `statement` statements with that text are held instead.
   */
  hold(at: 'request' | 'answer', passing?: number, statement?: string): void;
  /** How many are held now. */
  readonly held: number;
  /** How many were let through since `hold`. */
  readonly passed: number;
  /** Lets go on what is held, and everything that comes. */
  release(): void;
  /** Breaks the lines on which something is held, and lets pass everything that comes. */
  drop(): void;
}

interface Line {
  readonly toServer: Socket;
  readonly toClient: Socket;
}

export interface OwnCommitGate extends CommitGate {
  /** Takes what came from the client; false when it is to be forwarded by the caller. */
  fromClient(line: Line, chunk: Buffer): boolean;
  /** The same for what came from the server. */
  fromServer(line: Line, chunk: Buffer): boolean;
  forget(line: Line): void;
}

export function createCommitGate(): OwnCommitGate {
  /** What waits on a line, and where it goes. */
  const waiting = new Map<Line, { readonly to: Socket; readonly chunks: Buffer[] }>();
  let place: 'request' | 'answer' | null = null;
  let passing = 0;
  let passed = 0;
  let wanted: string | null = null;
  const isWanted = (chunk: Buffer): boolean => (wanted === null ? isCommit(chunk) : chunk.includes(wanted));
  const open = (): void => {
    place = null;
  };
  return {
    get held() {
      return waiting.size;
    },
    get passed() {
      return passed;
    },
    hold(at, more = 0, statement) {
      wanted = statement ?? null;
      place = at;
      passing = more;
      passed = 0;
    },
    release() {
      open();
      const all = [...waiting.values()];
      waiting.clear();
      for (const { to, chunks } of all) for (const chunk of chunks) to.write(chunk);
    },
    drop() {
      open();
      const lines = [...waiting.keys()];
      waiting.clear();
      for (const { toServer, toClient } of lines) {
        toServer.destroy();
        toClient.destroy();
      }
    },
    fromClient(line, chunk) {
      const held = waiting.get(line);
      if (held?.to === line.toServer) {
        held.chunks.push(chunk);
        return true;
      }
      if (place === null || !isWanted(chunk)) return false;
      if (passed < passing) {
        passed += 1;
        return false;
      }
      if (place === 'answer') {
        waiting.set(line, { to: line.toClient, chunks: [] });
        return false;
      }
      waiting.set(line, { to: line.toServer, chunks: [chunk] });
      return true;
    },
    fromServer(line, chunk) {
      const held = waiting.get(line);
      if (held?.to !== line.toClient) return false;
      held.chunks.push(chunk);
      return true;
    },
    forget(line) {
      waiting.delete(line);
    },
  };
}

/**
 * A simple query of Postgres' protocol: `Q`, the length, the text. It comes alone: its sender awaits what was before. Or
 * a statement that commits by itself what a child wrote, told by its first comment, and by its name when it is prepared.
 */
function isCommit(chunk: Buffer): boolean {
  if (chunk[0] === 0x51) return /^commit\b/i.test(chunk.toString('latin1', 5, 24));
  return chunk.includes('/* commit */') || chunk.includes('warden_commit_');
}
