/** What becomes of an action in a group: the changed group with what is to be told, or a refusal. Pure. */
import type { Group } from '../state/groups.ts';

/** Somebody whom an action names. */
export interface Candidate {
  /** JID as written in the request. */
  readonly asked: string;
  /** LID digits; null when nobody on WhatsApp has this address. */
  readonly lid: string | null;
  readonly forbidsAdding: boolean;
  /** Has blocked the one who acts. */
  readonly isBlocked: boolean;
  /** A fresh code, in case that the person must be invited. */
  readonly code: string;
}

export interface ParticipantResult {
  readonly asked: string;
  readonly lid: string | null;
  /** WhatsApp's number, null when it was done. */
  readonly error: number | null;
  /** What the person can join with instead of being added. */
  readonly invite: { readonly code: string; readonly expiresAt: number } | null;
}

/** What members are told, one notification each; the values stand in the changed group. */
export type GroupChange =
  | { readonly tag: 'joined'; readonly lids: readonly string[]; readonly reason: 'invite' | null }
  | { readonly tag: 'left' | 'promote' | 'demote'; readonly lids: readonly string[] }
  | { readonly tag: 'subject' | 'announcement' | 'locked' | 'all_may_add' | 'approval' | 'ephemeral' | 'invite' }
  | { readonly tag: 'description'; readonly id: string }
  | {
      readonly tag: 'requested';
      readonly lids: readonly string[];
      readonly method: 'invite_link' | 'non_admin_add';
    }
  | { readonly tag: 'request_ended'; readonly lids: readonly string[] };

export type Outcome =
  | { readonly tag: 'refused'; readonly code: number; readonly text: string }
  | {
      readonly tag: 'done';
      readonly group: Group;
      readonly changes: readonly GroupChange[];
      /** Of the people whom the action named. */
      readonly results: readonly ParticipantResult[];
    };

export function refused(code: number, text: string): Outcome {
  return { tag: 'refused', code, text };
}

export function done(
  group: Group,
  changes: readonly GroupChange[],
  results: readonly ParticipantResult[] = [],
): Outcome {
  return { tag: 'done', group, changes, results };
}
