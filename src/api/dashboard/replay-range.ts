/** The form that sends deliveries again: its times are of UTC, as the form says. Pure. */
import { WardenError } from '../../contract/errors.ts';
import type { TextOfField } from './webhook-values.ts';

/** The params of `replayDeliveries`, but the webhook; throws `invalid_request` for what is no time. */
export function replayInput(field: TextOfField): Readonly<Record<string, unknown>> {
  const status = field('status');
  return {
    ...unixSeconds('from', field('from')),
    ...unixSeconds('to', field('to')),
    ...(status === '' ? {} : { status }),
    ...(field('include_missed') === 'yes' ? { include_missed: true } : {}),
  };
}

/** `2026-01-31T09:30`, with seconds or without, as browsers write it. */
function unixSeconds(name: 'from' | 'to', text: string): Readonly<Record<string, number>> {
  if (text === '') return {};
  const at = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d)?$/.test(text) ? Date.parse(`${text}Z`) : Number.NaN;
  if (!Number.isNaN(at)) return { [name]: Math.floor(at / 1000) };
  throw new WardenError('invalid_request', {
    details: [{ field: name, expected: 'a time like 2026-01-31T09:30' }],
  });
}
