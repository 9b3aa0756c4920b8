/**
 * Where log lines go: to a descriptor at once while it takes them. While it does not (nobody reads the pipe, the disk is
 * full) they wait in a queue of bounded size, and what does not fit into that is dropped and counted: a log must neither
 * hold up the gateway nor end it.
 */

interface LogSinkOptions {
  /** Writes what it can and answers how many bytes that were; throws what the system says. Must not block. */
  readonly write: (bytes: Uint8Array) => number;
  /** Of lines that wait. */
  readonly capBytes: number;
  /** So many lines were lost; called when everything that waited is out. */
  readonly onDropped: (lines: number) => void;
}

export interface LogSink {
  /** Takes one line, or several. Never throws. */
  write(text: string): void;
  /** Writes what waits, for as long as that moves or its reader may catch up. Never throws. */
  flushSync(): void;
}

/** How soon a pipe that was full is tried again. */
const readerPauseMs = 50;
/** How soon a disk that was full is tried again. */
const faultPauseMs = 1_000;
/** Lines that wait leave in pieces of this size, the capacity of a pipe. */
const pieceBytes = 65_536;
/** How long a process that ends waits for a slow reader. */
const flushPatience = { rounds: 20, pauseMs: 10 };

type Outcome = 'out' | 'reader' | 'fault' | 'gone';

export function createLogSink({ write, capBytes, onDropped }: LogSinkOptions): LogSink {
  let waiting: Buffer[] = [];
  let waitingBytes = 0;
  let dropped = 0;
  let isGone = false;
  let timer: NodeJS.Timeout | null = null;

  const put = (bytes: Buffer): { readonly rest: Buffer; readonly outcome: Outcome } => {
    let rest = bytes;
    try {
      while (rest.length > 0) rest = rest.subarray(write(rest));
      return { rest, outcome: 'out' };
    } catch (error) {
      return { rest, outcome: outcomeOf(error) };
    }
  };

  const drain = (): Outcome => {
    while (waiting.length > 0) {
      const piece = takePiece(waiting);
      const { rest, outcome } = put(piece.bytes);
      waiting = rest.length === 0 ? piece.others : [rest, ...piece.others];
      waitingBytes -= piece.bytes.length - rest.length;
      if (outcome !== 'out') return outcome;
    }
    return 'out';
  };

  const retryAfter = (outcome: Outcome): void => {
    if (outcome === 'gone') {
      isGone = true;
      waiting = [];
      waitingBytes = 0;
      return;
    }
    timer ??= setTimeout(retry, outcome === 'reader' ? readerPauseMs : faultPauseMs).unref();
  };

  const retry = (): void => {
    timer = null;
    const outcome = drain();
    if (outcome !== 'out') {
      retryAfter(outcome);
      return;
    }
    const lines = dropped;
    dropped = 0;
    if (lines > 0) onDropped(lines);
  };

  return {
    write: (text) => {
      if (isGone) return;
      const bytes = Buffer.from(text);
      if (waiting.length > 0) {
        if (waitingBytes + bytes.length > capBytes) {
          dropped += 1;
          return;
        }
        waiting.push(bytes);
        waitingBytes += bytes.length;
        return;
      }
      const { rest, outcome } = put(bytes);
      if (outcome === 'out') return;
      waiting.push(rest);
      waitingBytes = rest.length;
      retryAfter(outcome);
    },
    flushSync: () => {
      for (let round = 0; round < flushPatience.rounds; round++) {
        if (drain() !== 'reader') return;
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, flushPatience.pauseMs);
      }
    },
  };
}

/** The first lines that together make a piece, and the others. */
function takePiece(lines: readonly Buffer[]): { readonly bytes: Buffer; readonly others: Buffer[] } {
  let count = 0;
  let bytes = 0;
  for (const line of lines) {
    if (count > 0 && bytes + line.length > pieceBytes) break;
    count += 1;
    bytes += line.length;
  }
  return { bytes: Buffer.concat(lines.slice(0, count)), others: lines.slice(count) };
}

function outcomeOf(error: unknown): Outcome {
  const code: unknown = error instanceof Error && 'code' in error ? error.code : null;
  if (code === 'EAGAIN' || code === 'EWOULDBLOCK' || code === 'EINTR') return 'reader';
  // Nobody will ever read it.
  return code === 'EPIPE' || code === 'EBADF' ? 'gone' : 'fault';
}
