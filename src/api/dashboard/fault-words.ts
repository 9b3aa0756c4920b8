/** The faults of the sandbox in the words of people: what each does, and which numbers it takes. Pure. */
import type { z } from 'zod';
import type { sandboxFaults } from '../../contract/operations/sandbox.ts';
import { formatDuration } from './format.ts';

export type SandboxFault = z.output<typeof sandboxFaults>;
export type FaultParameter = 'code' | 'count' | 'delay_ms' | 'seconds';

interface FaultWords {
  readonly group: 'The connection' | 'What the session sends' | 'What people write' | 'Logging in' | 'Files';
  readonly words: string;
  readonly explains: string;
  readonly parameters: readonly FaultParameter[];
}

export const faultWords = {
  disconnect: {
    group: 'The connection',
    words: 'WhatsApp drops the connection',
    explains: 'Once, now. The session comes back by itself, and nothing is lost.',
    parameters: [],
  },
  stream_error: {
    group: 'The connection',
    words: 'WhatsApp ends the connection with an error',
    explains: 'Once, now, with the code that you choose: 503 when absent.',
    parameters: ['code'],
  },
  replaced: {
    group: 'The connection',
    words: 'Another client takes the session’s place',
    explains: 'Once, now, as if the same device were used elsewhere.',
    parameters: [],
  },
  deaf: {
    group: 'The connection',
    words: 'WhatsApp does not hear the session any more',
    explains: 'The connection stays open, and what the session says is not read. The session has to notice it.',
    parameters: [],
  },
  silent: {
    group: 'The connection',
    words: 'WhatsApp falls silent',
    explains: 'Nothing comes from WhatsApp any more, although the connection stays open.',
    parameters: [],
  },
  mute_queries: {
    group: 'The connection',
    words: 'Questions are not answered',
    explains: 'Messages go through; whatever the session asks WhatsApp stays without an answer.',
    parameters: [],
  },
  slow_acks: {
    group: 'What the session sends',
    words: 'Acknowledgements come late',
    explains: 'Messages stay “accepted” until WhatsApp has said that it has them.',
    parameters: ['delay_ms'],
  },
  drop_acks: {
    group: 'What the session sends',
    words: 'Acknowledgements get lost',
    explains: 'So many messages arrive without WhatsApp saying so; the session sends them again by the same id.',
    parameters: ['count'],
  },
  refuse_send: {
    group: 'What the session sends',
    words: 'Sends are refused with a code',
    explains: '463 is WhatsApp’s answer to too many new chats; the session slows down.',
    parameters: ['code', 'count'],
  },
  slow_usync: {
    group: 'What the session sends',
    words: 'Looking up numbers is slow',
    explains: 'Whether a number is on WhatsApp, and on which devices, is told late.',
    parameters: ['delay_ms'],
  },
  garble: {
    group: 'What people write',
    words: 'Messages arrive damaged',
    explains: 'So many messages of contacts cannot be decrypted; the session asks for them again.',
    parameters: ['count'],
  },
  logout: {
    group: 'Logging in',
    words: 'The phone unlinks this device',
    explains: 'Once, now. The session has to be linked anew.',
    parameters: [],
  },
  refuse_login: {
    group: 'Logging in',
    words: 'Logins are refused with a code',
    explains: 'So many of the next logins fail; 503 when no code is given.',
    parameters: ['code', 'count', 'seconds'],
  },
  ban: {
    group: 'Logging in',
    words: 'WhatsApp bans the account for a time',
    explains: 'The connection is cut, and logins are refused until the time is over.',
    parameters: ['seconds'],
  },
  outdated: {
    group: 'Logging in',
    words: 'WhatsApp says that the client is too old',
    explains: 'The connection is cut, and logins are refused until this is cleared.',
    parameters: [],
  },
  media_down: {
    group: 'Files',
    words: 'The media servers are down',
    explains: 'Uploads and downloads fail, with an HTTP status if you choose one.',
    parameters: ['code'],
  },
  media_gone: {
    group: 'Files',
    words: 'Files are gone',
    explains: 'Downloads answer 410 until the phone has uploaded the file again.',
    parameters: ['code'],
  },
  media_slow: {
    group: 'Files',
    words: 'The media servers are slow',
    explains: 'Uploads and downloads begin late.',
    parameters: ['delay_ms'],
  },
  media_cut: {
    group: 'Files',
    words: 'Downloads break off in the middle',
    explains: 'The session must notice that a file is not whole.',
    parameters: [],
  },
  media_corrupt: {
    group: 'Files',
    words: 'Files arrive with a wrong byte',
    explains: 'The session must not hand such a file out.',
    parameters: [],
  },
} as const satisfies Record<SandboxFault, FaultWords>;

const isFault = (name: string): name is SandboxFault => Object.hasOwn(faultWords, name);
const names = Object.keys(faultWords).filter(isFault);

/** Every fault below its heading, in the order in which they are offered. */
export const faultGroups: readonly {
  readonly name: string;
  readonly faults: readonly ({ readonly fault: SandboxFault } & FaultWords)[];
}[] = [...new Set(names.map((name) => faultWords[name].group))].map((name) => ({
  name,
  faults: names.filter((fault) => faultWords[fault].group === name).map((fault) => ({ fault, ...faultWords[fault] })),
}));

/** A fault that is on, as a sentence with its limits. */
export function activeFaultWords(
  active: {
    readonly fault: string;
    readonly code: number | null;
    readonly delay_ms: number | null;
    readonly count: number | null;
    readonly until: number | null;
  },
  nowMs: number,
): { readonly words: string; readonly limits: string } {
  const limits = [
    ...(active.code === null ? [] : [`code ${active.code}`]),
    ...(active.delay_ms === null ? [] : [`by ${formatDuration(active.delay_ms)}`]),
    ...(active.count === null ? [] : [`${active.count} more time${active.count === 1 ? '' : 's'}`]),
    ...(active.until === null ? [] : [`for ${formatDuration(Math.max(0, active.until * 1000 - nowMs))} more`]),
  ];
  return {
    words: isFault(active.fault) ? faultWords[active.fault].words : active.fault,
    limits: limits.join(', '),
  };
}
