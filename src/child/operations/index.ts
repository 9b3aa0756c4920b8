/** Which handler carries out which operation; an operation without one does not compile. */
import type { Clock } from '../../clock.ts';
import type { ChildOperationName, Params, Result, SendOperationName } from '../../contract/index.ts';
import type { LinkLimits, PreparedMedia } from '../../contract/ipc.ts';
import type { Outgoing } from '../engine/outgoing.ts';
import type { GroupCache } from '../engine/group-cache.ts';
import type { Recipients } from '../engine/recipients.ts';
import type { ContactNames } from '../contact-names.ts';
import type { WASocket } from '../engine/link-socket.ts';
import type { People } from '../people.ts';
import type { PresenceWishes } from '../presence-wishes.ts';
import type { StoreClient } from '../store-client.ts';
import type { Typing } from '../typing.ts';
import { blockContact, checkBlocked, listBlocked, unblockContact } from './blocking.ts';
import { deleteMessage, editMessage } from './change-messages.ts';
import { checkContacts, getContactInfo, getLid, getPicture, getUsers } from './contacts.ts';
import {
  createGroup,
  getGroup,
  leaveGroup,
  listGroups,
  setGroupDescription,
  setGroupPicture,
  setGroupSettings,
  setGroupSubject,
} from './groups.ts';
import {
  answerJoinRequests,
  changeGroupParticipants,
  getGroupInvite,
  joinGroup,
  listJoinRequests,
  revokeGroupInvite,
} from './groups-participants.ts';
import { pinMessage, reactToMessage, readMessages, starMessage } from './mark-messages.ts';
import { sendAudio, sendDocument, sendImage, sendSticker, sendVideo } from './media.ts';
import { forwardMessage, sendContact, sendLocation, sendPoll, sendText } from './messages.ts';
import { sendChatState, sendTyping, setPresence, subscribePresence } from './presence.ts';

export interface ChildContext {
  readonly sock: WASocket;
  readonly store: StoreClient;
  readonly recipients: Recipients;
  readonly groups: GroupCache;
  readonly limits: LinkLimits;
  readonly clock: Clock;
  readonly names: ContactNames;
  readonly people: People;
  readonly presence: PresenceWishes;
  readonly typing: Typing;
}

/** Carries an operation out on an open link. */
export type ChildHandler<N extends ChildOperationName> = (
  params: Params<N>,
  context: ChildContext,
) => Promise<Result<N>>;

export interface SendContext extends ChildContext {
  /** What the supervisor has prepared for operations with media. */
  readonly media: PreparedMedia | null;
}

/** Turns the params of a send into what is to be sent. */
export type SendHandler<N extends SendOperationName> = (
  params: Params<N>,
  context: SendContext,
) => Outgoing | Promise<Outgoing>;

export const childHandlers: { readonly [N in ChildOperationName]: ChildHandler<N> } = {
  starMessage,
  readMessages,
  listGroups,
  getGroup,
  createGroup,
  leaveGroup,
  setGroupSubject,
  setGroupDescription,
  setGroupSettings,
  setGroupPicture,
  changeGroupParticipants,
  getGroupInvite,
  revokeGroupInvite,
  joinGroup,
  listJoinRequests,
  answerJoinRequests,
  checkContacts,
  getContactInfo,
  getUsers,
  getPicture,
  getLid,
  listBlocked,
  blockContact,
  unblockContact,
  checkBlocked,
  setPresence,
  subscribePresence,
  sendChatState,
  sendTyping,
};

export const sendHandlers: { readonly [N in SendOperationName]: SendHandler<N> } = {
  sendText,
  sendImage,
  sendVideo,
  sendAudio,
  sendDocument,
  sendSticker,
  sendLocation,
  sendContact,
  sendPoll,
  forwardMessage,
  editMessage,
  reactToMessage,
  deleteMessage,
  pinMessage,
};
