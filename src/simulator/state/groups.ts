/** The groups of this WhatsApp, in memory with every change written through to the records. */
import { z } from 'zod';
import type { Records } from '../types.ts';

const memberSchema = z.object({
  /** LID digits. */
  lid: z.string(),
  role: z.enum(['member', 'admin', 'superadmin']),
});

const groupSchema = z.object({
  /** `<digits>@g.us` */
  jid: z.string(),
  /** By which address members are named in this group. */
  addressing: z.enum(['lid', 'pn']),
  subject: z.string(),
  subjectBy: z.string(),
  /** Unix seconds, as all times here; people are LID digits. */
  subjectAt: z.number(),
  createdBy: z.string(),
  createdAt: z.number(),
  description: z.object({ id: z.string(), text: z.string(), by: z.string(), at: z.number() }).nullable(),
  members: z.array(memberSchema).readonly(),
  /** Only admins may write. */
  isAnnouncement: z.boolean(),
  /** Only admins may change subject, description, picture and the life of messages. */
  isLocked: z.boolean(),
  /** Life of messages in seconds, 0 for ever. */
  ephemeralS: z.number(),
  /** Everybody may add people, not only admins. */
  allMayAdd: z.boolean(),
  /** Admins decide on who joins by link. */
  needsApproval: z.boolean(),
  inviteCode: z.string(),
  revokedCodes: z.array(z.string()).readonly(),
  requests: z
    .array(
      z.object({
        lid: z.string(),
        at: z.number(),
        method: z.enum(['invite_link', 'non_admin_add']),
        requestor: z.string().nullable(),
      }),
    )
    .readonly(),
  /** For people who must not be added without being asked. */
  personalInvites: z
    .array(z.object({ lid: z.string(), code: z.string(), expiresAt: z.number(), admin: z.string() }))
    .readonly(),
});

export type Group = Readonly<z.output<typeof groupSchema>>;
export type GroupMember = z.output<typeof memberSchema>;

const KIND = 'group';

export class Groups {
  readonly #records: Records;
  readonly #byJid = new Map<string, Group>();

  constructor(records: Records) {
    this.#records = records;
    for (const { value } of records.list(KIND)) {
      const group = groupSchema.parse(JSON.parse(Buffer.from(value).toString('utf8')));
      this.#byJid.set(group.jid, group);
    }
  }

  byJid(jid: string): Group | undefined {
    return this.#byJid.get(jid);
  }

  /** By an invite code that is or was valid. */
  byCode(code: string): Group | undefined {
    return [...this.#byJid.values()].find((group) => group.inviteCode === code || group.revokedCodes.includes(code));
  }

  /** The groups of a person, oldest first. */
  ofMember(lid: string): readonly Group[] {
    const own = [...this.#byJid.values()].filter((group) => group.members.some((member) => member.lid === lid));
    return own.toSorted((one, other) => one.createdAt - other.createdAt || one.jid.localeCompare(other.jid));
  }

  /** Keeps a new or changed group; one without members is forgotten. */
  save(group: Group): void {
    if (group.members.length === 0) {
      this.#byJid.delete(group.jid);
      this.#records.delete(KIND, group.jid);
      return;
    }
    this.#byJid.set(group.jid, group);
    this.#records.put(KIND, group.jid, Buffer.from(JSON.stringify(group)));
  }
}
