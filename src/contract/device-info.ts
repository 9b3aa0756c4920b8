/** The companion device that a session is, as it is stored and moved. */
import { z } from 'zod';
import type { DeviceInfo } from './ipc.ts';

export const deviceInfo: z.ZodType<DeviceInfo> = z.object({
  jid: z.string(),
  lid: z.string().nullable(),
  deviceId: z.number(),
  phoneNumber: z.string(),
  pushName: z.string().nullable(),
  platform: z.string().nullable(),
  appVersion: z.string(),
});
