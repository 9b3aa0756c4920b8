/** Composition of the messaging part: what it remembers, who writes and reads, and which stanzas it answers. */
import { Contact } from './contact.ts';
import { contactRoutes } from './contact-routes.ts';
import { Acknowledgements } from './flows/acknowledgements.ts';
import { createAppState } from './flows/app-state.ts';
import { clientAckFlow } from './flows/client-acks.ts';
import { Destinations } from './flows/destinations.ts';
import { groupMessageFlow } from './flows/group-messages.ts';
import { groupFlow } from './flows/groups.ts';
import { mediaConnectionFlow } from './flows/media.ts';
import { messageFlow } from './flows/messages.ts';
import { announceOffline, offlineFlow } from './flows/offline.ts';
import { privacyTokenFlow } from './flows/privacy-tokens.ts';
import { receiptFlow } from './flows/receipts.ts';
import { GroupOutgoing } from './group-outgoing.ts';
import { groupRoutes } from './group-routes.ts';
import { GroupDesk } from './groups/group-desk.ts';
import { Incoming } from './incoming.ts';
import { messagingRoutes } from './messaging-routes.ts';
import { Outgoing } from './outgoing.ts';
import { Phone } from './phone.ts';
import { phoneRoutes } from './phone-routes.ts';
import { SenderKeys } from './signal/sender-keys.ts';
import { SignalEngine } from './signal-engine.ts';
import { createSocial } from './social.ts';
import { Activity } from './state/activity.ts';
import { AddressBook } from './state/address-book.ts';
import { Blocklist } from './state/blocklist.ts';
import { ContactSettings } from './state/contact-settings.ts';
import { Groups } from './state/groups.ts';
import { Inbox } from './state/inbox.ts';
import { PersonReceipts } from './state/person-receipts.ts';
import { Privacy } from './state/privacy.ts';
import { Queues } from './state/queues.ts';
import { ReceivedMedia } from './state/received-media.ts';
import { SentMessages } from './state/sent-messages.ts';
import type { Messaging, SimulatorContext } from './types.ts';

/** Everything about messages: Signal sessions of the simulated people, queues, receipts, relaying. */
export function createMessaging(context: SimulatorContext): Messaging {
  const { records, directory } = context;
  const engine = new SignalEngine(records);
  const senderKeys = new SenderKeys(records);
  const queues = new Queues(context);
  const inbox = new Inbox(records);
  const sent = new SentMessages(records);
  const settings = new ContactSettings(records);
  const receipts = new PersonReceipts(records);
  const addressBook = new AddressBook(records);
  const activity = new Activity();
  const groups = new Groups(records);
  const blocklist = new Blocklist(records, directory);
  const privacy = new Privacy(records);
  const { media, oracle } = context;
  const receivedMedia = new ReceivedMedia({ records, media, oracle });
  const outgoing = new Outgoing({ context, engine, queues, sent, settings, blocklist });
  const groupOutgoing = new GroupOutgoing({ context, engine, senderKeys, groups, queues, sent });
  const incoming = new Incoming({ context, engine, senderKeys, queues, inbox, settings, receivedMedia });
  const contact = new Contact({ context, queues, settings, receipts, outgoing, groupOutgoing });
  const phone = new Phone({ directory, outgoing, groupOutgoing, contact });
  const desk = new GroupDesk({
    context,
    groups,
    settings,
    privacy,
    blocklist,
    onLeft: (group) => groupOutgoing.renewKeys(group),
  });
  const social = createSocial({ context, activity, settings, groups, desk, blocklist, privacy });
  const acknowledgements = new Acknowledgements(context);
  const appState = createAppState({ context, outgoing });
  const destinations = new Destinations();

  return {
    flows: [
      groupMessageFlow({ context, groups, queues, incoming, contact, acknowledgements }),
      messageFlow({ context, queues, incoming, contact, acknowledgements, destinations, blocklist }),
      groupFlow({ context, groups, desk }),
      receiptFlow({ context, queues, activity, groups, outgoing, groupOutgoing, inbox, sent }),
      mediaConnectionFlow(context),
      clientAckFlow(queues, context.oracle),
      offlineFlow(queues),
      privacyTokenFlow,
      appState.flow,
      ...social.flows,
    ],
    controlRoutes: [
      ...messagingRoutes({
        context,
        engine,
        senderKeys,
        groups,
        queues,
        inbox,
        sent,
        settings,
        receivedMedia,
        activity,
        contact,
        phone,
      }),
      ...contactRoutes({ context, engine, senderKeys, groupOutgoing, settings, addressBook, ...social }),
      ...phoneRoutes({
        context,
        groups,
        inbox,
        sent,
        receipts,
        activity,
        receivedMedia,
        addressBook,
        settings,
        ...social,
      }),
      ...groupRoutes({ context, groups, desk, portraits: social.portraits }),
      ...social.controlRoutes,
    ],
    async onLogin(connection) {
      announceOffline(queues, connection);
      await appState.welcome(connection.device);
    },
    onDeviceRemoved(device) {
      queues.discard(device);
      appState.forget(device);
      // Whoever is linked under this number next has other keys.
      for (const user of directory.users()) engine.forget(user, { lid: device.user.lid, device: device.id });
      groupOutgoing.forgetReader(device);
    },
    phoneBundle: (user) => engine.bundle(user),
    async close() {
      acknowledgements.close();
      await receivedMedia.settled();
    },
  };
}
