/** Multipart requests and files as answers, as clients of the gateway use them. */
import { createHash } from 'node:crypto';
import { request } from 'undici';
import { token, type GatewayUnderTest } from './gateway.ts';

export interface FormAnswer {
  readonly status: number;
  readonly json: unknown;
}

/** Posts fields and one file as multipart/form-data; the file may be larger than memory should hold. */
export async function postForm(
  gateway: GatewayUnderTest,
  path: string,
  form: {
    readonly fields: Readonly<Record<string, string>>;
    readonly file?: { readonly blob: Blob; readonly name: string };
  },
): Promise<FormAnswer> {
  const body = new FormData();
  for (const [name, value] of Object.entries(form.fields)) body.append(name, value);
  if (form.file !== undefined) body.append('file', form.file.blob, form.file.name);
  const answer = await fetch(`${gateway.baseUrl}/api/v1${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
    body,
  });
  const json: unknown = await answer.json();
  return { status: answer.status, json };
}

export interface FileAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly bytes: Buffer;
}

export async function getFile(gateway: GatewayUnderTest, path: string): Promise<FileAnswer> {
  const answer = await request(`${gateway.baseUrl}${path}`, { headers: { authorization: `Bearer ${token}` } });
  return { status: answer.statusCode, headers: answer.headers, bytes: Buffer.from(await answer.body.arrayBuffer()) };
}

export const sha256Hex = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
