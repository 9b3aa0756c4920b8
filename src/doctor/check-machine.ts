/** What is to be said of the machine: Node, disk, memory, descriptors, tools, files with secrets. Pure. */
import { admissionBudget } from '../supervisor/admission.ts';
import type { CapacityFacts, MachineFacts } from './facts.ts';
import { findingsOf, inWords, type Finding } from './finding.ts';

const megabyte = 1_048_576;
/** The oldest Node that runs the gateway; scripts/setup.mjs has it, too. */
const oldestNode = [24, 12] as const;
const leastDiskBytes = 200 * megabyte;
/** For the database and its log, beside what the spool may take. */
const comfortableDiskBytes = 1024 * megabyte;
const leastFiles = 10_000;
const leastFreePart = 0.05;
/** What a child takes of descriptors: its channel, its stderr, and some while it starts. */
const descriptorsPerChild = 4;
/** The gateway itself: database, listeners, logs, files under way. */
const ownDescriptors = 200;
/** Connections of clients that are let in: see api/http-server.ts. */
const clientDescriptors = 1_000;
/** A connected session takes 15 MB at rest (docs/lean-child.md); busy accounts take more. */
const usualSessionBytes = 25 * megabyte;

export function checkMachine(facts: MachineFacts, capacity: CapacityFacts): readonly Finding[] {
  return [
    checkNode(facts.nodeVersion),
    ...checkStorage(facts),
    ...checkMemory(facts, capacity),
    checkDescriptors(facts.descriptorLimit, capacity),
    checkWrappers(facts),
    ...checkSecrets(facts),
  ];
}

function checkNode(version: string): Finding {
  const node = findingsOf('node');
  const [major = 0, minor = 0] = version.replace(/^v/, '').split('.').map(Number);
  const [oldestMajor, oldestMinor] = oldestNode;
  return major > oldestMajor || (major === oldestMajor && minor >= oldestMinor)
    ? node.ok(`Node ${version}.`)
    : node.fail(
        `Node ${version} is too old.`,
        `Use npm start, which brings its own, or Node ${oldestNode.join('.')} or newer.`,
      );
}

function checkStorage({ storage, spoolQuotaBytes }: MachineFacts): readonly Finding[] {
  const disk = findingsOf('disk');
  const { path, exists, problem, freeBytes, freeFiles } = storage;
  if (problem !== null) {
    return [
      disk.fail(
        `Nothing can be written to ${path}: ${problem}.`,
        'Give it to the user of the gateway, or set WHATSAPP_STORAGE_PATH.',
      ),
    ];
  }
  if (freeBytes === null) return [disk.warn(`How full ${path} is cannot be told.`, 'Look at it yourself.')];
  const what = `${inWords(freeBytes)} are free at ${path}${exists ? '' : ', which the start creates'}.`;
  const wanted = spoolQuotaBytes + comfortableDiskBytes;
  const advice = `Make room, or lower SPOOL_QUOTA_MB: media on their way may take ${inWords(spoolQuotaBytes)}.`;
  const room =
    freeBytes < leastDiskBytes ? disk.fail(what, advice) : freeBytes < wanted ? disk.warn(what, advice) : disk.ok(what);
  return freeFiles !== null && freeFiles < leastFiles
    ? [room, disk.warn(`Only ${freeFiles} more files fit.`, 'Free inodes: delete files that nobody needs.')]
    : [room];
}

function checkMemory({ memory }: MachineFacts, capacity: CapacityFacts): readonly Finding[] {
  const check = findingsOf('memory');
  const { limitBytes, freeBytes, source } = memory;
  const { sessions, sessionsPerChild, capBytes, overcommit, reserveMb } = capacity;
  const place = source === 'container' ? 'the container' : 'the machine';
  const findings: Finding[] = [];
  if (freeBytes < limitBytes * leastFreePart) {
    const what = `${inWords(freeBytes)} of ${inWords(limitBytes)} of ${place} are free.`;
    findings.push(check.warn(what, 'Give it more memory, or end something else.'));
  }
  if (sessions === null || sessions === 0) {
    return findings.length > 0 ? findings : [check.ok(`${inWords(limitBytes)} of memory, ${inWords(freeBytes)} free.`)];
  }
  const children = Math.ceil(sessions / sessionsPerChild);
  const policy = { maxSessions: 0, overcommit, reserveMb };
  const { budgetBytes } = admissionBudget({ limitBytes, capsBytes: 0 }, policy);
  const needed = reserveMb * megabyte + sessions * usualSessionBytes;
  const counted = `${sessions} ${sessions === 1 ? 'session' : 'sessions'} in up to ${children} processes`;
  if (children * capBytes > budgetBytes) {
    findings.push(
      check.fail(
        `${counted} have caps of ${inWords(children * capBytes)}; only ${inWords(budgetBytes)} are let in, some will not start.`,
        'Give it more memory, lower SESSION_MEMORY_MB, raise SESSIONS_PER_CHILD, or raise OVERCOMMIT.',
      ),
    );
  } else if (needed > limitBytes) {
    findings.push(
      check.warn(
        `${counted} need some ${inWords(needed)}, ${place} has ${inWords(limitBytes)}.`,
        'Give it more memory, or raise SESSIONS_PER_CHILD.',
      ),
    );
  }
  return findings.length > 0
    ? findings
    : [check.ok(`${inWords(limitBytes)} of memory, ${inWords(freeBytes)} free, for ${counted}.`)];
}

function checkDescriptors(limit: number | null, { sessions, sessionsPerChild }: CapacityFacts): Finding {
  const check = findingsOf('descriptors');
  if (limit === null) return check.ok('This system does not tell how many files may be open.');
  const least = Math.ceil((sessions ?? 0) / sessionsPerChild) * descriptorsPerChild + ownDescriptors;
  const what = `${limit === Number.MAX_SAFE_INTEGER ? 'Any number of' : limit} files may be open.`;
  const advice = `Raise it (ulimit -n, LimitNOFILE, or ulimits of the container) to ${least + clientDescriptors}.`;
  if (limit < least) return check.fail(`${what} ${least} are needed.`, advice);
  return limit < least + clientDescriptors
    ? check.warn(`${what} With many clients at once they will not be enough.`, advice)
    : check.ok(what);
}

function checkWrappers({ platform, wrappers: { setpriv, prlimit } }: MachineFacts): Finding {
  const check = findingsOf('isolation');
  const missing = [...(setpriv === null ? ['setpriv'] : []), ...(prlimit === null ? ['prlimit'] : [])];
  if (missing.length === 0)
    return check.ok('The kernel ends children with the gateway, and keeps them to their memory.');
  const what = `${missing.join(' and ')} cannot be used: children are guarded by the gateway alone.`;
  return check.warn(
    what,
    platform === 'linux' ? 'Install util-linux.' : 'Run the gateway on Linux for full isolation.',
  );
}

function checkSecrets({ secrets }: MachineFacts): readonly Finding[] {
  const check = findingsOf('secrets');
  const open = secrets.filter(({ mode }) => (mode & 0o077) !== 0);
  if (open.length === 0) {
    return [check.ok(secrets.length === 0 ? 'None are kept yet.' : `${secrets.length} files, for their owner only.`)];
  }
  return open.map(({ path, mode }) =>
    check.fail(`${path} can be used by others (mode ${mode.toString(8).padStart(3, '0')}).`, `chmod go= ${path}`),
  );
}
