/** The files that deploy the gateway, and the configuration that they have to agree with. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Copy, DockerfileParser, From, JSONInstruction, type Instruction } from 'dockerfile-ast';
import { readConfig } from '../../src/config.ts';
import { listVariables } from '../../src/config-table.ts';
import { admissionBudget } from '../../src/supervisor/admission.ts';
import { memoryCaps } from '../../src/supervisor/memory-policy.ts';
import { supervisorSettings } from '../../src/supervisor-settings.ts';
import { root } from './source-files.ts';

export const readText = (name: string): string => readFileSync(join(root, name), 'utf8');

export const defaults = readConfig({}, { dotEnvPath: null });

/** What others than the gateway read: Node's libraries, and glibc. */
const foreignVariables = ['NODE_ENV', 'MALLOC_ARENA_MAX'];
const ownVariables = listVariables().flatMap(({ variable: { name, aliases, isSecret } }) =>
  [name, ...aliases].flatMap((each) => (isSecret ? [each, `${each}_FILE`] : [each])),
);

/** Those of the names that nobody would read. */
export function unknownVariables(names: Iterable<string>): readonly string[] {
  const known = new Set([...ownVariables, ...foreignVariables]);
  return [...names].filter((name) => !known.has(name));
}

/** What the gateway would read from the variables. Throws when one has no acceptable value. */
export function configurationOf(environment: Readonly<Record<string, string>>): typeof defaults {
  const given = Object.entries(environment).filter(([name]) => !name.endsWith('_FILE'));
  return readConfig(Object.fromEntries(given), { dotEnvPath: null });
}

/** How many sessions of the default cap are admitted where the limit is so much memory. */
export function sessionsThatFit(limitMb: number, config: typeof defaults): number {
  const { admission } = supervisorSettings(config);
  const { freeBytes } = admissionBudget({ limitBytes: limitMb * 1_048_576, capsBytes: 0 }, admission);
  return Math.floor(freeBytes / memoryCaps(config.sessionMemoryMb, 1, []).capBytes);
}

/** Measured: 7 of a child at rest (`ls /proc/<pid>/task`). */
export const threadsPerChild = 8;
/** Of the supervisor: channel, stderr and what it opens for a moment. */
export const descriptorsPerChild = 4;

interface Stage {
  readonly from: string;
  readonly instructions: readonly Instruction[];
}

/** Of the Dockerfile, in order. */
export function stages(): readonly Stage[] {
  const found: { from: string; instructions: Instruction[] }[] = [];
  for (const instruction of DockerfileParser.parse(readText('Dockerfile')).getInstructions()) {
    if (instruction instanceof From) found.push({ from: instruction.getImage() ?? '', instructions: [] });
    else found.at(-1)?.instructions.push(instruction);
  }
  return found;
}

export const named = (stage: Stage, keyword: string): readonly Instruction[] =>
  stage.instructions.filter((each) => each.getKeyword() === keyword);

/** The words of the last such instruction; of one in JSON form its strings. */
export function wordsOf(stage: Stage, keyword: string): readonly string[] {
  const instruction = named(stage, keyword).at(-1);
  if (instruction === undefined) return [];
  if (instruction instanceof JSONInstruction && instruction.getJSONStrings().length > 0) {
    return instruction.getJSONStrings().map((each) => each.getJSONValue());
  }
  return instruction.getArguments().map((each) => each.getValue());
}

/** What an instruction copies, where it is not from another stage. */
export function copiedFromContext(stage: Stage): readonly string[] {
  return stage.instructions
    .filter((each) => each instanceof Copy)
    .filter((copy) => copy.getFlags().every((flag) => flag.getName() !== 'from'))
    .flatMap((copy) =>
      copy
        .getArguments()
        .map((each) => each.getValue())
        .slice(0, -1),
    );
}

/** The environment that a stage sets. */
export function environmentOf(stage: Stage): Readonly<Record<string, string>> {
  const pairs = named(stage, 'ENV').flatMap((each) => each.getArguments().map((argument) => argument.getValue()));
  return Object.fromEntries(pairs.map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]));
}
