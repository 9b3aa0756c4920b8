/** An operation's example as a command that works as pasted. Pure. */
import type { Operation } from '../contract/operation.ts';
import { pathParamsOf } from './operation-path.ts';

const exampleSessionId = 'support';

/** `baseUrl` ends before /api/v1. The token stands as `$TOKEN`. */
export function curlExample(operation: Operation, baseUrl: string): string {
  const params = Object.entries(operation.example.params);
  const inPath = new Set(pathParamsOf(operation.path));
  const path = operation.path.replace(/:(\w+)/g, (_whole, name: string) => {
    const value = name === 'id' ? exampleSessionId : operation.example.params[name];
    return encodeURIComponent(typeof value === 'string' ? value : name);
  });
  // `id` names the session in a path; as a param of its own it belongs to the body.
  const rest = Object.fromEntries(params.filter(([name]) => name === 'id' || !inPath.has(name)));
  const hasBody = operation.method === 'POST' || operation.method === 'PATCH';
  const query = hasBody ? '' : queryOf(rest);
  const lines = [
    `curl -X ${operation.method} ${quote(`${baseUrl}/api/v1${path}${query}`)}`,
    '-H "Authorization: Bearer $TOKEN"',
  ];
  // Shows each message as it comes.
  if (operation.runs === 'stream') lines.push('-N');
  if (hasBody && Object.keys(rest).length > 0) {
    lines.push("-H 'Content-Type: application/json'", `-d ${quote(JSON.stringify(rest))}`);
  }
  return lines.join(' \\\n  ');
}

function queryOf(params: Readonly<Record<string, unknown>>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) {
    query.set(name, typeof value === 'string' ? value : JSON.stringify(value));
  }
  return query.size === 0 ? '' : `?${query.toString()}`;
}

const quote = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
