/** Sessions that move between gateways, and out of other programs. */
import { WardenError } from '../../contract/errors.ts';
import { parseSessionId, type SessionId } from '../../contract/ids.ts';
import type { MovedSession } from '../../contract/moved-session.ts';
import type { SessionResource } from '../../contract/operations/sessions.ts';
import { readBaileysFolder } from '../../transfer/baileys-folder.ts';
import { readArchive, writeArchive } from '../../transfer/session-archive.ts';
import { readSessionFile, SessionFileProblem, writeSessionFile } from '../../transfer/session-file.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { presentSession } from '../presenters/session.ts';
import { FileAnswer } from './file-answer.ts';
import { sessionOf, type Handlers } from './handler.ts';
import { invalidRequest } from './validation.ts';

type TransferOperationName = 'exportSession' | 'importSession' | 'importBaileysSession' | 'rotateEncryptionKey';

/** A client with a wholly foreign folder needs no list of thousands. */
const mostProblems = 20;

interface Import {
  readonly id: SessionId;
  readonly moved: MovedSession;
  readonly name: string | undefined;
  readonly starts: boolean;
}

export function transferHandlers(dependencies: ApiDependencies): Handlers<TransferOperationName> {
  const { store, supervisor, sandbox, log } = dependencies;

  const create = async ({ id, moved, name, starts }: Import): Promise<SessionResource> => {
    if (moved.sandbox && sandbox === null) {
      throw new WardenError('unprocessable', { message: 'The sandbox is switched off on this gateway.' });
    }
    const { total: existing } = await store.sessions.list({ limit: 1, cursor: null });
    const { sandbox: isSandbox, memoryCapMb } = moved;
    supervisor.assertCapacity({ sandbox: isSandbox, memoryCapMb, starts, existing });
    await store.transfers.create(id, { ...moved, name: name ?? moved.name }, starts ? 'running' : 'stopped');
    if (starts) {
      await supervisor.connect(id).catch((error: unknown) => {
        log.warn({ session: id, err: error }, 'imported session could not be started at once');
      });
    }
    const row = await store.sessions.get(id);
    if (row === null) throw new WardenError('session_not_found');
    return presentSession(row, supervisor.view(row));
  };

  return {
    exportSession: async (call) => {
      const { id } = sessionOf(call);
      const moved = await supervisor.export(id);
      const file = await writeSessionFile(writeArchive(id, moved), call.params.passphrase);
      return new FileAnswer({ file, bytes: file.length, mimetype: null, fileName: `${id}.warden-session` });
    },

    importSession: async ({ params }) => {
      const archive = await readFile(params.file, params.passphrase);
      const id = params.id ?? parseSessionId(archive.id);
      if (id === null) throw invalidRequest([{ field: 'id', expected: 'an id for the session' }]);
      return create({ id, moved: archive.session, name: params.name, starts: params.auto_connect });
    },

    importBaileysSession: async ({ params }) => {
      const folder = readBaileysFolder(params.files);
      if (folder.tag === 'problems') {
        throw invalidRequest(
          folder.problems
            .slice(0, mostProblems)
            .map(({ file, expected }) => ({ field: `files.${file.slice(0, 100)}`, expected })),
        );
      }
      return create({ id: params.id, moved: folder.session, name: params.name, starts: params.auto_connect });
    },

    rotateEncryptionKey: async () => {
      const { keyId, rewrapped, total } = await store.encryption.rotate();
      return { key_id: keyId, rewrapped, total };
    },
  };
}

async function readFile(base64: string, passphrase: string): Promise<ReturnType<typeof readArchive>> {
  try {
    return readArchive(await readSessionFile(Buffer.from(base64, 'base64'), passphrase));
  } catch (error) {
    if (!(error instanceof SessionFileProblem)) throw error;
    const expected = {
      file: 'a session file as POST …/export wrote it',
      passphrase: 'the passphrase with which the file was written',
    }[error.field];
    throw new WardenError('invalid_request', {
      message: `The ${error.field} cannot be used: ${error.message}.`,
      details: [{ field: error.field, expected }],
    });
  }
}
