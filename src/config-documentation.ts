/** The documentation of the configuration, from its table. */
import { listVariables } from './config-table.ts';
import type { Variable } from './config-variables.ts';

/** The text of `.env.example`. */
export function renderDotEnvExample(): string {
  const lines = [
    '# Copy this file to .env and remove the # before what you change. Variables of the environment win over it.',
    '# Secrets can also be given as files: <NAME>_FILE names one.',
  ];
  let topic = '';
  for (const entry of listVariables()) {
    if (entry.topic !== topic) lines.push('', `## ${entry.topic}`);
    topic = entry.topic;
    lines.push(`# ${entry.variable.sentence}`, `#${entry.variable.name}=${shownFallback(entry.variable) ?? ''}`);
  }
  return `${lines.join('\n')}\n`;
}

const markers = { begin: '<!-- config:begin -->', end: '<!-- config:end -->' };

/** docs/configuration.md with its table renewed. Throws when it has no markers for it. */
export function renderConfiguration(text: string): string {
  const begin = text.indexOf(markers.begin);
  const end = text.indexOf(markers.end);
  if (begin === -1 || end < begin) throw new Error(`the document has no ${markers.begin} … ${markers.end}`);
  return `${text.slice(0, begin + markers.begin.length)}\n${renderTable()}\n${text.slice(end)}`;
}

function renderTable(): string {
  const rows: string[] = [];
  let topic = '';
  for (const entry of listVariables()) {
    if (entry.topic !== topic) {
      rows.push('', `## ${entry.topic}`, '', '| Variable | Type | Default | |', '| --- | --- | --- | --- |');
    }
    topic = entry.topic;
    const { name, aliases, type, sentence, isSecret } = entry.variable;
    const names = [name, ...aliases].map((each) => `\`${each}\``).join(' or ');
    const fallback = shownFallback(entry.variable);
    const secret = isSecret ? ` \`${name}_FILE\` names a file that holds it.` : '';
    rows.push(
      `| ${names} | ${type} | ${fallback === null || fallback === '' ? '' : `\`${fallback}\``} | ${sentence}${secret} |`,
    );
  }
  return `${rows.join('\n')}\n`;
}

/** Documents read the same on every machine, also where a default depends on it. */
function shownFallback(variable: Variable<unknown>): string | null {
  return variable.name === 'START_CONCURRENCY' ? '' : variable.fallback;
}
