// Makes the library's time limits cheap. It puts three around each query and each frame, also of a keep-alive, and each
// describes two stack traces and an error in advance that nobody sees unless the time is up.
import { replaceOnce } from './expected-shape.mjs';

/** Rewrites by path below node_modules. The error of a limit that passed is the same, without the trace in its data. */
export const lightTimeouts = {
  '@whiskeysockets/baileys/lib/Utils/generics.js': (source, file) =>
    replaceOnce(source, {
      file,
      find: `const stack = new Error().stack;
        // Create a promise that rejects in <ms> milliseconds
        const { delay, cancel } = delayCancellable(ms);
        const p = new Promise((resolve, reject) => {
          delay .then(() => reject(new Boom('Timed Out', { statusCode: DisconnectReason.timedOut, data: { stack } })))
            .catch(err => reject(err));
          promise(resolve, reject);
        }).finally(cancel);
        return p;`,
      by: `let timer;
        try {
          return await new Promise((resolve, reject) => {
            timer = setTimeout(() => reject(new Boom('Timed Out', { statusCode: DisconnectReason.timedOut })), ms);
            promise(resolve, reject);
          });
        } finally {
          clearTimeout(timer);
        }`,
    }),
};
