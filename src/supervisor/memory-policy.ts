/** How much memory a child may have, and what a sample of it means. Pure. Sizes are bytes. */

export interface MemoryCaps {
  /** Of private memory (RssAnon and swap), as sampled. */
  readonly capBytes: number;
  /** For --max-old-space-size. */
  readonly heapMb: number;
  /** For RLIMIT_DATA: what the kernel refuses beyond. */
  readonly dataBytes: number;
}

const megabyte = 1_048_576;
/** What each further session of a packed child may take. */
const furtherSessionMb = 24;
const dataMarginMb = 64;
/** V8 of Node 26 reserves its code range as writable memory, which RLIMIT_DATA counts though nothing of it is used. */
const codeRangeMb = 512;

/** Caps of a child with room for `places` sessions; `ownCapsMb` are those that its sessions ask for. */
export function memoryCaps(defaultMb: number, places: number, ownCapsMb: readonly (number | null)[]): MemoryCaps {
  const largestMb = Math.max(
    ...ownCapsMb.map((own) => own ?? defaultMb),
    ...(ownCapsMb.length === 0 ? [defaultMb] : []),
  );
  const capMb = largestMb + furtherSessionMb * (Math.max(1, places) - 1);
  return {
    capBytes: capMb * megabyte,
    heapMb: Math.round(capMb / 2),
    dataBytes: (capMb + dataMarginMb + codeRangeMb) * megabyte,
  };
}

/** What is to be done about a child of this size. */
export function judgeMemory(privateBytes: number, caps: MemoryCaps): 'fine' | 'kill' {
  return privateBytes > caps.capBytes ? 'kill' : 'fine';
}
