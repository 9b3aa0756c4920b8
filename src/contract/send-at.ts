/** When a message is to be sent: an instant as people and programs write it. Pure. */
import { z } from 'zod';

export type SendAtReading =
  /** Unix milliseconds. */
  { readonly tag: 'instant'; readonly at: number } | { readonly tag: 'refused'; readonly expected: string };

const forms = 'an ISO 8601 date and time with its offset, such as 2027-01-31T09:30:00+01:00, or unix seconds';
/** Above this a number of seconds is beyond any year that can be meant: it counts milliseconds. */
const mostSeconds = 99_999_999_999;

const pattern =
  /^(\d{4})-(\d{2})-(\d{2})[T ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,12}))?)?(Z|[+-]\d{2}(?::?\d{2})?)?$/i;

/** Text of digits counts as unix seconds: the fields of a form are text. */
export function readSendAt(value: string | number): SendAtReading {
  if (typeof value === 'number') return readSeconds(value);
  const text = value.trim();
  if (/^\d{1,17}(?:\.\d{1,9})?$/.test(text)) return readSeconds(Number(text));
  const [, year, month, day, hour, minute, second = '0', fraction = '', offset] = pattern.exec(text) ?? [];
  if (year === undefined) return refused(forms);
  if (offset === undefined) return refused(`${forms}; a time without an offset means another instant in every place`);
  const offsetMinutes = minutesOf(offset);
  const [y, mo, d, h, mi, s] = [year, month, day, hour, minute, second].map(Number);
  const date = new Date(Date.UTC(Number(y), Number(mo) - 1, Number(d)));
  const isDay = date.getUTCMonth() === Number(mo) - 1 && date.getUTCDate() === Number(d);
  // A leap second is the first one of the next minute, as clocks here count.
  const isTime = Number(h) <= 23 && Number(mi) <= 59 && Number(s) <= 60;
  if (!isDay || !isTime || offsetMinutes === null) return refused(`${forms}; this date, time or offset does not exist`);
  const ms = Number(fraction.padEnd(3, '0').slice(0, 3));
  const minutes = Number(h) * 60 + Number(mi) - offsetMinutes;
  return { tag: 'instant', at: date.getTime() + minutes * 60_000 + Number(s) * 1000 + ms };
}

function readSeconds(seconds: number): SendAtReading {
  if (seconds > mostSeconds) return refused(`${forms}; the number is too large for seconds, it may be milliseconds`);
  return Number.isFinite(seconds) && seconds >= 0 ? { tag: 'instant', at: Math.round(seconds * 1000) } : refused(forms);
}

/** East of Greenwich is positive; null for what no place has. */
function minutesOf(offset: string): number | null {
  if (offset.toUpperCase() === 'Z') return 0;
  const [, sign, hours, minutes = '0'] = /^([+-])(\d{2}):?(\d{2})?$/.exec(offset) ?? [];
  if (Number(hours) > 23 || Number(minutes) > 59) return null;
  return (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes));
}

const refused = (expected: string): SendAtReading => ({ tag: 'refused', expected });

const pastMs = 60_000;
const farMs = 366 * 24 * 3_600_000;

/** What is wrong with an instant at the time `now`, as what is expected instead; null for one that can be waited for. */
export function objectionToSendAt(at: number, now: number): string | null {
  if (at < now - pastMs) return 'a time that is not in the past';
  return at > now + farMs ? 'a time within a year from now' : null;
}

/**
 * Parsed to unix milliseconds. Whether it lies in the past is not part of the schema: a request that is repeated when its
 * time has come must find the answer to the first.
 */
export const sendAt = z
  .union([z.string().min(1).max(40), z.number()])
  .transform((value, context) => {
    const reading = readSendAt(value);
    if (reading.tag === 'instant') return reading.at;
    context.addIssue({ code: 'custom', message: reading.expected });
    return z.NEVER;
  })
  .describe(
    'Send it then and not now: ISO 8601 with an offset, or unix seconds, at most a year ahead. The session need not be connected before.',
  );
