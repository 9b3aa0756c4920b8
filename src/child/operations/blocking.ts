import { WardenError } from '../../contract/errors.ts';
import { isPhoneJid } from '../../contract/ids.ts';
import { changeBlocklist, readBlocklist } from '../engine/blocklist.ts';
import { notOnWhatsApp } from '../engine/recipients.ts';
import type { ChildContext, ChildHandler } from './index.ts';

export const listBlocked: ChildHandler<'listBlocked'> = async (_params, { sock }) => {
  const blocked = [...(await readBlocklist(sock))];
  return { blocked, count: blocked.length };
};

export const blockContact: ChildHandler<'blockContact'> = async ({ jid }, context) => {
  const { pn, lid } = await bothAddresses(jid, context);
  if (pn === null) {
    throw new WardenError('unprocessable', {
      message: 'WhatsApp wants the phone number of whom it blocks, and has not disclosed the one of this LID.',
      details: [{ field: 'jid', expected: 'a phone number', received: 'a LID' }],
    });
  }
  await changeBlocklist(context.sock, { action: 'block', lid, pn });
  return { success: true, message: 'Contact blocked.' };
};

export const unblockContact: ChildHandler<'unblockContact'> = async ({ jid }, context) => {
  const { lid } = await bothAddresses(jid, context);
  await changeBlocklist(context.sock, { action: 'unblock', lid, pn: null });
  return { success: true, message: 'Contact unblocked.' };
};

export const checkBlocked: ChildHandler<'checkBlocked'> = async ({ jid: asked }, { sock, recipients }) => {
  const blocked = await readBlocklist(sock);
  const { jid, lid } = await recipients.identify(sock, asked);
  const isBlocked = blocked.some((each) => each === jid || each === lid);
  return { jid, blocked: isBlocked, is_blocked: isBlocked };
};

async function bothAddresses(
  asked: string,
  { sock, recipients }: ChildContext,
): Promise<{ readonly pn: string | null; readonly lid: string }> {
  const { jid } = await recipients.identify(sock, asked);
  const lid = await recipients.lidOf(sock, asked);
  if (lid === null) throw notOnWhatsApp(asked, 'jid');
  return { pn: isPhoneJid(jid) ? jid : null, lid };
}
