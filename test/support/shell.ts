/** Runs commands as the documentation prints them, in a POSIX shell with curl. */
import { execFile } from 'node:child_process';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const substitute = fileURLToPath(new URL('./curl-substitute.js', import.meta.url));
const timeoutMs = 120_000;

/** Answers what the script printed; fails when a command of it fails. */
export async function runShell(script: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'warden-shell-'));
  try {
    // A machine that has Node alone has no curl; the tests need none.
    const hasCurl = await run('curl', ['--version']).then(
      () => true,
      () => false,
    );
    if (!hasCurl) {
      await writeFile(join(folder, 'curl'), `#!/bin/sh\nexec "${process.execPath}" "${substitute}" "$@"\n`);
      await chmod(join(folder, 'curl'), 0o755);
    }
    const env = { ...process.env, PATH: `${folder}:${process.env['PATH'] ?? ''}` };
    const { stdout } = await run('sh', ['-euc', script], { timeout: timeoutMs, env, cwd: folder });
    return stdout;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
