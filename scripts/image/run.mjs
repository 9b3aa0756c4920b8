import { spawnSync } from 'node:child_process';

/** Runs a command and answers what it printed. Throws, with the end of all that it said, when it fails. */
export function run(command, args, options = {}) {
  const { status, signal, error, stdout, stderr } = spawnSync(command, args, {
    encoding: 'utf8',
    maxBuffer: 256 * 1024 * 1024,
    ...options,
  });
  if (status === 0) return stdout;
  const said = `${stdout ?? ''}\n${stderr ?? ''}`.trim().split('\n').slice(-40).join('\n');
  throw new Error(`${command} ${args[0] ?? ''} ended with ${error?.message ?? status ?? signal}:\n${said}`);
}
