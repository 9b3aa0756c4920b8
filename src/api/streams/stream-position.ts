/** Pure: the ids under which clients keep where they are in the stream of all events. */

export interface StreamHead {
  /** Of the database whose positions these are. */
  readonly identity: string;
  readonly position: number;
}

export const formatPosition = ({ identity, position }: StreamHead): string => `${identity}-${position}`;

/** The position that an id stands for, or what is wrong with it, as what was expected. */
export function parsePosition(id: string, head: StreamHead): number | { readonly expected: string } {
  const [, identity, digits] = /^([0-9a-f]{8})-(\d{1,15})$/.exec(id) ?? [];
  if (digits === undefined) return { expected: 'the id of a message of this stream' };
  const position = Number(digits);
  const isKnown = identity === head.identity && position <= head.position;
  return isKnown ? position : { expected: 'an id that this gateway has given out; leave it out to begin anew' };
}
