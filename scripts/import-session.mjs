// `npm run import-session -- --file <file>` or `-- --folder <folder of Baileys> --id <session>`: creates a session of the
// running gateway from what another gateway, or another program, has kept of an account.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { fail, post, readPassphrase, UsageError } from './ask-gateway.mjs';

const usage = `npm run import-session -- --file <file> [--id <session>] [--name <name>] [--no-connect]
  or npm run import-session -- --folder <folder> --id <session> [--name <name>] [--connect]`;

try {
  const { values } = parseArgs({
    allowNegative: true,
    options: {
      file: { type: 'string' },
      folder: { type: 'string' },
      id: { type: 'string' },
      name: { type: 'string' },
      connect: { type: 'boolean' },
    },
  });
  const { file, folder, id, name, connect } = values;
  if ((file === undefined) === (folder === undefined)) throw new UsageError(usage);
  if (folder !== undefined && id === undefined) throw new UsageError(usage);
  const common = {
    ...(id === undefined ? {} : { id }),
    ...(name === undefined ? {} : { name }),
    ...(connect === undefined ? {} : { auto_connect: connect }),
  };
  const answer =
    file === undefined
      ? await post('/sessions/import-baileys', { ...common, files: await filesOf(folder) })
      : await post('/sessions/import', {
          ...common,
          file: (await readFile(file)).toString('base64'),
          passphrase: await readPassphrase(),
        });
  const session = await answer.json();
  console.log(`The session ${session.id} is there: ${session.status_reason}`);
  if (folder !== undefined && connect !== true) {
    console.log(`End the program that used ${folder}, then connect: POST /api/v1/sessions/${session.id}/connect`);
  }
} catch (error) {
  fail('The session was not imported', error);
}

async function filesOf(folder) {
  const names = (await readdir(folder, { withFileTypes: true }).catch(unreadable))
    .filter((entry) => entry.isFile())
    .map((entry) => entry.name);
  const texts = await Promise.all(names.map((each) => readFile(join(folder, each), 'utf8').catch(unreadable)));
  return Object.fromEntries(names.map((each, index) => [each, texts[index]]));
}

function unreadable(error) {
  throw new UsageError(error.message);
}
