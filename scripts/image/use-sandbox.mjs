// Uses a gateway as a person would in their first minutes: pages, a sandbox session, a text and an image. Shows that
// nothing that runs was left out of the image. Answers what it saw, line by line.
import { setTimeout as delay } from 'node:timers/promises';

const deadlineMs = 60_000;
/** A PNG of one pixel. */
const picture = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

export async function useSandbox(address, token) {
  const call = async (path, body) => {
    const answer = await fetch(`${address}${path}`, {
      method: body === undefined ? 'GET' : 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${text.slice(0, 300)}`);
    return text;
  };
  const seen = [];
  for (const page of ['/dashboard/login', '/swagger-ui', '/api-docs/openapi.json']) await call(page);
  await call('/api/v1/sessions', { id: 'image', sandbox: true });
  await call('/api/v1/sessions/image/sandbox/scan', { phone: '+1 555 000 1111' });
  await until(async () => JSON.parse(await call('/api/v1/sessions/image')).status === 'connected');
  seen.push('a sandbox session is connected');
  const to = '+1 555 123 4567';
  await call('/api/v1/sessions/image/sandbox/contacts', { phone: to, name: 'A contact', behaviour: 'reads' });
  await call('/api/v1/sessions/image/messages/text', { to, text: 'Hello' });
  await call('/api/v1/sessions/image/messages/image', { to, base64: picture, mimetype: 'image/png' });
  seen.push('it has sent a text and an image');
  return seen;
}

async function until(condition) {
  const deadline = performance.now() + deadlineMs;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error('the sandbox session does not connect');
    await delay(200);
  }
}
