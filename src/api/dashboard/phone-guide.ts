/** The guided two minutes beside the simulated phone: which steps are done, and which is next. Pure. */

export interface GuideFacts {
  readonly isLinked: boolean;
  readonly contacts: readonly { readonly last_message: { readonly from: string } | null }[];
  /** Messages that the gateway keeps of this session, by direction; each is told as an event when it is kept. */
  readonly sent: number;
  readonly received: number;
}

const names = ['link', 'contact', 'send', 'answer', 'event'] as const;
export type GuideStep = (typeof names)[number];

export interface Guide {
  readonly steps: readonly { readonly name: GuideStep; readonly isDone: boolean; readonly isNext: boolean }[];
  readonly done: number;
}

export function guideOf({ isLinked, contacts, sent, received }: GuideFacts): Guide {
  const hasWritten = contacts.some(({ last_message: last }) => last?.from === 'contact');
  const isDone: Readonly<Record<GuideStep, boolean>> = {
    link: isLinked,
    contact: contacts.length > 0,
    send: sent > 0,
    answer: hasWritten || received > 0,
    event: received > 0,
  };
  const next = names.find((name) => !isDone[name]);
  return {
    steps: names.map((name) => ({ name, isDone: isDone[name], isNext: name === next })),
    done: names.filter((name) => isDone[name]).length,
  };
}
