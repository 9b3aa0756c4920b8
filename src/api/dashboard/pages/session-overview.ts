/** A session at a glance: how to link it, what it is linked to, and how it does. */
import { deviceOf, presentDevice } from '../../presenters/session.ts';
import { presentTraffic, trafficWindow } from '../../presenters/vitals.ts';
import type { DashboardDependencies } from '../dependencies.ts';
import { percentOf } from '../format.ts';
import { defineSessionPage } from '../session-page.ts';

const dayHours = 24;

export function sessionOverviewPage(dependencies: DashboardDependencies) {
  const { store, supervisor, qrImages, clock } = dependencies;
  return defineSessionPage(dependencies, {
    tab: 'overview',
    template: 'session/overview.njk',
    parts: { link: 'session/_link.njk', facts: 'session/_facts.njk' },
    script: 'overview',
    live: ['message', 'message_sent'],
    load: async ({ row, resource }) => {
      const view = supervisor.view(row);
      const window = trafficWindow(dayHours, clock.now());
      const { buckets } = presentTraffic(await store.traffic.read({ session: row.id, ...window }), window);
      const sum = (field: 'received' | 'sent' | 'failed') => buckets.reduce((total, hour) => total + hour[field], 0);
      const qr = resource.status === 'waiting_for_qr' ? (view.link?.qr ?? null) : null;
      const pairCode = resource.status === 'waiting_for_pair_code' ? (view.link?.pairCode ?? null) : null;
      return {
        qr:
          qr === null
            ? null
            : {
                svg: Buffer.from(await qrImages.svg(qr.code)).toString('base64'),
                expiresAt: Math.floor(qr.expiresAt / 1000),
              },
        pairCode: pairCode === null ? null : { ...pairCode, expiresAt: Math.floor(pairCode.expiresAt / 1000) },
        device: deviceOf(row, view) === null ? null : presentDevice(row, view),
        traffic: { received: sum('received'), sent: sum('sent'), failed: sum('failed') },
        memoryPercent: percentOf(resource.child?.memory_bytes ?? null, resource.child?.memory_cap_bytes ?? null),
      };
    },
  });
}
