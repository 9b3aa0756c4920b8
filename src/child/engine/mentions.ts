/** Whom an outgoing message mentions, in the form that its chat wants. Pure. */
import { WardenError } from '../../contract/errors.ts';
import { isPhoneJid, userOf } from '../../contract/ids.ts';
import type { GroupFacts } from './group-facts.ts';

export interface ResolvedMentions {
  readonly jids: readonly string[];
  /** How the text must name people: the number as typed → the user part of the address that is mentioned. */
  readonly names: ReadonlyMap<string, string>;
}

const noMentions: ResolvedMentions = { jids: [], names: new Map() };

/**
 * In groups that address by LID people are mentioned by their LID, and the text names them by it. `group` is null in
 * chats of two, `own` holds the account's addresses. Throws `invalid_request` for "all" outside of groups.
 */
export function resolveMentions(
  mentions: 'all' | readonly string[] | undefined,
  group: GroupFacts | null,
  own: ReadonlySet<string>,
): ResolvedMentions {
  if (mentions === undefined || mentions.length === 0) return noMentions;
  if (mentions === 'all') {
    if (group === null) throw onlyInGroups();
    const others = group.members.filter(
      ({ id, pn, lid }) => ![id, pn, lid].some((jid) => jid !== null && own.has(jid)),
    );
    return { jids: others.map(({ id }) => id), names: new Map() };
  }
  const addresses = mentions.map((jid) => ({ jid, address: addressIn(group, jid) }));
  const renamed = addresses.filter(({ jid, address }) => jid !== address && isPhoneJid(jid));
  return {
    jids: addresses.map(({ address }) => address),
    names: new Map(renamed.map(({ jid, address }) => [userOf(jid), userOf(address)])),
  };
}

/** The text with `@number` as the chat's members are addressed. */
export function nameMentions(text: string, names: ReadonlyMap<string, string>): string {
  return text.replaceAll(/@\+?(\d{5,20})\b/g, (written, digits: string) => {
    const name = names.get(digits);
    return name === undefined ? written : `@${name}`;
  });
}

/** How a chat addresses somebody; whoever is not a member is mentioned as asked for. */
function addressIn(group: GroupFacts | null, jid: string): string {
  return group?.members.find(({ id, pn, lid }) => id === jid || pn === jid || lid === jid)?.id ?? jid;
}

function onlyInGroups(): WardenError {
  return new WardenError('invalid_request', {
    details: [{ field: 'mentions', expected: 'a list of people; "all" is for groups', received: '"all"' }],
  });
}
