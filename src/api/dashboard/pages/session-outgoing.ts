/** What a session is to send later, and what it sends to many. */
import { noProblems, type FormProblems } from '../form.ts';
import { nameOf } from '../message-bubble.ts';
import { askSession } from '../session-call.ts';
import { barParts } from '../session-tone.ts';
import type { Asked } from './session-messages.ts';

const shownRows = 50;
const barWidth = 1000;

export interface BulkFormValues {
  readonly name: string;
  readonly text: string;
  readonly recipients: string;
  readonly intervalSeconds: string;
  readonly jitterSeconds: string;
}

const emptyBulk: BulkFormValues = { name: '', text: '', recipients: '', intervalSeconds: '3', jitterSeconds: '2' };

const statusTones = {
  scheduled: 'info',
  running: 'good',
  paused: 'warn',
  cancelled: 'none',
  finished: 'none',
} as const;

interface Wanted {
  readonly view: 'chats' | 'scheduled' | 'bulk';
  readonly refused: { readonly values: BulkFormValues; readonly problems: FormProblems } | null;
}

/** Lists only what is looked at; the number of scheduled messages stands beside the chats, too. */
export async function outgoingModel({ dependencies, caller, row, marks }: Asked, { view, refused }: Wanted) {
  const [waiting, bulks] = await Promise.all([
    askSession(dependencies, 'listScheduled', { caller, row, input: { limit: view === 'scheduled' ? shownRows : 1 } }),
    askSession(dependencies, 'listBulks', { caller, row, input: { limit: view === 'bulk' ? shownRows : 1 } }),
  ]);
  return {
    scheduled: {
      total: waiting.total,
      list: waiting.messages.map((message) => ({ ...message, name: nameOf(message.to, marks) })),
    },
    bulks: {
      total: bulks.total,
      list: bulks.bulks.map((bulk) => ({ ...bulk, tone: statusTones[bulk.status], bar: barOf(bulk.counts) })),
    },
    bulkForm: refused ?? { values: emptyBulk, problems: noProblems },
  };
}

interface Counts {
  readonly queued: number;
  readonly sending: number;
  readonly sent: number;
  readonly delivered: number;
  readonly read: number;
  readonly failed: number;
}

/** What is done at the left, what failed after it; the rest of the bar is what waits. */
function barOf({ queued, sending, sent, delivered, read, failed }: Counts) {
  const parts = [
    { tone: 'good', count: sent + delivered + read },
    { tone: 'bad', count: failed },
    { tone: 'info', count: sending },
    { tone: 'none', count: queued },
  ];
  const done = sent + delivered + read + failed;
  const all = done + sending + queued;
  return { parts: barParts(parts, barWidth), done, all, percent: all === 0 ? 100 : Math.floor((done / all) * 100) };
}
