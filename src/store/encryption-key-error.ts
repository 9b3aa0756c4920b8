/** The database was encrypted with a key that this gateway does not have. The message says what to do. */
export class EncryptionKeyError extends Error {
  override readonly name = 'EncryptionKeyError';

  /** @param keyIds the names of the keys that are missing, as the database knows them. */
  constructor(keyIds: readonly string[], hasKey: boolean) {
    const names = keyIds.map((id) => JSON.stringify(id)).join(', ');
    super(
      [
        hasKey
          ? `the encryption key does not open what this database holds: it was encrypted with the key ${names}.`
          : `there is no encryption key, and this database was encrypted with the key ${names}.`,
        'Set ENCRYPTION_KEY (or ENCRYPTION_KEY_FILE) to the key that was in use, or put back the file',
        'secrets/encryption-key of the storage folder. After a change of the key list the new one first and the',
        'old one behind it: ENCRYPTION_KEY=new:<key>,old:<key>. What is encrypted has not been touched.',
        'If the key is lost, so are the sessions in it: begin with an empty database and pair them again.',
      ].join(' '),
    );
  }
}
