/** Everything that the doctor looks at, before it is judged. Null stands for what could not be found out. */
import type { InspectedDatabase } from '../store/inspect-database.ts';

/** Something that was tried: how it went, or why it did not. */
export type Tried<Value> = { readonly value: Value } | { readonly problem: string };

export interface GatewayFacts {
  readonly address: string;
  /** What /readyz of a gateway that answers there says; null when none answers. */
  readonly readiness: { readonly isReady: boolean; readonly text: string } | null;
  /** Why nobody could listen there; null when the port is free, or held by the gateway itself. */
  readonly portProblem: string | null;
}

export interface DatabaseFacts {
  /** Without a password. */
  readonly name: string;
  readonly isEmbedded: boolean;
  /** Null for an embedded one that does not run now. */
  readonly inspected: Tried<InspectedDatabase> | null;
  readonly appliesMigrations: boolean;
}

export interface MachineFacts {
  readonly nodeVersion: string;
  readonly platform: string;
  readonly storage: {
    readonly path: string;
    /** Absent ones are created by the start. */
    readonly exists: boolean;
    /** Why nothing can be written there; null when it can. */
    readonly problem: string | null;
    readonly freeBytes: number | null;
    readonly freeFiles: number | null;
  };
  readonly spoolQuotaBytes: number;
  readonly memory: {
    readonly limitBytes: number;
    readonly freeBytes: number;
    readonly source: 'container' | 'machine';
  };
  readonly descriptorLimit: number | null;
  readonly wrappers: { readonly setpriv: string | null; readonly prlimit: string | null };
  /** Files that hold secrets; modes as permission bits. */
  readonly secrets: readonly { readonly path: string; readonly mode: number }[];
}

export interface CapacityFacts {
  /** Sessions that should run; null while the database does not tell. */
  readonly sessions: number | null;
  readonly sessionsPerChild: number;
  readonly capBytes: number;
  readonly overcommit: number;
  readonly reserveMb: number;
}

export interface NetworkFacts {
  /** Null where it is not needed. */
  readonly targets: readonly {
    readonly name: string;
    readonly what: 'link' | 'media';
    readonly outcome: Tried<{ readonly tookMs: number }>;
  }[];
  /** Our clock against that of a server outside; positive when we are ahead. */
  readonly clockAheadMs: number | null;
}

export interface Facts {
  readonly machine: MachineFacts;
  readonly gateway: GatewayFacts;
  /** The port of the metrics, where there is one of their own. */
  readonly metricsPort: { readonly address: string; readonly problem: string | null } | null;
  readonly database: DatabaseFacts;
  readonly capacity: CapacityFacts;
  readonly network: NetworkFacts;
}
