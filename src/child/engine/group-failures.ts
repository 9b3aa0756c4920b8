/** What WhatsApp's refusals mean when they are about groups. */
import { WardenError } from '../../contract/errors.ts';
import { normaliseFailure } from './failures.ts';

/** WhatsApp's code of a refusal; null for every other failure. */
export function refusalCode(error: WardenError): number | null {
  if (error.code !== 'whatsapp_refused') return null;
  const received = error.details?.find(({ field }) => field === 'whatsapp_code')?.received;
  return received === undefined ? null : Number(received);
}

/** A failed lookup: WhatsApp answers 404 for a group that is not there and 403 (or 401) for one that is not ours. */
export function lookupFailure(thrown: unknown, what: string): WardenError {
  const error = normaliseFailure(thrown, what);
  const code = refusalCode(error);
  const isUnknown = code !== null && [401, 403, 404, 410].includes(code);
  return isUnknown ? new WardenError('group_not_found', { ...detailsOf(error), cause: error }) : error;
}

/** A failed change in a group whose member the account is. */
export function changeFailure(thrown: unknown, what: string): WardenError {
  const error = normaliseFailure(thrown, what);
  switch (refusalCode(error)) {
    case 401:
    case 403:
      return new WardenError('not_a_group_admin', { ...detailsOf(error), cause: error });
    case 404:
      return new WardenError('group_not_found', { ...detailsOf(error), cause: error });
    default:
      return error;
  }
}

/** The invite does not lead anywhere (any more). */
export function inviteFailure(thrown: unknown, what: string): WardenError {
  const error = normaliseFailure(thrown, what);
  const code = refusalCode(error);
  if (code === null || ![400, 401, 403, 404, 406, 410].includes(code)) return error;
  return new WardenError('group_not_found', {
    message: 'This invite leads to no group: the code is wrong, was revoked, or is not for this account.',
    ...detailsOf(error),
    cause: error,
  });
}

function detailsOf({ details }: WardenError): { details?: NonNullable<WardenError['details']> } {
  return details === undefined ? {} : { details };
}
