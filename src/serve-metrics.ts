/** The metrics on a port of their own, as configured. */
import { isLoopbackHost } from './api/auth/local-visit.ts';
import { isMetricsToken } from './api/metrics-route.ts';
import type { Config } from './config.ts';
import { logger } from './log.ts';
import type { Metrics } from './telemetry/metrics.ts';
import { closeMetricsServer, startMetricsServer } from './telemetry/metrics-server.ts';

/**
 * Serves from the first moment on, so that a gateway that waits for its database can be watched, too. Answers the way to
 * end that; throws when the port is taken. Without a port there is nothing to do.
 */
export async function serveMetrics(config: Config, metrics: Metrics): Promise<() => Promise<void>> {
  const { metricsPort: port, metricsHost: host, metricsToken: token } = config;
  if (port === null) return () => Promise.resolve();
  if (token === null && !isLoopbackHost(host)) {
    logger('metrics').warn({ host, port }, 'the metrics are open to the network; METRICS_TOKEN closes them');
  }
  const server = await startMetricsServer({
    host,
    port,
    contentType: metrics.contentType,
    render: metrics.render,
    isAllowed: (authorization) => token === null || isMetricsToken(authorization.replace(/^Bearer +/i, ''), token),
  });
  return () => closeMetricsServer(server);
}
