/** How numbers, times and states read on a page. Pure. */

const kilo = 1024;
const byteUnits = ['B', 'KB', 'MB', 'GB', 'TB'] as const;

/** `15.2 MB`; a dash for what is not known. */
export function formatBytes(bytes: number | null): string {
  if (bytes === null) return '–';
  let value = bytes;
  let unit = 0;
  while (Math.abs(value) >= kilo && unit < byteUnits.length - 1) {
    value /= kilo;
    unit += 1;
  }
  const digits = unit === 0 || Math.abs(value) >= 100 ? 0 : 1;
  return `${value.toFixed(digits)} ${byteUnits[unit] ?? 'B'}`;
}

const grouped = new Intl.NumberFormat('en', { maximumFractionDigits: 1 });

/** `12,345`; a dash for what is not known. */
export function formatCount(count: number | null): string {
  return count === null ? '–' : grouped.format(count);
}

const spans: readonly (readonly [ms: number, unit: string])[] = [
  [86_400_000, 'd'],
  [3_600_000, 'h'],
  [60_000, 'min'],
  [1000, 's'],
];

/** The two largest units: `3 d 4 h`, `12 s`; below a second `230 ms`. */
export function formatDuration(durationMs: number | null): string {
  if (durationMs === null) return '–';
  if (durationMs < 1000) return `${Math.round(durationMs)} ms`;
  const parts: string[] = [];
  let rest = durationMs;
  for (const [ms, unit] of spans) {
    const amount = Math.floor(rest / ms);
    if (amount === 0) {
      if (parts.length > 0) break;
      continue;
    }
    parts.push(`${amount} ${unit}`);
    rest -= amount * ms;
    if (parts.length === 2) break;
  }
  return parts.join(' ');
}

/** `just now`, `5 min ago`, `in 2 h`. The client renews these by the same rule. */
export function formatAgo(atMs: number, nowMs: number): string {
  const distance = nowMs - atMs;
  const [ms, unit] = spans.find(([size]) => Math.abs(distance) >= size) ?? [1000, 's'];
  const amount = Math.floor(Math.abs(distance) / ms);
  if (amount === 0 || (unit === 's' && amount < 10)) return 'just now';
  return distance > 0 ? `${amount} ${unit} ago` : `in ${amount} ${unit}`;
}

/** The instant in full, in UTC: `2026-01-01 00:00:00 UTC`. */
export function formatInstant(atMs: number): string {
  return `${new Date(atMs).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

/** `+15551234567` of digits; a JID without its server. */
export function formatPhone(address: string | null): string {
  if (address === null) return '–';
  const [user = ''] = address.split('@');
  return /^\d{6,}$/.test(user) && !address.endsWith('@lid') && !address.endsWith('@g.us') ? `+${user}` : user;
}

/** The part in percent, at most 100; null when there is no whole. */
export function percentOf(part: number | null, whole: number | null): number | null {
  if (part === null || whole === null || whole <= 0) return null;
  return Math.min(100, Math.round((part / whole) * 100));
}

/** `waiting_for_qr` → `Waiting for QR`. */
export function formatWords(name: string): string {
  const words = name.replaceAll('_', ' ').replace(/\bqr\b/, 'QR');
  return `${words.slice(0, 1).toUpperCase()}${words.slice(1)}`;
}

/** `Ann Carter` → `AC`: of the first two words that begin with a letter; empty when none does. */
export function initialsOf(name: string): string {
  const letters = name
    .slice(0, 200)
    .split(/\s+/)
    .flatMap((word) => /^\p{L}/u.exec(word)?.[0] ?? []);
  return letters.slice(0, 2).join('').toLocaleUpperCase('en');
}
