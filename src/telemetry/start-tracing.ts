/** Begins and ends tracing; without settings neither happens and nothing is loaded. */
import type { Logger } from '../log.ts';
import { setTracer } from '../tracing.ts';
import type { TraceSettings } from './trace-settings.ts';

/** Answers the way to end it, which sends what waits. */
export async function startTracing(settings: TraceSettings | null, log: Logger): Promise<() => Promise<void>> {
  if (settings === null) return () => Promise.resolve();
  const { startOtelTracer } = await import('./otel-tracer.ts');
  const { tracer, stop } = await startOtelTracer(settings, log);
  setTracer(tracer);
  log.info({ protocol: settings.protocol, sampler: settings.sampler }, 'requests are traced');
  return async () => {
    setTracer(null);
    await stop();
  };
}
