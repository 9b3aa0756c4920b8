// Keeps a session that a message was not for as it was. The library tries an incoming message on every session that it
// has with a device, and steps the ratchet of each before it knows whether the message is for that one; then it stores
// all of them. What is encrypted with a session that was spoiled so, nobody can read. It takes two messages that cross:
// one of ours that begins a new session, and one of theirs from the session before.
import { replaceOnce } from './expected-shape.mjs';

/** Rewrites by path below node_modules. */
export const mendedRatchet = {
  'libsignal/src/session_cipher.js': (source, file) =>
    replaceOnce(source, {
      file,
      find: 'plaintext = await this.doDecryptWhisperMessage(data, session); session.indexInfo.used = Date.now();',
      by: `const attempt = session.constructor.deserialize(session.serialize());
        plaintext = await this.doDecryptWhisperMessage(data, attempt);
        delete session.pendingPreKey;
        Object.assign(session, attempt);
        session.indexInfo.used = Date.now();`,
    }),
};
