/** What is to be said of ports, the gateway that runs there, and the way to WhatsApp. Pure. */
import type { Facts } from './facts.ts';
import { findingsOf, type Finding } from './finding.ts';

const clockWarnMs = 5_000;
const clockFailMs = 60_000;
const slowMs = 3_000;

export function checkNetwork({ gateway, metricsPort, network }: Facts): readonly Finding[] {
  return [
    checkGateway(gateway),
    ...(metricsPort === null ? [] : [checkPort('metrics', metricsPort.address, metricsPort.problem)]),
    ...network.targets.map(checkTarget),
    ...checkClock(network.clockAheadMs),
  ];
}

function checkGateway({ address, readiness, portProblem }: Facts['gateway']): Finding {
  const check = findingsOf('gateway');
  if (readiness === null) return checkPort('gateway', address, portProblem);
  if (readiness.isReady) return check.ok(`It runs at ${address} and is ready.`);
  const reasons = readiness.text.split('\n').filter((line) => line.startsWith('[-]'));
  const reason = reasons.map((line) => line.slice(3)).join(' ') || 'it does not say why';
  return check.warn(
    `It runs at ${address} and is not ready: ${reason}`,
    'See its log; sessions that are broken do not make it so.',
  );
}

function checkPort(name: string, address: string, problem: string | null): Finding {
  const check = findingsOf(name);
  return problem === null
    ? check.ok(`${address} is free.`)
    : check.fail(
        `Nobody can listen at ${address}: ${problem}.`,
        name === 'metrics'
          ? 'Choose another METRICS_PORT or METRICS_HOST.'
          : 'End what has the port, or choose another PORT or HOST.',
      );
}

function checkTarget({ name, what, outcome }: Facts['network']['targets'][number]): Finding {
  const check = findingsOf('whatsapp');
  if ('problem' in outcome) {
    const fault = `${name} cannot be reached: ${outcome.problem}.`;
    const advice = 'Check DNS, firewall and proxy: the machine must reach it by TLS on port 443.';
    return what === 'link'
      ? check.fail(fault, `${advice} No session can connect without it.`)
      : check.warn(fault, `${advice} Media can be neither sent nor fetched without it.`);
  }
  const { tookMs } = outcome.value;
  const found = `${name} answers within ${Math.round(tookMs)} ms.`;
  return tookMs > slowMs ? check.warn(found, 'Find out what slows the connection down.') : check.ok(found);
}

function checkClock(aheadMs: number | null): readonly Finding[] {
  if (aheadMs === null) return [];
  const check = findingsOf('clock');
  const offMs = Math.abs(aheadMs);
  // The other side tells whole seconds.
  const what = `Our clock is ${Math.round(offMs / 1000)} s ${aheadMs > 0 ? 'ahead of' : 'behind'} WhatsApp's.`;
  const advice = 'Take the time from NTP: pairing and certificates depend on it.';
  if (offMs >= clockFailMs) return [check.fail(what, advice)];
  return offMs >= clockWarnMs ? [check.warn(what, advice)] : [check.ok("It agrees with WhatsApp's.")];
}
