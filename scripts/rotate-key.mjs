// `npm run rotate-key`: has the running gateway wrap the keys of all sessions with the first key of ENCRYPTION_KEY.
import { fail, post } from './ask-gateway.mjs';

try {
  const { key_id: key, rewrapped, total } = await (await post('/encryption/rotate')).json();
  console.log(`All ${total} keys are wrapped with the key "${key}" (${rewrapped} of them were not before).`);
  console.log('The other keys of ENCRYPTION_KEY are needed for backups from before only: take them out and restart.');
} catch (error) {
  fail('The keys were not rotated', error);
}
