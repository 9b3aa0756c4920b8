/**
 * A supervisor in a process of its own, to be killed: prints the pids of its children once all are connected. The children
 * of sessions whose name begins with `busy` are in an endless loop by then, those with `asked` have a request under way.
 * `unguarded` as the first session lets children live on without their supervisor. At SIGUSR2 it asks all children
 * something and prints pids again.
 */
import { supervise } from './supervised.ts';

const [storagePath = '', ...names] = process.argv.slice(2);
const ids = names.filter((name) => name !== 'unguarded');
const busy = ids.filter((id) => id.startsWith('busy'));
const supervised = await supervise({
  storagePath,
  settings: { startConcurrency: 4, ...(busy.length > 0 ? { heartbeatKillMs: 60_000 } : {}) },
  ...(ids.length < names.length ? { wrappers: { setpriv: null, prlimit: null } } : {}),
  prepare: (store) => {
    for (const id of ids) store.addSession(id, { desired: 'running' });
  },
});
await Promise.all(ids.map((id) => supervised.until(id, ({ status }) => status === 'connected', 60_000)));
const pids = ids.map((id) => supervised.pid(id));
for (const id of busy) await supervised.ask(id, 'busy_loop');
for (const id of busy) await supervised.until(id, ({ statusReason }) => statusReason.includes('not answered'));
for (const id of ids) if (id.startsWith('asked')) supervised.ask(id, 'never').catch(() => null);
process.on('SIGUSR2', () => {
  const asked = Promise.all(ids.map((id) => supervised.ask(id, 'pid')));
  void asked.then((answers) => answers.join(' '), String).then((line) => process.stdout.write(`${line}\n`));
});
process.stdout.write(`${pids.join(' ')}\n`);
