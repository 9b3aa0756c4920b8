/** Calls as events: pure. */
import type { RecordItem } from '../../contract/ipc.ts';

export interface SeenCall {
  readonly callId: string;
  readonly from: string;
  readonly status: 'offer' | 'ringing' | 'accept' | 'reject' | 'timeout' | 'terminate';
  readonly isVideo: boolean;
  readonly isGroup: boolean;
  /** Unix seconds. */
  readonly timestamp: number;
}

/** Every status of a call is told once: WhatsApp repeats offers, and tells each device how a call ended. */
export function callItem(call: SeenCall): RecordItem {
  const { callId, from, status, isVideo, isGroup, timestamp } = call;
  return {
    tag: 'event',
    at: timestamp * 1000,
    onceId: `call:${callId}:${status}`,
    event: {
      name: 'call',
      data: { call_id: callId, from, status, is_video: isVideo, is_group: isGroup, timestamp },
    },
  };
}
