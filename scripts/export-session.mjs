// `npm run export-session -- --id <session> --file <file>`: writes a session of the running gateway into an encrypted file.
import { open, unlink } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { fail, post, readPassphrase, UsageError } from './ask-gateway.mjs';

try {
  const { values } = parseArgs({ options: { id: { type: 'string' }, file: { type: 'string' } } });
  const { id, file = `${id}.warden-session` } = values;
  if (id === undefined) throw new UsageError('npm run export-session -- --id <session> [--file <file>]');
  const passphrase = await readPassphrase();
  // Before the session is stopped: a file that cannot be written must not cost a connection.
  const target = await open(file, 'wx', 0o600);
  try {
    const answer = await post(`/sessions/${encodeURIComponent(id)}/export`, { passphrase });
    await target.writeFile(Buffer.from(await answer.arrayBuffer()));
    await target.sync();
  } catch (error) {
    await unlink(file);
    throw error;
  } finally {
    await target.close();
  }
  console.log(`${file} holds the session ${id}, which is stopped here and stays so. Import it on the other gateway:`);
  console.log(`  npm run import-session -- --file ${file}`);
} catch (error) {
  fail('The session was not exported', error);
}
