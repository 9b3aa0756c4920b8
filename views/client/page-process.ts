/** The charts of a session's process. */
import { ask, listAt, numberAt } from './ask.ts';
import { bytesOf, byteSteps, drawChart, wholeSteps, keepWidths, renewed } from './charts.ts';
import { find } from './dom.ts';

const renewalMs = 15_000;
const session = document.body.dataset['session'] ?? '';

async function draw(): Promise<void> {
  const answer = await ask(`/sessions/${encodeURIComponent(session)}/vitals`);
  const points = listAt(answer, 'points');
  const cap = numberAt(answer, 'memory_cap_bytes');
  const times = points.map((point) => numberAt(point, 'at') ?? 0);
  const values = (field: string) => points.map((point) => numberAt(point, field));
  const place = (name: string) => find(document, `[data-chart="${name}"]`, HTMLElement);
  const [memory, cpu, loop] = [place('memory'), place('cpu'), place('loop')];
  if (memory) {
    await drawChart(memory, {
      times,
      lines: [
        { label: 'memory', colour: 'accent', values: values('memory_bytes'), isFilled: true },
        { label: 'cap', colour: 'red', values: times.map(() => cap), isDashed: true },
      ],
      format: bytesOf,
      steps: byteSteps,
    });
  }
  if (cpu) {
    await drawChart(cpu, {
      times,
      lines: [{ label: 'CPU', colour: 'blue', values: values('cpu_percent'), isFilled: true }],
      format: (value) => `${value.toFixed(1)} %`,
      steps: [0.1, 0.2, 0.5, ...wholeSteps],
    });
  }
  if (loop) {
    await drawChart(loop, {
      times,
      lines: [{ label: 'delay', colour: 'violet', values: values('loop_delay_ms'), isFilled: true }],
      format: (value) => `${Math.round(value)} ms`,
      steps: wholeSteps,
    });
  }
}

await renewed(draw());
keepWidths();
setInterval(() => {
  if (!document.hidden) void renewed(draw());
}, renewalMs);
