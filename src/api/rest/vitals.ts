/** What processes used and how many messages went, over time. */
import type { Result } from '../../contract/index.ts';
import type { SessionId } from '../../contract/ids.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { presentFleetHistory, presentTraffic, presentVitals, trafficWindow } from '../presenters/vitals.ts';
import { sessionOf, type Handlers } from './handler.ts';

export function vitalsHandlers({
  store,
  supervisor,
  clock,
}: ApiDependencies): Handlers<'getVitals' | 'getTraffic' | 'getFleetTraffic' | 'getFleetHistory'> {
  const traffic = async (session: SessionId | null, hours: number): Promise<Result<'getTraffic'>> => {
    const window = trafficWindow(hours, clock.now());
    return presentTraffic(await store.traffic.read({ session, ...window }), window);
  };
  return {
    getVitals: async (call) => {
      const row = sessionOf(call);
      return presentVitals(supervisor.vitals.ofSession(row.id), supervisor.view(row).child?.capBytes ?? null);
    },
    getTraffic: (call) => traffic(sessionOf(call).id, call.params.hours),
    getFleetTraffic: ({ params }) => traffic(null, params.hours),
    getFleetHistory: async () =>
      presentFleetHistory(supervisor.vitals.ofFleet(), supervisor.stats().machine.limitBytes),
  };
}
