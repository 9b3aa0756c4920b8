/** The documentation of the API (docs/api.md), from the operation table. Pure. */
import { errorCatalogue, type ErrorCode } from '../../contract/errors.ts';
import { operationNames, operations } from '../../contract/index.ts';
import type { Operation } from '../../contract/operation.ts';
import { bodyErrors, commonErrors, keyErrorsOf } from '../openapi.ts';

const markers = {
  routes: { begin: '<!-- api:begin -->', end: '<!-- api:end -->' },
  errors: { begin: '<!-- errors:begin -->', end: '<!-- errors:end -->' },
};

/** A document with its tables of routes and of errors renewed. Throws when it has no markers for them. */
export function renderApi(text: string): string {
  return renew(renew(text, markers.routes, renderRoutes()), markers.errors, renderErrors());
}

function renew(text: string, { begin, end }: { readonly begin: string; readonly end: string }, part: string): string {
  const from = text.indexOf(begin);
  const to = text.indexOf(end);
  if (from === -1 || to < from) throw new Error(`the document has no ${begin} … ${end}`);
  return `${text.slice(0, from + begin.length)}\n\n${part}\n\n${text.slice(to)}`;
}

function renderRoutes(): string {
  const all: readonly Operation[] = operationNames.map((name) => operations[name]);
  return [...Map.groupBy(all, ({ tag }) => tag)]
    .map(([tag, group]) => {
      const rows = group.map(
        (operation) => `| ${routesOf(operation)} | ${operation.scope} | ${purposeOf(operation)} | ${ownErrors(operation)} |`,
      );
      return [`### ${tag}`, '', '| Route | Scope | What it does | Errors of its own |', '| --- | --- | --- | --- |', ...rows].join(
        '\n',
      );
    })
    .join('\n\n');
}

const routesOf = ({ method, path, aliases = [] }: Operation): string =>
  [path, ...aliases].map((each) => `\`${method} ${each}\``).join(' or ');

function purposeOf({ summary, runs, idempotent, answersFile }: Operation): string {
  const notes = [
    ...(runs === 'stream' ? ['an event stream'] : []),
    ...(answersFile === true ? ['answers a file'] : []),
    ...(idempotent === false ? [] : ['Idempotency-Key']),
  ];
  return notes.length === 0 ? summary : `${summary} (${notes.join(', ')})`;
}

const listOf = (codes: readonly ErrorCode[]): string => codes.map((code) => `\`${code}\``).join(', ');
const ownErrors = ({ errors }: Operation): string => listOf(errors);

function renderErrors(): string {
  const codes = Object.keys(errorCatalogue).filter(isErrorCode);
  const rows = codes
    .toSorted((a, b) => errorCatalogue[a].status - errorCatalogue[b].status)
    .map((code) => {
      const { status, sentence, retryable } = errorCatalogue[code];
      return `| ${status} | \`${code}\` | ${retryable ? 'yes' : ''} | ${sentence} |`;
    });
  const keyErrors = [...new Set(operationNames.flatMap((name) => keyErrorsOf(operations[name])))];
  return [
    `Every route can answer ${listOf(commonErrors)}, and \`session_not_found\` when it names a session; one with a body also`,
    `${listOf(bodyErrors)}; one that honours an Idempotency-Key also ${listOf(keyErrors)}.`,
    '',
    '| Status | `error.type` | Try again later | What it says, when nothing more precise is known |',
    '| --- | --- | --- | --- |',
    ...rows,
  ].join('\n');
}

const isErrorCode = (code: string): code is ErrorCode => code in errorCatalogue;
