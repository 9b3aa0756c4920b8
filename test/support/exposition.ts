/** Reads Prometheus' text format 0.0.4, and complains as its own linter would. */

export interface Family {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly samples: readonly Sample[];
}

export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const sampleLine =
  /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{((?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\[\\"n])*",?)*)\})? (\S+)$/;

/** Throws for a line that is none, and for a sample that has no family above it. */
export function readExposition(text: string): readonly Family[] {
  const families: { name: string; type: string; help: string; samples: Sample[] }[] = [];
  if (!text.endsWith('\n')) throw new Error('the last line does not end');
  for (const line of text.split('\n').filter((each) => each !== '')) {
    const help = /^# HELP (\S+) (.+)$/.exec(line);
    const type = /^# TYPE (\S+) (counter|gauge|histogram|summary|untyped)$/.exec(line);
    const last = families.at(-1);
    if (help !== null) families.push({ name: help[1] ?? '', help: help[2] ?? '', type: '', samples: [] });
    else if (type !== null && last !== undefined && last.name === type[1]) last.type = type[2] ?? '';
    else if (last !== undefined) last.samples.push(sampleOf(line, last.name, last.type));
    else throw new Error(`this is no line of an exposition: ${line}`);
  }
  return families;
}

function sampleOf(line: string, family: string, type: string): Sample {
  const [, name = '', labels = '', value = ''] = sampleLine.exec(line) ?? [];
  const suffix = name.slice(family.length);
  const isOurs =
    name.startsWith(family) && (suffix === '' || (type === 'histogram' && /^_(bucket|sum|count)$/.test(suffix)));
  const number = value === '+Inf' ? Number.POSITIVE_INFINITY : Number(value);
  if (!isOurs || Number.isNaN(number)) throw new Error(`this is no sample of ${family}: ${line}`);
  const pairs = [...labels.matchAll(/([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"/g)];
  return { name, labels: Object.fromEntries(pairs.map(([, key = '', text = '']) => [key, text])), value: number };
}

/** What `promtool check metrics` would say, in words; nothing for a clean one. */
export function lint(families: readonly Family[]): readonly string[] {
  const faults: string[] = [];
  const names = families.map(({ name }) => name);
  if (new Set(names).size !== names.length) faults.push('a metric is there twice');
  for (const { name, type, help, samples } of families) {
    const complain = (what: string): void => void faults.push(`${name} ${what}`);
    if (type === '') complain('has no type');
    if (help.length < 10) complain('is not explained');
    if (type === 'counter' && !name.endsWith('_total')) complain('is a counter and should end in _total');
    if (type !== 'counter' && name.endsWith('_total')) complain('is no counter and should not end in _total');
    if (/_(ms|milliseconds|kb|mb|minutes|percent)(_|$)/.test(name)) complain('is not in a base unit');
    if (/[A-Z]|__/.test(name)) complain('is badly written');
    if (new RegExp(`_${type}(_|$)`).test(name)) complain('has its type in its name');
    const series = samples.map((sample) => `${sample.name}${JSON.stringify(sample.labels)}`);
    if (new Set(series).size !== series.length) complain('has a series twice');
    if (type === 'histogram') faults.push(...histogramFaults(name, samples));
    if (type === 'counter' && samples.some(({ value }) => value < 0)) complain('is below zero');
  }
  return faults;
}

function histogramFaults(name: string, samples: readonly Sample[]): readonly string[] {
  const faults: string[] = [];
  const groups = Map.groupBy(samples, ({ labels }) =>
    JSON.stringify(Object.entries(labels).filter(([label]) => label !== 'le')),
  );
  for (const group of groups.values()) {
    const buckets = group.filter((sample) => sample.name === `${name}_bucket`);
    const count = group.find((sample) => sample.name === `${name}_count`)?.value;
    const values = buckets.map(({ value }) => value);
    if (buckets.at(-1)?.labels['le'] !== '+Inf') faults.push(`${name} has no bucket for all`);
    if (buckets.at(-1)?.value !== count) faults.push(`${name} counts differently in its buckets`);
    if (values.some((value, index) => value < (values[index - 1] ?? 0))) faults.push(`${name} has falling buckets`);
  }
  return faults;
}

/** The value of one series; undefined when it is not there. */
export function valueOf(
  families: readonly Family[],
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number | undefined {
  return families
    .flatMap(({ samples }) => samples)
    .find(
      (sample) =>
        sample.name === name && Object.entries(labels).every(([label, value]) => sample.labels[label] === value),
    )?.value;
}
