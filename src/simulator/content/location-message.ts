/** Locations as simulated people write them. */
import type { DescribedLocation } from '../content.ts';
import type { proto } from '../wire/proto.ts';
import { contextInfo, type MessageContext } from './context-info.ts';

export function locationMessage(location: DescribedLocation, context: MessageContext): proto.IMessage {
  return {
    locationMessage: {
      degreesLatitude: location.latitude,
      degreesLongitude: location.longitude,
      name: location.name,
      address: location.address,
      contextInfo: contextInfo(context),
    },
  };
}
