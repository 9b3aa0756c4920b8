/**
 * A supervisor in a process of its own, to be killed: prints the pids of its children once all are connected. The child
 * of the session `busy` is in an endless loop by then. At SIGUSR2 it asks all children something and prints pids again.
 */
import { supervise } from './supervised.ts';

const [storagePath = '', ...ids] = process.argv.slice(2);
const supervised = await supervise({
  storagePath,
  settings: ids.includes('busy') ? { heartbeatKillMs: 60_000 } : {},
  prepare: (store) => {
    for (const id of ids) store.addSession(id, { desired: 'running' });
  },
});
await Promise.all(ids.map((id) => supervised.connected(id)));
const pids = ids.map((id) => supervised.pid(id));
if (ids.includes('busy')) {
  await supervised.ask('busy', 'busy_loop');
  await supervised.until('busy', ({ statusReason }) => statusReason.includes('not answered'));
}
process.on('SIGUSR2', () => {
  const asked = Promise.all(ids.map((id) => supervised.ask(id, 'pid')));
  void asked.then((answers) => answers.join(' '), String).then((line) => process.stdout.write(`${line}\n`));
});
process.stdout.write(`${pids.join(' ')}\n`);
