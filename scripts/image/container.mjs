// Runs an image's command as a container engine would with a read-only root, all capabilities dropped and no new
// privileges: own mounts and processes, the image's user, environment, entrypoint and command. The network is the host's.
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

/** In its own mount namespace: $1 is the image's files, $2 where they are mounted, $3 the volume; then the command. */
const enter = `set -eu
files=$1 root=$2 volume=$3; shift 3
mount --bind "$files" "$root"
mount -o remount,bind,ro "$root"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount -t tmpfs -o size=64m,mode=1777,noexec,nosuid,nodev tmpfs "$root/tmp"
mount --bind "$volume" "$root/data"
exec chroot "$root" "$@"`;

export class Container {
  /** `config` is that of the image, `files` the folder with its files, `volume` what lies at /data. */
  constructor({ config, files, work, volume, environment }) {
    this.config = config;
    this.files = files;
    this.volume = volume;
    this.root = join(work, 'root');
    mkdirSync(this.root, { recursive: true });
    this.environment = [...config.Env, ...Object.entries(environment).map(([name, value]) => `${name}=${value}`)];
    this.output = '';
    this.process = null;
  }

  start() {
    const [tool, ...args] = this.#command([...this.config.Entrypoint, ...this.config.Cmd]);
    this.process = spawn(tool, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [this.process.stdout, this.process.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => (this.output += text));
    }
    this.ended = new Promise((resolve) => this.process.once('close', (code, signal) => resolve(code ?? signal)));
  }

  /** As `docker exec`: the same files, user and environment. Answers exit code and output. */
  execute(command) {
    const [tool, ...args] = this.#command(command);
    const { status, stdout, stderr } = spawnSync(tool, args, { encoding: 'utf8', timeout: 30_000 });
    return { status, output: `${stdout}${stderr}`.trim() };
  }

  /** As `docker stop`: SIGTERM to the entrypoint. Answers the exit code, or null when it takes longer than that. */
  async stop(graceMs) {
    const entrypoint = this.#entrypointPid();
    if (entrypoint !== null) process.kill(entrypoint, 'SIGTERM');
    const timer = new AbortController();
    const late = new Promise((resolve) => {
      const timeout = setTimeout(() => resolve(null), graceMs);
      timer.signal.addEventListener('abort', () => clearTimeout(timeout));
    });
    const code = await Promise.race([this.ended, late]);
    timer.abort();
    if (code === null) this.kill();
    return code;
  }

  kill() {
    this.process?.kill('SIGKILL');
  }

  /** unshare's only child is process 1 of the container. */
  #entrypointPid() {
    const { stdout } = spawnSync('ps', ['-o', 'pid=', '--ppid', String(this.process.pid)], { encoding: 'utf8' });
    const pid = Number.parseInt(stdout, 10);
    return Number.isNaN(pid) ? null : pid;
  }

  #command(command) {
    const [user, group] = this.config.User.split(':');
    const drop = ['/usr/bin/setpriv', `--reuid=${user}`, `--regid=${group}`, '--clear-groups'];
    const powerless = ['--bounding-set=-all', '--inh-caps=-all', '--no-new-privs', '--'];
    const environment = [
      '/usr/bin/env',
      '--ignore-environment',
      `--chdir=${this.config.WorkingDir}`,
      ...this.environment,
    ];
    const inside = [...drop, ...powerless, ...environment, ...command];
    const apart = ['unshare', '--mount', '--pid', '--fork', '--kill-child', '--'];
    return [...apart, 'sh', '-c', enter, 'sh', this.files, this.root, this.volume, ...inside];
  }
}
