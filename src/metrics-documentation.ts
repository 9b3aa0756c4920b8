/** The documentation of the metrics, from their table. */
import { metricEntries, type MetricEntry } from './telemetry/metric-table.ts';

const markers = { begin: '<!-- metrics:begin -->', end: '<!-- metrics:end -->' };

/** The page with its table of metrics renewed. Throws when it has no markers for it. */
export function renderMetrics(page: string): string {
  const begin = page.indexOf(markers.begin);
  const end = page.indexOf(markers.end);
  if (begin === -1 || end < begin) throw new Error(`the page has no ${markers.begin} … ${markers.end}`);
  return `${page.slice(0, begin + markers.begin.length)}\n\n${renderTable()}\n\n${page.slice(end)}`;
}

function renderTable(): string {
  const head = ['| Metric | Type | Labels | |', '| --- | --- | --- | --- |'];
  return [...head, ...metricEntries.map(renderRow)].join('\n');
}

function renderRow({ name, type, labels, help, isPerSession, isOfDatabase, buckets }: MetricEntry): string {
  const notes = [
    help,
    ...(buckets === undefined ? [] : [`Buckets: ${buckets.join(', ')}.`]),
    ...(isOfDatabase === true ? ['From the database.'] : []),
    ...(isPerSession === true ? ['Only with `METRICS_PER_SESSION=true`.'] : []),
  ];
  const shown = labels.map((label) => `\`${label}\``).join(', ');
  return `| \`${name}\` | ${type} | ${shown} | ${notes.join(' ')} |`;
}
