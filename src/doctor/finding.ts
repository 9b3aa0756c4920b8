/** What a check has found. Pure. */

export interface Finding {
  /** What was looked at, in one word. */
  readonly check: string;
  readonly level: 'ok' | 'warn' | 'fail';
  /** A sentence that says what is. */
  readonly what: string;
  /** What to do about it; null where there is nothing to be done. */
  readonly advice: string | null;
}

/** The findings of one check, by their level. */
export const findingsOf = (check: string) => ({
  ok: (what: string): Finding => ({ check, level: 'ok', what, advice: null }),
  warn: (what: string, advice: string): Finding => ({ check, level: 'warn', what, advice }),
  fail: (what: string, advice: string): Finding => ({ check, level: 'fail', what, advice }),
});

const megabyte = 1_048_576;

export function inWords(bytes: number): string {
  return bytes >= 1024 * megabyte ? `${(bytes / 1024 / megabyte).toFixed(1)} GB` : `${Math.round(bytes / megabyte)} MB`;
}
