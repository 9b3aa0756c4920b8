/** Prepares what the embedded Postgres runs on: as whom, with which binaries, in which folder; creates it when new. */
import { execFile, spawnSync } from 'node:child_process';
import { randomBytes, createHash } from 'node:crypto';
import { chmod, chown, mkdir, readFile, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Logger } from '../log.ts';
import { copyPostgres, findPostgres } from './postgres-binaries.ts';
import { choosePrivilege, privileged, type Privilege } from './postgres-privilege.ts';

const run = promisify(execFile);

export const superuser = 'warden';
/** Where root keeps what another user must reach, when its own folders are closed to others. */
const openBase = '/var/lib/warden';
const majorVersion = '18';

/** Programs run with this environment and no other. */
export const postgresEnvironment = {
  LC_ALL: 'C',
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
} as const;

export interface Cluster {
  readonly dataFolder: string;
  readonly password: string;
  /** The command line of a program of Postgres, with the privileges that the data folder asks for. */
  command(program: 'postgres' | 'initdb', args: readonly string[]): readonly [string, ...string[]];
}

export interface ClusterOptions {
  /** Holds everything of the embedded Postgres; exists. */
  readonly folder: string;
  readonly log: Logger;
  /** False skips flushing to disk: for tests. */
  readonly isDurable: boolean;
  /** False does as if there were no user namespaces: for tests. */
  readonly allowsNamespaces: boolean;
}

/** Throws errors in words for people: no binaries for this platform, a folder of another user or another version. */
export async function prepareCluster(options: ClusterOptions): Promise<Cluster> {
  const hasSetpriv = works(['setpriv', '--pdeathsig', 'INT', 'true']);
  const uid = process.getuid?.() ?? null;
  const privilege = choosePrivilege({
    uid,
    dataOwner: await ownerOf(join(options.folder, 'data')),
    hasSetpriv,
    hasUserNamespaces:
      options.allowsNamespaces && uid === 0 && works(['unshare', '-U', '--map-user=1000', '--map-group=1000', 'true']),
    nobody: uid === 0 ? nobodyOfThisMachine() : null,
  });
  const place = await placeFor(privilege, options.folder);
  const command: Cluster['command'] = (program, args) =>
    privileged(privilege, [join(place.binaries, 'bin', program), ...args], hasSetpriv);
  const password = await passwordIn(options.folder);
  const dataFolder = join(place.folder, 'data');
  await create({ ...options, dataFolder, password, privilege, command });
  return { dataFolder: await realpath(dataFolder), password, command };
}

async function create(options: ClusterOptions & Cluster & { readonly privilege: Privilege }): Promise<void> {
  const { dataFolder, log, privilege } = options;
  const version = await readFile(join(dataFolder, 'PG_VERSION'), 'utf8').catch(() => null);
  if (version !== null) {
    if (version.trim() === majorVersion) return;
    throw new Error(`${dataFolder} is of Postgres ${version.trim()}, this version brings ${majorVersion}`);
  }
  log.info('creating the embedded database');
  // Under a name of its own until it is complete: a crash in between leaves nothing that looks like a database.
  const partial = `${dataFolder}.partial`;
  const passwordFile = `${dataFolder}.password`;
  await rm(partial, { recursive: true, force: true });
  await mkdir(partial, { mode: 0o700 });
  await writeFile(passwordFile, `${options.password}\n`, { mode: 0o600 });
  if (privilege.tag === 'user') {
    for (const path of [partial, passwordFile]) await chown(path, privilege.uid, privilege.gid);
  }
  const [program, ...args] = options.command('initdb', [
    `--pgdata=${partial}`,
    `--username=${superuser}`,
    `--pwfile=${passwordFile}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    '--locale-provider=builtin',
    '--locale=C.UTF-8',
    '--no-instructions',
    ...(options.isDurable ? [] : ['--no-sync']),
  ]);
  try {
    await run(program, args, { cwd: '/', env: postgresEnvironment });
  } catch (error) {
    throw new Error(`the embedded database could not be created in ${dataFolder}`, { cause: error });
  } finally {
    await rm(passwordFile, { force: true });
  }
  await rename(partial, dataFolder);
}

async function placeFor(
  privilege: Privilege,
  folder: string,
): Promise<{ readonly folder: string; readonly binaries: string }> {
  const binaries = findPostgres();
  if (privilege.tag !== 'user') return { folder, binaries };
  const isReachable = (probe: readonly string[]): boolean => works(privileged(privilege, probe, true));
  const reached = isReachable([join(binaries, 'bin', 'postgres'), '--version'])
    ? binaries
    : await copyPostgres(binaries, openBase);
  if ((await ownerOf(join(folder, 'data'))) !== null) return { folder, binaries: reached };
  await chmod(folder, 0o711);
  if (isReachable(['test', '-x', folder])) return { folder, binaries: reached };
  const elsewhere = elsewhereOf(folder);
  await mkdir(elsewhere, { recursive: true, mode: 0o711 });
  return { folder: elsewhere, binaries: reached };
}

/** Where the data lies when the folder itself is closed to the user that Postgres runs as. */
export const elsewhereOf = (folder: string): string =>
  join(openBase, createHash('sha256').update(folder).digest('hex').slice(0, 16));

async function passwordIn(folder: string): Promise<string> {
  const path = join(folder, 'password');
  const known = await readFile(path, 'utf8').catch(() => null);
  if (known !== null && known.trim() !== '') return known.trim();
  const password = randomBytes(24).toString('base64url');
  await writeFile(path, `${password}\n`, { mode: 0o600 });
  return password;
}

async function ownerOf(path: string): Promise<{ readonly uid: number; readonly gid: number } | null> {
  const facts = await stat(path).catch(() => null);
  return facts === null ? null : { uid: facts.uid, gid: facts.gid };
}

function works([program, ...args]: readonly string[]): boolean {
  return program !== undefined && spawnSync(program, args, { stdio: 'ignore', env: postgresEnvironment }).status === 0;
}

function nobodyOfThisMachine(): { readonly uid: number; readonly gid: number } | null {
  const read = (flag: string): number =>
    Number.parseInt(spawnSync('id', [flag, 'nobody'], { encoding: 'utf8', env: postgresEnvironment }).stdout, 10);
  const [uid, gid] = [read('-u'), read('-g')];
  return Number.isInteger(uid) && Number.isInteger(gid) ? { uid, gid } : null;
}
