/** Opens the vault at the start: makes sure that the gateway's key is the one that this database knows. */
import { sql, type CommonQueryMethods } from 'slonik';
import { EncryptionKeyError } from './encryption-key-error.ts';
import { MasterKeys, type MasterKey } from './master-keys.ts';
import { noRow, type Database } from './pool.ts';
import { gatewayItself } from './sealed-places.ts';
import { dataKeyColumns, dataKeyRow, Vault } from './vault.ts';

/** Where the gateway's own keys come from. */
export interface MasterKeySource {
  /** The keys that are there, the one in use first; null when there is none. */
  read(): Promise<readonly MasterKey[] | null>;
  /** Makes a key and keeps it: asked only of a database in which nothing is encrypted. */
  generate(): Promise<MasterKey>;
}

export interface OpenedVault {
  readonly vault: Vault;
  readonly masterKeys: MasterKeys;
}

/** Any number that nothing else in the database locks. */
const lockKey = 1_464_881_040;

/** Throws EncryptionKeyError when a key in the database does not open, and changes nothing then. */
export function openVault(database: Database, source: MasterKeySource): Promise<OpenedVault> {
  return database.transaction(async (transaction) => {
    // Of two gateways that start on an empty database one makes the key, and the other one finds that.
    await transaction.query(sql.type(noRow)`select pg_advisory_xact_lock(${lockKey})`);
    const rows = await transaction.any(sql.type(dataKeyRow)`select ${dataKeyColumns} from data_keys`);
    const keys = await source.read();
    if (keys === null && rows.length > 0) throw new EncryptionKeyError(namesOf(rows), false);
    const masterKeys = new MasterKeys(keys ?? [await source.generate()]);
    const closed = rows.filter((row) => masterKeys.unwrap(row) === null);
    if (closed.length > 0) throw new EncryptionKeyError(namesOf(closed), true);
    const vault = new Vault(masterKeys);
    await markDatabase(transaction, vault);
    return { vault, masterKeys };
  });
}

/** From its first start on a database holds a key, so that another gateway's key is recognised as wrong. */
async function markDatabase(transaction: CommonQueryMethods, vault: Vault): Promise<void> {
  await vault.sealerFor(transaction, [gatewayItself]);
}

const namesOf = (rows: readonly { readonly kekId: string }[]): readonly string[] => [
  ...new Set(rows.map(({ kekId }) => kekId)),
];
