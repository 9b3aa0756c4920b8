/** The charts of the fleet page, renewed while it is looked at. */
import { ask, listAt, numberAt } from './ask.ts';
import { bytesOf, byteSteps, drawChart, wholeSteps, keepWidths, renewed, type Line } from './charts.ts';
import { find } from './dom.ts';

const renewalMs = 15_000;
const trafficEvery = 4;

async function drawTraffic(): Promise<void> {
  const place = find(document, '[data-chart="traffic"]', HTMLElement);
  if (place === null) return;
  const buckets = listAt(await ask('/stats/traffic?hours=24'), 'buckets');
  const line = (label: string, field: string, colour: Line['colour']): Line => ({
    label,
    colour,
    values: buckets.map((bucket) => numberAt(bucket, field)),
  });
  await drawChart(place, {
    times: buckets.map((bucket) => numberAt(bucket, 'at') ?? 0),
    lines: [
      { ...line('received', 'received', 'accent'), isFilled: true },
      line('sent', 'sent', 'blue'),
      line('failed', 'failed', 'red'),
    ],
    format: (value) => new Intl.NumberFormat('en').format(Math.round(value)),
    steps: wholeSteps,
  });
}

async function drawMemory(): Promise<void> {
  const place = find(document, '[data-chart="memory"]', HTMLElement);
  if (place === null) return;
  const points = listAt(await ask('/stats/history'), 'points');
  const line = (label: string, field: string, colour: Line['colour']): Line => ({
    label,
    colour,
    values: points.map((point) => numberAt(point, field)),
  });
  const lines = [
    { ...line('session processes', 'children_bytes', 'accent'), isFilled: true },
    line('supervisor', 'supervisor_bytes', 'blue'),
    line('Postgres', 'postgres_bytes', 'violet'),
    line('simulator', 'simulator_bytes', 'amber'),
  ];
  await drawChart(place, {
    times: points.map((point) => numberAt(point, 'at') ?? 0),
    lines: lines.filter(({ values }) => values.some((value) => value !== null)),
    format: bytesOf,
    steps: byteSteps,
  });
}


let rounds = 0;
async function draw(): Promise<void> {
  const isDue = rounds % trafficEvery === 0;
  rounds += 1;
  await Promise.all([renewed(drawMemory()), isDue ? renewed(drawTraffic()) : null]);
}

await draw();
keepWidths();
setInterval(() => {
  if (!document.hidden) void draw();
}, renewalMs);
