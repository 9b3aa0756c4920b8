/** Finds simulated people by how they are written in control requests. */
import { WardenError } from '../contract/errors.ts';
import { parseJid, phoneDigits } from './jid.ts';
import type { SimulatorContext, User } from './types.ts';

/** Somebody by phone number as people write it, or by JID. */
export function findPerson(context: SimulatorContext, written: string): User | undefined {
  return context.directory.byJid(phoneDigits(written) ?? written);
}

/** The same; fails with `contact_not_found` when there is nobody. */
export function knownPerson(context: SimulatorContext, written: string): User {
  const person = findPerson(context, written);
  if (person === undefined) throw new WardenError('contact_not_found');
  return person;
}

/** The same, created when the number is new. */
export function personOf(context: SimulatorContext, written: string): User {
  const known = findPerson(context, written);
  if (known !== undefined) return known;
  const jid = parseJid(written);
  const pn = phoneDigits(jid?.server === 's.whatsapp.net' ? jid.user : written);
  if (pn === undefined) throw new WardenError('contact_not_found');
  return context.directory.create({ pn, kind: 'contact' });
}
