/** Who is who in groups: members are named by LIDs, people know phone numbers. */
import { jidNormalizedUser, type WASocket } from '@whiskeysockets/baileys';
import { readPerson, type Person } from './group-facts.ts';

/** The write of these must fit into one frame of the channel. */
const pairsPerWrite = 500;

/** The account itself, by both addresses. */
export function ownPerson(sock: WASocket): Person {
  return readPerson([sock.user?.id, sock.user?.lid]);
}

/** Adds the phone numbers that are known from elsewhere; asks nobody. */
export async function completed<P extends Person>(sock: WASocket, people: readonly P[]): Promise<readonly P[]> {
  const unknown = people.flatMap(({ pn, lid }) => (pn === null && lid !== null ? [lid] : []));
  if (unknown.length === 0) return people;
  const found = (await sock.signalRepository.lidMapping.getPNsForLIDs([...new Set(unknown)])) ?? [];
  const numbers = new Map(found.map(({ lid, pn }) => [jidNormalizedUser(lid), jidNormalizedUser(pn)]));
  return people.map((person) =>
    person.pn === null && person.lid !== null ? { ...person, pn: numbers.get(person.lid) ?? null } : person,
  );
}

/**
 * Keeps which LID belongs to which number, as groups disclose it: receipts and other notices name the LID only, and the
 * library throws this away.
 */
export async function learn(sock: WASocket, people: readonly Person[]): Promise<void> {
  const pairs = people.flatMap(({ pn, lid }) => (pn === null || lid === null ? [] : [{ pn, lid }]));
  for (let start = 0; start < pairs.length; start += pairsPerWrite) {
    await sock.signalRepository.lidMapping.storeLIDPNMappings(pairs.slice(start, start + pairsPerWrite));
  }
}
