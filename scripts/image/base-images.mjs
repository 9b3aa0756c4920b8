// Stand-ins for the images that the Dockerfile begins from, made of Debian's packages and of what is on this machine.
// They bear the names of the FROM lines, so that the Dockerfile is built as it is.
import { copyFileSync, cpSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from './run.mjs';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
/** What debian:*-slim leaves out of a minimal Debian, or empties. */
const notInSlim = [
  'usr/share/doc',
  'usr/share/man',
  'usr/share/info',
  'usr/share/locale',
  'var/cache/apt',
  'var/lib/apt/lists',
];

/** As in debian:*-slim, so that apt leaves as little behind as there. */
const aptLeavesNothing = `DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb || true"; };
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
`;

/** Makes an image of each name that a FROM line has; answers the folder of the plain Debian. */
export function makeBaseImages({ dockerfile, work, buildah }) {
  const names = [...dockerfile.matchAll(/^FROM\s+(\S+)/gm)].map(([, name]) => name);
  const debianName = names.find((name) => /^debian:[a-z]+-slim$/.test(name));
  const nodeName = names.find((name) => /^node:\d+-[a-z]+-slim$/.test(name));
  if (debianName === undefined || nodeName === undefined || names.length !== 2) {
    throw new Error(`there is no stand-in for all of ${names.join(', ')}`);
  }
  const debian = join(work, 'debian');
  run('debootstrap', ['--variant=minbase', debianName.slice('debian:'.length, -'-slim'.length), debian]);
  for (const path of notInSlim) {
    rmSync(join(debian, path), { recursive: true, force: true });
    mkdirSync(join(debian, path), { recursive: true });
  }
  writeFileSync(join(debian, 'etc/apt/apt.conf.d/docker-clean'), aptLeavesNothing);
  importImage({ folder: debian, name: debianName, environment: {}, buildah });

  const node = join(work, 'node');
  run('cp', ['--archive', debian, node]);
  const environment = addNode(node);
  importImage({ folder: node, name: nodeName, environment, buildah });
  return debian;
}

/** Node, npm, and the certificate authorities that this machine trusts beyond Node's own. */
function addNode(folder) {
  const npm = dirname(
    dirname(process.env['npm_execpath'] ?? join(run('npm', ['root', '-g']).trim(), 'npm', 'bin', 'x')),
  );
  copyFileSync(join(root, 'node_modules', '.bin', 'node'), join(folder, 'usr/local/bin/node'));
  cpSync(npm, join(folder, 'usr/local/lib/node_modules/npm'), { recursive: true, dereference: true });
  symlinkSync('../lib/node_modules/npm/bin/npm-cli.js', join(folder, 'usr/local/bin/npm'));
  run('chroot', [folder, 'sh', '-c', 'apt-get update && apt-get install --yes --no-install-recommends libatomic1']);
  const authorities = process.env['NODE_EXTRA_CA_CERTS'];
  if (authorities === undefined || !existsSync(authorities)) return {};
  copyFileSync(authorities, join(folder, 'etc/extra-authorities.pem'));
  return { NODE_EXTRA_CA_CERTS: '/etc/extra-authorities.pem' };
}

function importImage({ folder, name, environment, buildah }) {
  const container = buildah(['from', 'scratch']).trim();
  buildah(['add', '--quiet', container, folder, '/']);
  const variables = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', ...environment };
  const flags = Object.entries(variables).flatMap(([key, value]) => ['--env', `${key}=${value}`]);
  buildah(['config', ...flags, container]);
  buildah(['commit', '--quiet', '--rm', container, `docker.io/library/${name}`]);
}

export const readDockerfile = () => readFileSync(join(root, 'Dockerfile'), 'utf8');
