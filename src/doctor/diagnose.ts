/** From what is to what is to be done about it. Pure. */
import { checkDatabase } from './check-database.ts';
import { checkMachine } from './check-machine.ts';
import { checkNetwork } from './check-network.ts';
import type { Facts } from './facts.ts';
import { findingsOf, type Finding } from './finding.ts';

const configuration = findingsOf('configuration');

export function diagnose(facts: Facts): readonly Finding[] {
  return [
    configuration.ok('Every variable can be used.'),
    ...checkMachine(facts.machine, facts.capacity),
    ...checkDatabase(facts.database),
    ...checkNetwork(facts),
  ];
}

/** Of a configuration that cannot be read nothing else can be looked at. */
export const diagnoseConfiguration = (problems: readonly string[]): readonly Finding[] =>
  problems.map((problem) => configuration.fail(`${problem}.`, 'Change it in the environment, or in the file .env.'));

/** The findings for people: one line each, and what to do below it. */
export function renderText(findings: readonly Finding[]): string {
  const width = Math.max(...findings.map(({ check }) => check.length));
  const lines = findings.flatMap(({ check, level, what, advice }) => [
    `${level.padEnd(4)}  ${check.padEnd(width)}  ${what}`,
    ...(advice === null ? [] : [`${' '.repeat(4 + 2 + width + 2)}→ ${advice}`]),
  ]);
  const count = (level: Finding['level']): number => findings.filter((finding) => finding.level === level).length;
  const [fails, warnings] = [count('fail'), count('warn')];
  const verdict =
    fails === 0 && warnings === 0
      ? 'All is well.'
      : `${fails} ${fails === 1 ? 'thing has' : 'things have'} to be mended, ${warnings} should be looked at.`;
  return `${[...lines, '', verdict].join('\n')}\n`;
}

/** The same for programs. */
export const renderJson = (findings: readonly Finding[]): string =>
  `${JSON.stringify({ ok: isWell(findings), findings }, null, 2)}\n`;

/** Whether nothing has to be mended; warnings are no reason to stop. */
export const isWell = (findings: readonly Finding[]): boolean => findings.every(({ level }) => level !== 'fail');
