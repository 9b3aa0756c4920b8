/**
 * About how many bytes a value takes on the wire: strings, typed arrays and a little for each node. Stops counting once
 * it is beyond `limitBytes`, so that a value that refers to itself ends as well.
 */
export function estimateBytes(value: unknown, limitBytes: number): number {
  let bytes = 0;
  const open: unknown[] = [value];
  while (open.length > 0 && bytes <= limitBytes) {
    const node = open.pop();
    bytes += 8;
    if (typeof node === 'string') bytes += node.length * 2;
    else if (typeof node !== 'object' || node === null) continue;
    else if (ArrayBuffer.isView(node) || node instanceof ArrayBuffer) bytes += node.byteLength;
    else if (Array.isArray(node) || node instanceof Set) for (const item of node) open.push(item);
    else if (node instanceof Map) for (const [key, item] of node) open.push(key, item);
    else
      for (const [key, item] of Object.entries(node)) {
        bytes += key.length;
        open.push(item);
      }
  }
  return bytes;
}
