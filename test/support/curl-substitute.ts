/** The few options of curl that our documentation uses, for machines that have none. */
import { openAsBlob } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { parseArgs } from 'node:util';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    silent: { type: 'boolean', short: 's' },
    'show-error': { type: 'boolean', short: 'S' },
    request: { type: 'string', short: 'X' },
    header: { type: 'string', short: 'H', multiple: true, default: [] },
    data: { type: 'string', short: 'd' },
    form: { type: 'string', short: 'F', multiple: true, default: [] },
    output: { type: 'string', short: 'o' },
  },
});

const headers = values.header.map((line): [string, string] => {
  const colon = line.indexOf(':');
  return [line.slice(0, colon), line.slice(colon + 1).trim()];
});
const body = values.form.length > 0 ? await formOf(values.form) : values.data;
const response = await fetch(positionals[0] ?? '', {
  method: values.request ?? (body === undefined ? 'GET' : 'POST'),
  headers,
  ...(body === undefined ? {} : { body }),
});
const bytes = Buffer.from(await response.arrayBuffer());
if (values.output === undefined) process.stdout.write(bytes);
else await writeFile(values.output, bytes);

async function formOf(fields: readonly string[]): Promise<FormData> {
  const form = new FormData();
  for (const field of fields) {
    const [name = '', value = ''] = field.split(/=(.*)/s);
    if (value.startsWith('@')) form.append(name, await openAsBlob(value.slice(1)), basename(value.slice(1)));
    else form.append(name, value);
  }
  return form;
}
