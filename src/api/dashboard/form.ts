/** What a form of the dashboard does: it works without scripts, ends in a redirect, and shows what is wrong beside the field. */
import { WardenError, type ErrorDetail } from '../../contract/errors.ts';
import type { RequestMiddleware } from '../state.ts';

export interface DashboardForm {
  readonly path: string;
  readonly submit: RequestMiddleware;
  /** The largest body it takes, where that is more than of other forms. */
  readonly bodyBytes?: number;
}

/** What is wrong with a form: a sentence for the whole, and one for each field that is to blame. */
export interface FormProblems {
  readonly message: string | null;
  readonly fields: Readonly<Record<string, string>>;
}

export const noProblems: FormProblems = { message: null, fields: {} };

/** The problems that an error of an operation tells of; throws what is not the fault of who filled the form in. */
export function problemsOf(thrown: unknown): FormProblems {
  if (!(thrown instanceof WardenError) || thrown.code === 'internal_error') throw thrown;
  const details = thrown.details ?? [];
  const fields = Object.fromEntries(details.map((detail) => [detail.field, expectation(detail)]));
  return { message: details.length === 0 ? thrown.message : 'Please correct what is marked.', fields };
}

const expectation = ({ expected, received }: ErrorDetail): string =>
  `Expected: ${expected}${received === undefined || received === 'nothing' ? '' : `, not ${received}`}.`;
