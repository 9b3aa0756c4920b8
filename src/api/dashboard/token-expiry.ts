/** How long a token that is made in the dashboard works. Pure. */

/** Days, as the form offers them. */
export const expiries = [
  { value: '30', words: '30 days' },
  { value: '90', words: '90 days' },
  { value: '365', words: 'a year' },
  { value: 'never', words: 'until it is revoked' },
] as const;
export type Expiry = (typeof expiries)[number]['value'];

const daySeconds = 86_400;

/** What makes no sense is taken for the shortest. */
export const expiryOf = (text: string): Expiry => expiries.find(({ value }) => value === text)?.value ?? '30';

/** As the API takes it: unix seconds, null for never. */
export function expiresAtOf(expiry: Expiry, nowMs: number): number | null {
  return expiry === 'never' ? null : Math.floor(nowMs / 1000) + Number(expiry) * daySeconds;
}
