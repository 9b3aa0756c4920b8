/** Composition of the messaging part: what it remembers, who writes and reads, and which stanzas it answers. */
import { Contact } from './contact.ts';
import { Acknowledgements } from './flows/acknowledgements.ts';
import { chatStateFlow } from './flows/chat-state.ts';
import { clientAckFlow } from './flows/client-acks.ts';
import { Destinations } from './flows/destinations.ts';
import { messageFlow } from './flows/messages.ts';
import { announceOffline, offlineFlow } from './flows/offline.ts';
import { privacyTokenFlow } from './flows/privacy-tokens.ts';
import { receiptFlow } from './flows/receipts.ts';
import { Incoming } from './incoming.ts';
import { messagingRoutes } from './messaging-routes.ts';
import { Outgoing } from './outgoing.ts';
import { Phone } from './phone.ts';
import { SignalEngine } from './signal-engine.ts';
import { Activity } from './state/activity.ts';
import { ContactSettings } from './state/contact-settings.ts';
import { Inbox } from './state/inbox.ts';
import { Queues } from './state/queues.ts';
import { SentMessages } from './state/sent-messages.ts';
import type { Messaging, SimulatorContext } from './types.ts';

/** Everything about messages: Signal sessions of the simulated people, queues, receipts, relaying. */
export function createMessaging(context: SimulatorContext): Messaging {
  const { records, clock, directory } = context;
  const engine = new SignalEngine(records);
  const queues = new Queues(context);
  const inbox = new Inbox(records);
  const sent = new SentMessages(records);
  const settings = new ContactSettings(records);
  const activity = new Activity();
  const outgoing = new Outgoing({ context, engine, queues, sent, settings });
  const incoming = new Incoming({ context, engine, queues, inbox, settings });
  const contact = new Contact({ context, queues, settings, outgoing });
  const phone = new Phone(outgoing, contact);
  const acknowledgements = new Acknowledgements(context);
  const destinations = new Destinations();

  return {
    flows: [
      messageFlow({ context, queues, incoming, contact, acknowledgements, destinations }),
      receiptFlow({ context, queues, activity, outgoing }),
      clientAckFlow(queues),
      offlineFlow(queues),
      chatStateFlow(activity, clock),
      privacyTokenFlow,
    ],
    controlRoutes: messagingRoutes({ context, engine, queues, inbox, sent, settings, activity, contact, phone }),
    async onLogin(connection) {
      announceOffline(queues, connection);
    },
    onDeviceRemoved(device) {
      queues.discard(device);
      // Whoever is linked under this number next has other keys.
      for (const user of directory.users()) engine.forget(user, { lid: device.user.lid, device: device.id });
    },
    phoneBundle: (user) => engine.bundle(user),
    close() {
      acknowledgements.close();
    },
  };
}
