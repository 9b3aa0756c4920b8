/** Reading and building stanzas. */
import type { BinaryNode } from '../types.ts';

/** The server's own address as clients read and write it. */
export const SERVER_JID = '@s.whatsapp.net';

/** All child nodes, or those with a tag. */
export function children(node: BinaryNode | undefined, tag?: string): readonly BinaryNode[] {
  if (node === undefined || !Array.isArray(node.content)) return [];
  return tag === undefined ? node.content : node.content.filter((child) => child.tag === tag);
}

/** The first child, or the first with a tag. */
export function child(node: BinaryNode | undefined, tag?: string): BinaryNode | undefined {
  return children(node, tag)[0];
}

/** The content as bytes; the codec may deliver short contents as strings. Empty when there is none. */
export function bytesOf(node: BinaryNode | undefined): Buffer {
  const content = node?.content;
  if (content === undefined || Array.isArray(content)) return Buffer.alloc(0);
  return typeof content === 'string'
    ? Buffer.from(content, 'utf8')
    : Buffer.from(content.buffer, content.byteOffset, content.byteLength);
}

/** The content as text; empty when there is none. */
export function textOf(node: BinaryNode | undefined): string {
  return bytesOf(node).toString('utf8');
}

/** The content as an unsigned big-endian number of up to six bytes; 0 when there is none. */
export function uintOf(node: BinaryNode | undefined): number {
  const bytes = bytesOf(node);
  return bytes.length === 0 || bytes.length > 6 ? 0 : bytes.readUIntBE(0, bytes.length);
}

/** A number as `length` big-endian bytes. */
export function bigEndian(value: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  bytes.writeUIntBE(value, 0, length);
  return bytes;
}

/** A node from its parts; attributes that are undefined are left out. */
export function element(
  tag: string,
  attrs: Readonly<Record<string, string | undefined>> = {},
  content?: BinaryNode['content'],
): BinaryNode {
  const present: Record<string, string> = {};
  for (const [name, value] of Object.entries(attrs)) if (value !== undefined) present[name] = value;
  return content === undefined ? { tag, attrs: present } : { tag, attrs: present, content };
}

/** The answer to an iq: from whom it was addressed to, under its id. */
export function iqResult(request: BinaryNode, content?: BinaryNode[]): BinaryNode {
  return element('iq', { from: request.attrs['to'] ?? SERVER_JID, type: 'result', id: request.attrs['id'] }, content);
}

/** The refusal of an iq, with WhatsApp's numeric code and its word for it. */
export function iqError(request: BinaryNode, code: number, text: string): BinaryNode {
  return element('iq', { from: request.attrs['to'] ?? SERVER_JID, type: 'error', id: request.attrs['id'] }, [
    element('error', { code: String(code), text }),
  ]);
}

/** Whether a node is an iq of this namespace and type. */
export function isIq(node: BinaryNode, xmlns: string, type?: 'get' | 'set'): boolean {
  return node.tag === 'iq' && node.attrs['xmlns'] === xmlns && (type === undefined || node.attrs['type'] === type);
}

/** What a stanza is, without anything of its content or of who it concerns: for the oracle and the log. */
export function describeNode(node: BinaryNode): string {
  const parts = [node.tag];
  for (const name of ['type', 'xmlns', 'class']) {
    const value = node.attrs[name];
    if (value !== undefined) parts.push(`${name}=${value}`);
  }
  const first = child(node);
  return first === undefined ? parts.join(' ') : `${parts.join(' ')} <${first.tag}>`;
}
