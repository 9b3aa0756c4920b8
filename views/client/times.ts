/** Keeps relative times true while a page stays open. */

const spans: readonly (readonly [ms: number, unit: string])[] = [
  [86_400_000, 'd'],
  [3_600_000, 'h'],
  [60_000, 'min'],
  [1000, 's'],
];
const renewalMs = 10_000;

/** `just now`, `5 min ago`, `in 2 h`: as the server writes it. */
export function agoOf(atMs: number, nowMs: number): string {
  const distance = nowMs - atMs;
  const [ms, unit] = spans.find(([size]) => Math.abs(distance) >= size) ?? [1000, 's'];
  const amount = Math.floor(Math.abs(distance) / ms);
  if (amount === 0 || (unit === 's' && amount < 10)) return 'just now';
  return distance > 0 ? `${amount} ${unit} ago` : `in ${amount} ${unit}`;
}

/** A `time` element for unix seconds. */
export function timeOf(unixSeconds: number): HTMLTimeElement {
  const made = document.createElement('time');
  const date = new Date(unixSeconds * 1000);
  made.dateTime = date.toISOString();
  made.title = `${date.toISOString().slice(0, 19).replace('T', ' ')} UTC`;
  made.textContent = agoOf(date.getTime(), Date.now());
  return made;
}

export function keepTimes(): void {
  setInterval(() => {
    if (document.hidden) return;
    for (const each of document.querySelectorAll('time[datetime]')) {
      const at = Date.parse(each.getAttribute('datetime') ?? '');
      if (!Number.isNaN(at)) each.textContent = agoOf(at, Date.now());
    }
  }, renewalMs);
}
