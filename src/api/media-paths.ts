/** Pure. The paths of requests that are treated in a way of their own before their route is known. */
import { operationNames, operations } from '../contract/index.ts';
import type { Operation } from '../contract/operation.ts';

function pathsOf(isMeant: (operation: Operation) => boolean): (path: string) => boolean {
  const patterns = operationNames.flatMap((name) => {
    const operation: Operation = operations[name];
    if (!isMeant(operation)) return [];
    return [operation.path, ...(operation.aliases ?? [])].map(
      (path) => new RegExp(`^/api/v1${path.replaceAll(/:[a-z_]+/g, '[^/]+')}/?$`),
    );
  });
  return (path) => patterns.some((pattern) => pattern.test(path));
}

/** Whether a body there may be multipart. */
export const takesMultipart = pathsOf(({ media }) => media !== undefined);
/** Whether a JSON body there may hold a file as base64. */
export const mayHoldFile = pathsOf(({ media, holdsFile }) => media !== undefined || holdsFile === true);
/** Whether a stream of events is opened there. */
export const opensStream = pathsOf(({ runs }) => runs === 'stream');
