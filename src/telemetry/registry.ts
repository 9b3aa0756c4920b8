/** The metrics of the table as objects of the library that renders them. */
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { metricTable, type MetricEntry, type MetricKey } from './metric-table.ts';

type Labels = Readonly<Record<string, string>>;

export interface MetricRegistry {
  readonly contentType: string;
  /** Adds to a counter. */
  count(key: MetricKey, labels?: Labels, by?: number): void;
  /** Adds to a histogram, in the unit of its name. */
  observe(key: MetricKey, value: number, labels?: Labels): void;
  /** Says what a gauge is; with null it has no value. */
  set(key: MetricKey, value: number | null, labels?: Labels): void;
  /** Says of what a gauge consists; labels that are absent disappear. */
  replace(key: MetricKey, values: Iterable<readonly [Labels, number]>): void;
  /** Says what a counter has come to that somebody else counts. */
  advance(key: MetricKey, total: number): void;
  render(): Promise<string>;
}

export function createMetricRegistry(options: { readonly isPerSession: boolean }): MetricRegistry {
  const registry = new Registry();
  const counters = new Map<string, Counter>();
  const gauges = new Map<string, Gauge>();
  const histograms = new Map<string, Histogram>();
  const totals = new Map<MetricKey, number>();
  for (const [key, entry] of Object.entries<MetricEntry>(metricTable)) {
    if (entry.isPerSession === true && !options.isPerSession) continue;
    const { type, name, help, labels, buckets = [] } = entry;
    const common = { name, help, labelNames: [...labels], registers: [registry] };
    if (type === 'counter') counters.set(key, new Counter(common));
    else if (type === 'gauge') gauges.set(key, new Gauge(common));
    else histograms.set(key, new Histogram({ ...common, buckets: [...buckets] }));
  }
  return {
    contentType: registry.contentType,
    count: (key, labels = {}, by = 1) => counters.get(key)?.inc(labels, by),
    observe: (key, value, labels = {}) => histograms.get(key)?.observe(labels, value),
    set: (key, value, labels = {}) => {
      const gauge = gauges.get(key);
      if (value === null) gauge?.remove(labels);
      else gauge?.set(labels, value);
    },
    replace: (key, values) => {
      const gauge = gauges.get(key);
      gauge?.reset();
      for (const [labels, value] of values) gauge?.set(labels, value);
    },
    advance: (key, total) => {
      counters.get(key)?.inc(Math.max(0, total - (totals.get(key) ?? 0)));
      totals.set(key, total);
    },
    render: () => registry.metrics(),
  };
}
