import { isGroupJid } from '../../contract/ids.ts';
import type { ChildHandler } from './index.ts';

export const setPresence: ChildHandler<'setPresence'> = async ({ status }, { sock, presence }) => {
  await presence.setAvailable(sock, status === 'available');
  return { success: true, message: 'Presence set.' };
};

export const subscribePresence: ChildHandler<'subscribePresence'> = async (params, context) => {
  const { sock, recipients, presence, people } = context;
  const jid = await recipients.resolve(sock, params.jid);
  // Whoever subscribes is told the present state, also when it was told before.
  people.forgetPresence(jid);
  await presence.subscribe(sock, jid);
  return { success: true, message: 'Subscribed.' };
};

export const sendChatState: ChildHandler<'sendChatState'> = async ({ to, state }, { sock, recipients, typing }) => {
  const chat = isGroupJid(to) ? to : await recipients.resolve(sock, to);
  typing.forget(chat);
  await sock.sendPresenceUpdate(state, chat);
  return { success: true, message: 'Chat state sent.' };
};

export const sendTyping: ChildHandler<'sendTyping'> = async ({ to, duration }, { sock, recipients, typing }) => {
  const chat = isGroupJid(to) ? to : await recipients.resolve(sock, to);
  await typing.show(sock, chat, duration);
  return { success: true, message: 'Typing.' };
};
