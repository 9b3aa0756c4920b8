import { isGroupJid, isPhoneJid, userOf } from '../../contract/ids.ts';
import { readPicture } from '../engine/picture.ts';
import type { Person } from '../engine/recipients.ts';
import type { ChildHandler } from './index.ts';

const profile = ['status', 'picture', 'business'] as const;

export const checkContacts: ChildHandler<'checkContacts'> = async ({ phones }, { sock, recipients }) => {
  const people = await recipients.lookUp(sock, phones, []);
  return {
    results: people.map(({ asked, jid, lid }) => ({
      phone: phoneOf(asked) ?? phoneOf(jid) ?? asked,
      jid,
      lid,
      is_registered: jid !== null,
      exists: jid !== null,
    })),
  };
};

export const getContactInfo: ChildHandler<'getContactInfo'> = async ({ phones, jid }, { sock, recipients, names }) => {
  const people = await recipients.lookUp(sock, phones ?? (jid === undefined ? [] : [jid]), profile);
  const known = await names.of(people.map(addressOf));
  return {
    contacts: people.map((person) => ({
      jid: addressOf(person),
      lid: person.lid,
      phone: phoneOf(addressOf(person)),
      is_registered: person.jid !== null,
      is_business: person.answer?.isBusiness ?? false,
      name: person.answer?.verifiedName ?? known.get(addressOf(person)) ?? null,
      status: person.answer?.about ?? null,
      picture_id: person.answer?.pictureId ?? null,
    })),
  };
};

export const getUsers: ChildHandler<'getUsers'> = async ({ jids, phones }, { sock, recipients }) => {
  const people = await recipients.lookUp(sock, jids ?? phones ?? [], ['devices', ...profile]);
  return {
    users: people.map((person) => ({
      jid: addressOf(person),
      lid: person.lid,
      devices: [...(person.answer?.devices ?? [])],
      status: person.answer?.about ?? null,
      is_business: person.answer?.isBusiness ?? false,
      picture_id: person.answer?.pictureId ?? null,
    })),
  };
};

export const getPicture: ChildHandler<'getPicture'> = async ({ jid, type }, { sock, recipients, clock }) => {
  const subject = isGroupJid(jid) ? jid : await recipients.resolve(sock, jid);
  const { url, id } = await readPicture(sock, subject, { type, now: clock.now() });
  return { url, picture_id: id, id };
};

export const getLid: ChildHandler<'getLid'> = async ({ jid: asked }, { sock, recipients }) => {
  const { jid } = await recipients.identify(sock, asked);
  if (!isPhoneJid(jid)) return { jid: null, lid: jid, phone: null };
  return { jid, lid: await recipients.lidOf(sock, asked), phone: userOf(jid) };
};

/** Where the person is found; as asked for when WhatsApp does not know it. */
const addressOf = ({ jid, asked }: Person): string => jid ?? asked;

const phoneOf = (jid: string | null): string | null => (jid !== null && isPhoneJid(jid) ? userOf(jid) : null);
