/** Pure: as whom the embedded Postgres runs. It refuses to run as root, and its data must belong to whoever runs it. */
import { assertNever } from '../contract/assert-never.ts';

export type Privilege =
  /** As we are. */
  | { readonly tag: 'same' }
  /** In a user namespace in which root looks like an ordinary user: nothing changes hands on disk. */
  | { readonly tag: 'namespace' }
  /** As another user, to whom root hands the data folder. */
  | { readonly tag: 'user'; readonly uid: number; readonly gid: number };

export interface PrivilegeFacts {
  /** Null where there are no user ids. */
  readonly uid: number | null;
  /** Owner of the data folder; null when it does not exist yet. */
  readonly dataOwner: { readonly uid: number; readonly gid: number } | null;
  readonly hasUserNamespaces: boolean;
  readonly hasSetpriv: boolean;
  readonly nobody: { readonly uid: number; readonly gid: number } | null;
}

/** Throws an error in words for people when there is no way. */
export function choosePrivilege(facts: PrivilegeFacts): Privilege {
  const { uid, dataOwner } = facts;
  if (uid === null) return { tag: 'same' };
  if (uid !== 0) {
    if (dataOwner === null || dataOwner.uid === uid) return { tag: 'same' };
    throw new Error(
      `the database folder belongs to the user with id ${dataOwner.uid}, but this is the user with id ${uid}: ` +
        'start as that user, choose another WHATSAPP_STORAGE_PATH, or set DATABASE_URL',
    );
  }
  if (dataOwner !== null && dataOwner.uid !== 0 && facts.hasSetpriv) return { tag: 'user', ...dataOwner };
  if (facts.hasUserNamespaces) return { tag: 'namespace' };
  if (facts.hasSetpriv && facts.nobody !== null) return { tag: 'user', ...facts.nobody };
  throw new Error('Postgres does not run as root here: start as an ordinary user, or set DATABASE_URL');
}

/** The command and its arguments that run `command` with a privilege, stopped with SIGINT when our process dies. */
export function privileged(
  privilege: Privilege,
  command: readonly string[],
  hasSetpriv: boolean,
): readonly [string, ...string[]] {
  const setpriv = hasSetpriv ? ['setpriv', '--pdeathsig', 'INT'] : [];
  switch (privilege.tag) {
    case 'same':
      return nonEmpty([...setpriv, ...command]);
    case 'namespace':
      return nonEmpty(['unshare', '-U', '--map-user=1000', '--map-group=1000', ...setpriv, ...command]);
    case 'user': {
      const { uid, gid } = privilege;
      return nonEmpty([...setpriv, `--reuid=${uid}`, `--regid=${gid}`, '--clear-groups', ...command]);
    }
    default:
      return assertNever(privilege);
  }
}

function nonEmpty(words: readonly string[]): readonly [string, ...string[]] {
  const [first, ...rest] = words;
  if (first === undefined) throw new Error('there is no command to run');
  return [first, ...rest];
}
