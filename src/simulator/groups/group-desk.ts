/** Where groups are founded and changed, by sessions and by simulated people alike: applies the rules, keeps, tells. */
import { randomBytes, randomInt } from 'node:crypto';
import type { ContactSettings } from '../state/contact-settings.ts';
import type { Group, Groups } from '../state/groups.ts';
import type { Blocklist } from '../state/blocklist.ts';
import type { Privacy } from '../state/privacy.ts';
import type { BinaryNode, SimulatorContext, User } from '../types.ts';
import { element } from '../wire/node.ts';
import { actorAttrs, changeNode, createNode } from './group-stanzas.ts';
import type { Candidate, GroupChange, Outcome } from './outcome.ts';
import { act, type GroupAction, isAdmin } from './rules.ts';

export interface NewGroup {
  readonly subject: string;
  readonly creator: User;
  /** JIDs. */
  readonly participants: readonly string[];
  readonly addressing: 'lid' | 'pn';
  /** By which the creator's client knows its own group again. */
  readonly key: string | undefined;
}

export interface GroupDeskParts {
  readonly context: SimulatorContext;
  readonly groups: Groups;
  readonly settings: ContactSettings;
  readonly privacy: Privacy;
  readonly blocklist: Blocklist;
  /** Some people are not members any more: keys that they know are not used again. */
  readonly onLeft: (group: Group) => void;
}

export class GroupDesk {
  readonly #parts: GroupDeskParts;

  constructor(parts: GroupDeskParts) {
    this.#parts = parts;
  }

  /** Founds a group; people who must not be added are left out and stand in the results with their error. */
  create(wanted: NewGroup): Extract<Outcome, { tag: 'done' }> {
    const { context, groups } = this.#parts;
    const { creator } = wanted;
    const at = this.#now();
    const empty: Group = {
      jid: this.#freeJid(),
      addressing: wanted.addressing,
      subject: wanted.subject,
      subjectBy: creator.lid,
      subjectAt: at,
      createdBy: creator.lid,
      createdAt: at,
      description: null,
      members: [{ lid: creator.lid, role: 'superadmin' }],
      isAnnouncement: false,
      isLocked: false,
      ephemeralS: 0,
      allMayAdd: false,
      needsApproval: false,
      inviteCode: freshCode(),
      revokedCodes: [],
      requests: [],
      personalInvites: [],
    };
    const invited = wanted.participants.filter((jid) => context.directory.byJid(jid) !== creator);
    const people = this.candidates(creator, invited);
    const outcome = act(empty, { lid: creator.lid, at }, { tag: 'add', people });
    const founded =
      outcome.tag === 'done' ? outcome : ({ tag: 'done', group: empty, changes: [], results: [] } as const);
    const { group } = founded;
    groups.save(group);
    const node = createNode(context.directory, group, {
      type: 'new',
      ...(wanted.key === undefined ? {} : { key: wanted.key }),
    });
    const members = group.members.map(({ lid }) => lid);
    this.#tell(members, { group, actor: creator, node });
    return founded;
  }

  /** Carries out an action of this person, keeps the group and tells everybody whom it concerns. */
  act(actor: User, group: Group, action: GroupAction): Outcome {
    const outcome = act(group, { lid: actor.lid, at: this.#now() }, action);
    if (outcome.tag === 'refused') return outcome;
    this.#parts.groups.save(outcome.group);
    for (const change of outcome.changes) {
      if (change.tag === 'left') this.#parts.onLeft(outcome.group);
      this.#announce(actor, { before: group, after: outcome.group, change });
    }
    return outcome;
  }

  /** Tells all members something that is no change of the group itself. */
  tellAll(group: Group, news: { readonly actor: User; readonly type: string; readonly node: BinaryNode }): void {
    const members = group.members.map(({ lid }) => lid);
    this.#tell(members, { group, ...news });
  }

  /** The people behind JIDs, with what the rules need to know of them. */
  candidates(actor: User, jids: readonly string[]): readonly Candidate[] {
    const { context, settings, privacy, blocklist } = this.#parts;
    return jids.map((asked) => {
      const user = context.directory.byJid(asked);
      const isHere = user?.registered === true;
      return {
        asked,
        lid: isHere ? user.lid : null,
        forbidsAdding: isHere && (settings.of(user).forbidsGroupAdd || privacy.of(user, 'groupadd') === 'none'),
        isBlocked: isHere && blocklist.has(user, actor),
        code: freshCode(),
      };
    });
  }

  #announce(actor: User, { before, after, change }: { before: Group; after: Group; change: GroupChange }): void {
    const { directory } = this.#parts.context;
    const node = changeNode(directory, after, change);
    const old = before.members.map(({ lid }) => lid);
    switch (change.tag) {
      case 'joined': {
        const { reason, lids } = change;
        this.#tell(old, { group: after, actor, node });
        const whole = createNode(directory, after, reason === null ? {} : { reason });
        this.#tell(lids, { group: after, actor, node: whole });
        return;
      }
      case 'requested':
      case 'request_ended': {
        const admins = old.filter((lid) => isAdmin(after, lid));
        this.#tell(admins, { group: after, actor, node });
        return;
      }
      default:
        this.#tell(old, { group: after, actor, node });
    }
  }

  /** To all companions of these people, the one that acted included: it knows its own action by what it says. */
  #tell(
    lids: readonly string[],
    { group, actor, node, type = 'w:gp2' }: { group: Group; actor: User; node: BinaryNode; type?: string },
  ): void {
    const { context } = this.#parts;
    const attrs = {
      from: group.jid,
      type,
      ...actorAttrs(context.directory, group.addressing, actor),
      notify: actor.name === '' ? undefined : actor.name,
      addressing_mode: group.addressing,
      t: String(this.#now()),
    };
    for (const lid of lids) {
      for (const device of context.directory.byLid(lid)?.devices.values() ?? []) {
        context.notify(device, element('notification', { ...attrs, id: context.stanzaId() }, [node]));
      }
    }
  }

  #now(): number {
    return Math.floor(this.#parts.context.clock.now() / 1000);
  }

  #freeJid(): string {
    for (;;) {
      const jid = `120363${String(randomInt(1_000_000_000_000)).padStart(12, '0')}@g.us`;
      if (this.#parts.groups.byJid(jid) === undefined) return jid;
    }
  }
}

/** As long as WhatsApp's. */
export function freshCode(): string {
  return randomBytes(16).toString('base64url');
}
