/** How much memory a child may have, and what a sample of it means. Pure. Sizes are bytes. */

export interface MemoryCaps {
  /** Of private memory (RssAnon and swap), as sampled. */
  readonly capBytes: number;
  /** For --max-old-space-size. */
  readonly heapMb: number;
  /** For RLIMIT_DATA: what the kernel refuses beyond. */
  readonly dataBytes: number;
}

/** One look at a child: what the kernel counts, and what the child itself said last of its heap and buffers. */
export interface MemorySample {
  /** Unix milliseconds. */
  readonly at: number;
  readonly privateBytes: number;
  readonly heapBytes: number | null;
  readonly externalBytes: number | null;
}

/** Where memory went: the JavaScript heap, buffers outside of it, or everything else. */
export type GrowthKind = 'heap' | 'external' | 'native';

const megabyte = 1_048_576;
/** What each further session of a packed child may take: bench measurements show a tenth of it at rest. */
const furtherSessionMb = 24;
const dataMarginMb = 64;
/**
 * V8 of Node 26 reserves its code range and more as writable memory, which RLIMIT_DATA counts though nothing of it is
 * used: VmData less RssAnon of an idle child was measured as 566 to 576 MB.
 */
const reservedMb = 580;

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
    dataBytes: (capMb + dataMarginMb + reservedMb) * megabyte,
  };
}

/** What is to be done about a child of this size: replaced at a quiet moment, or ended now. */
export function judgeMemory(
  privateBytes: number,
  { capBytes }: Pick<MemoryCaps, 'capBytes'>,
  softRatio: number,
): 'fine' | 'recycle' | 'kill' {
  if (privateBytes > capBytes) return 'kill';
  return privateBytes > capBytes * softRatio ? 'recycle' : 'fine';
}

/** Sizes at two looks that follow each other; `before` is null at the first. */
interface Looks {
  readonly before: number | null;
  readonly now: number;
  /** Beyond this the child is to be replaced. */
  readonly softBytes: number;
}

const restingSkips = 4;
const noGrowthBytes = 512 * 1024;

/**
 * How many of the coming looks may be left out: a child that is far from its cap and does not grow is looked at less
 * often, while one that begins to grow is seen every time.
 */
export function looksToSkip({ before, now, softBytes }: Looks): number {
  const isResting = before !== null && now - before < noGrowthBytes && now < softBytes / 2;
  return isResting ? restingSkips : 0;
}

export type MemorySizes = Pick<MemorySample, 'privateBytes' | 'heapBytes' | 'externalBytes'>;

const nothing: MemorySizes = { privateBytes: 0, heapBytes: 0, externalBytes: 0 };

/**
 * What to compare with: the first sample for which the child told its heap, unless most of what is there now was there
 * by then. Then everything counts as grown: what came after that sample does not tell why the child is large.
 */
function baselineOf(first: MemorySample, told: MemorySizes): MemorySizes {
  return first.privateBytes > told.privateBytes / 2 ? nothing : first;
}

/**
 * What has grown most since the first sample for which the child told its heap. `told` is what it told last, with its
 * private memory at that time. Null when it never did, or when most of the growth came after that.
 */
export function growthOf(samples: readonly MemorySample[], told: MemorySizes | null): GrowthKind | null {
  const [earliest] = samples;
  const latest = samples.at(-1);
  const first = samples.find(({ heapBytes }) => heapBytes !== null);
  if (told === null || earliest === undefined || latest === undefined || first === undefined) return null;
  const untold = latest.privateBytes - told.privateBytes;
  if (untold > Math.max(0, latest.privateBytes - earliest.privateBytes) / 2) return null;
  const isToldOnce = first.heapBytes === told.heapBytes && first.externalBytes === told.externalBytes;
  const base = isToldOnce ? nothing : baselineOf(first, told);
  const heap = (told.heapBytes ?? 0) - (base.heapBytes ?? 0);
  const external = (told.externalBytes ?? 0) - (base.externalBytes ?? 0);
  const native = told.privateBytes - base.privateBytes - heap - external;
  if (Math.max(heap, external, native) <= 0) return null;
  if (heap >= external && heap >= native) return 'heap';
  return external >= native ? 'external' : 'native';
}
