/** Lines over time, drawn by uPlot, which is loaded only where a page has a chart. */
import { AskError } from './ask.ts';
import type uPlot from './uplot.js';

export interface Line {
  readonly label: string;
  /** One of the colours that base.css names `--line-…`. */
  readonly colour: 'accent' | 'blue' | 'amber' | 'violet' | 'red' | 'quiet';
  readonly values: readonly (number | null)[];
  readonly isFilled?: boolean;
  readonly isDashed?: boolean;
}

export interface Chart {
  /** Unix seconds. */
  readonly times: readonly number[];
  readonly lines: readonly Line[];
  /** How a value reads on the axis and under the cursor. */
  readonly format: (value: number) => string;
  /** How far the marks of the axis may be apart: steps that `format` shows without rounding. */
  readonly steps: readonly number[];
}

const powers = (base: number, count: number): readonly number[] => Array.from({ length: count }, (_, power) => base ** power);
/** 1, 2, 5, 10, 20 … */
export const wholeSteps: readonly number[] = powers(10, 10).flatMap((power) => [power, 2 * power, 5 * power]);
/** From 1 KB, doubling. */
export const byteSteps: readonly number[] = powers(2, 40).map((power) => 1024 * power);

const drawn = new WeakMap<HTMLElement, uPlot>();
const height = 190;

/** Draws into `place`, in place of what was there. An empty chart says so. */
export async function drawChart(place: HTMLElement, chart: Chart): Promise<void> {
  if (chart.times.length < 2) {
    if (!drawn.has(place)) place.textContent = place.dataset['empty'] ?? 'Nothing to show yet.';
    return;
  }
  const { default: Plot } = await import('./uplot.js');
  drawn.get(place)?.destroy();
  place.replaceChildren();
  const style = getComputedStyle(document.documentElement);
  const colourOf = (name: string): string => style.getPropertyValue(name).trim();
  const axis = { stroke: colourOf('--quiet'), grid: { stroke: colourOf('--line'), width: 1 }, ticks: { show: false } };
  const plot = new Plot(
    {
      width: Math.max(240, place.clientWidth),
      height,
      padding: [12, 8, 0, 0],
      cursor: { y: false, points: { size: 6 } },
      legend: { live: true },
      scales: { y: { range: (_plot, _low, high) => [0, Math.max(high * 1.1, (chart.steps[0] ?? 1) * 2)] } },
      axes: [
        { ...axis, space: 70 },
        { ...axis, size: 62, incrs: [...chart.steps], values: (_plot, marks) => marks.map((mark) => chart.format(mark)) },
      ],
      series: [
        { value: (_plot, at) => (at === null ? '' : new Date(at * 1000).toLocaleTimeString()) },
        ...chart.lines.map((line) => ({
          label: line.label,
          stroke: colourOf(`--line-${line.colour}`),
          width: 1.8,
          spanGaps: true,
          points: { show: false },
          ...(line.isFilled === true ? { fill: `${colourOf(`--line-${line.colour}`)}22` } : {}),
          ...(line.isDashed === true ? { dash: [5, 5] } : {}),
          value: (_plot: uPlot, value: number | null) => (value === null ? '–' : chart.format(value)),
        })),
      ],
    },
    [[...chart.times], ...chart.lines.map(({ values }) => [...values])],
    place,
  );
  drawn.set(place, plot);
}

/** A chart that cannot be renewed, because the gateway does not answer, keeps what it shows. */
export async function renewed(drawing: Promise<void>): Promise<void> {
  try {
    await drawing;
  } catch (error) {
    if (!(error instanceof AskError)) throw error;
  }
}

/** Charts follow the width of their place. */
export function keepWidths(): void {
  const observer = new ResizeObserver((entries) => {
    for (const { target, contentRect } of entries) {
      if (target instanceof HTMLElement) drawn.get(target)?.setSize({ width: Math.max(240, contentRect.width), height });
    }
  });
  for (const place of document.querySelectorAll('[data-chart]')) observer.observe(place);
}

const byteUnits = ['B', 'KB', 'MB', 'GB', 'TB'] as const;

/** `15.2 MB`, as the server writes it. */
export function bytesOf(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (Math.abs(value) >= 1024 && unit < byteUnits.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${value.toFixed(unit === 0 || Math.abs(value) >= 100 ? 0 : 1)} ${byteUnits[unit] ?? 'B'}`;
}
