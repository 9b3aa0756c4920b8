/** The build of the lean child, which is plain JavaScript, with types for tests. */
import { trusted } from '../../src/contract/trusted.ts';

export interface LeanBuild {
  buildLeanChild(options: {
    readonly folder?: string;
    readonly without?: readonly string[];
    readonly readSource?: (path: string) => string;
  }): Promise<{ readonly bytes: number }>;
  isLeanChildStale(): boolean;
  readonly steps: Readonly<Record<string, string>>;
  splitMessages(options: {
    readonly source: string;
    readonly file: string;
    readonly runtime: string;
    readonly pieces: string;
  }): { readonly code: string; readonly pieces: Uint8Array; readonly count: number };
}

/** Builds the lean child when it is older than what tsc made of its sources: tests run what users run. */
export async function freshLeanChild(): Promise<void> {
  const { isLeanChildStale, buildLeanChild } = await loadLeanBuild();
  if (isLeanChildStale()) await buildLeanChild({});
}

const folder = new URL('../../../scripts/lean/', import.meta.url);

export async function loadLeanBuild(): Promise<LeanBuild> {
  const build: unknown = await import(new URL('build.mjs', folder).href);
  const split: unknown = await import(new URL('split-messages.mjs', folder).href);
  // They stand in this repository, with these names.
  return { ...trusted<Omit<LeanBuild, 'splitMessages'>>(build), ...trusted<Pick<LeanBuild, 'splitMessages'>>(split) };
}
