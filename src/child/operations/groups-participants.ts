/** Who is in a group: participants, invite links, requests to join. */
import { WardenError } from '../../contract/errors.ts';
import { isLidJid, isPhoneJid } from '../../contract/ids.ts';
import type { Params, Result } from '../../contract/index.ts';
import { answerRequests, changeParticipants, joinByCode, renewInvite } from '../engine/group-changes.ts';
import { addressOf, isSamePerson, readPerson, type Person, type PersonOutcome } from '../engine/group-facts.ts';
import { fetchGroup, fetchInviteCode, fetchJoinRequests } from '../engine/group-queries.ts';
import { participantResult } from './groups-view.ts';
import type { ChildContext } from './index.ts';

/** Somebody whom a request names, with the address to name to WhatsApp. */
interface Named extends Person {
  readonly id: string;
}

/**
 * Resolves those whom a request names. Numbers that are not on WhatsApp are told apart with the code that WhatsApp has
 * for them; whatever is not a person is refused.
 */
export async function identifyParticipants(
  { sock, recipients }: ChildContext,
  jids: readonly string[],
): Promise<{ readonly known: readonly Named[]; readonly unknown: readonly PersonOutcome[] }> {
  requirePeople(jids);
  const unique = [...new Set(jids)];
  const found = await recipients.lookUp(sock, unique.filter(isPhoneJid), []);
  const byAsked = new Map(found.map((person) => [person.asked, person]));
  const known: Named[] = [];
  const unknown: PersonOutcome[] = [];
  for (const jid of unique) {
    const person = byAsked.get(jid);
    if (isLidJid(jid)) known.push({ ...readPerson([jid]), id: jid });
    else if (person === undefined || person.jid === null) unknown.push({ ...readPerson([jid]), id: jid, code: '404' });
    else known.push({ ...readPerson([person.jid, person.lid ?? undefined]), id: person.jid });
  }
  return { known, unknown };
}

export async function changeGroupParticipants(
  { jid, action, participants }: Params<'changeGroupParticipants'>,
  context: ChildContext,
): Promise<Result<'changeGroupParticipants'>> {
  const { known, unknown } =
    action === 'add'
      ? await identifyParticipants(context, participants)
      : await among(context, participants, (await fetchGroup(context, jid)).members);
  const ids = known.map(({ id }) => id);
  const done = ids.length === 0 ? [] : await changeParticipants(context, { jid, action, ids });
  const results = resultsOf(known, done, unknown);
  return { success: true, message: messageOf(results, 'Participants changed.'), results };
}

export async function listJoinRequests(
  { jid }: Params<'listJoinRequests'>,
  context: ChildContext,
): Promise<Result<'listJoinRequests'>> {
  const requests = await fetchJoinRequests(context, jid);
  return {
    requests: requests.map((request) => ({
      jid: addressOf(request),
      lid: request.lid,
      requested_at: request.requestedAt,
    })),
    total: requests.length,
  };
}

export async function answerJoinRequests(
  { jid, action, participants }: Params<'answerJoinRequests'>,
  context: ChildContext,
): Promise<Result<'answerJoinRequests'>> {
  const asking = (await fetchJoinRequests(context, jid)).map((one) => ({ ...one, id: one.lid ?? addressOf(one) }));
  const { known, unknown } = await among(context, participants, asking);
  const ids = known.map(({ id }) => id);
  const done = ids.length === 0 ? [] : await answerRequests(context, { jid, verdict: action, ids });
  const results = resultsOf(known, done, unknown);
  return { success: true, message: messageOf(results, 'Requests answered.'), results };
}

export async function getGroupInvite(
  { jid }: Params<'getGroupInvite'>,
  context: ChildContext,
): Promise<Result<'getGroupInvite'>> {
  return inviteOf(await fetchInviteCode(context, jid));
}

export async function revokeGroupInvite(
  { jid }: Params<'revokeGroupInvite'>,
  context: ChildContext,
): Promise<Result<'revokeGroupInvite'>> {
  return inviteOf(await renewInvite(context, jid));
}

export function joinGroup({ code }: Params<'joinGroup'>, context: ChildContext): Promise<Result<'joinGroup'>> {
  return joinByCode(context, code);
}

/**
 * Finds those whom a request names among people who are known: by either address, and by what WhatsApp makes of a
 * number that is written in a national form.
 */
async function among(
  context: ChildContext,
  jids: readonly string[],
  people: readonly Named[],
): Promise<{ readonly known: readonly Named[]; readonly unknown: readonly PersonOutcome[] }> {
  requirePeople(jids);
  const known: Named[] = [];
  const missing: string[] = [];
  for (const jid of new Set(jids)) {
    const person = people.find((each) => isSamePerson(each, readPerson([jid])));
    if (person === undefined) missing.push(jid);
    else known.push(person);
  }
  if (missing.length === 0) return { known, unknown: [] };
  const identified = await identifyParticipants(context, missing);
  const unknown = [...identified.unknown];
  for (const candidate of identified.known) {
    const person = people.find((each) => isSamePerson(each, candidate));
    if (person === undefined) unknown.push({ ...candidate, code: '404' });
    else known.push(person);
  }
  return { known, unknown };
}

/** What became of each; WhatsApp answers by the address of its choice, in the order of the request. */
function resultsOf(
  known: readonly Named[],
  done: readonly PersonOutcome[],
  unknown: readonly PersonOutcome[],
): Result<'changeGroupParticipants'>['results'] {
  const outcomes = known.map((person, index) => {
    const told =
      done.find((outcome) => outcome.id === person.id || isSamePerson(outcome, person)) ??
      (done.length === known.length ? done[index] : undefined);
    return { ...person, pn: person.pn ?? told?.pn ?? null, code: told?.code ?? '404' };
  });
  return [...outcomes, ...unknown].map((outcome) => participantResult(outcome));
}

function messageOf(results: Result<'changeGroupParticipants'>['results'], success: string): string {
  return results.every(({ ok }) => ok) ? success : 'Not everything was done; see results.';
}

function inviteOf(code: string): Result<'getGroupInvite'> {
  return { code, link: `https://chat.whatsapp.com/${code}` };
}

function requirePeople(jids: readonly string[]): void {
  const other = jids.find((jid) => !isPhoneJid(jid) && !isLidJid(jid));
  if (other === undefined) return;
  throw new WardenError('invalid_request', {
    details: [{ field: 'participants', expected: 'phone numbers, or JIDs of people', received: other }],
  });
}
