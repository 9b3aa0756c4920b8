/** The picture of a person or group as a page shows it. Who has none gets an empty one: the initials below it stay seen. */
import { WardenError } from '../../../contract/errors.ts';
import { parseJid, parseSessionId } from '../../../contract/ids.ts';
import { callerOf } from '../../caller.ts';
import type { RequestMiddleware } from '../../state.ts';
import type { DashboardDependencies } from '../dependencies.ts';
import { createFaces } from '../faces.ts';
import { assertAllowed, pageCall } from '../page.ts';

export const facePath = '/dashboard/sessions/:id/face';

const empty = '<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>';
const browserKeepsS = 600;
const againS = 20;

/** `?jid=` of whom, `&size=image` for the large one. Throws `session_not_found`, `forbidden`, `invalid_request`. */
export function sessionFace(dependencies: DashboardDependencies): RequestMiddleware {
  const faces = createFaces(dependencies);
  return async (ctx) => {
    const { params, principal, query } = pageCall(ctx);
    const id = parseSessionId(params['id'] ?? '');
    if (id === null) throw new WardenError('session_not_found');
    assertAllowed(principal, 'read', id);
    const row = await dependencies.store.sessions.get(id);
    if (row === null) throw new WardenError('session_not_found');
    const jid = parseJid(query['jid'] ?? '');
    if (jid === null) throw new WardenError('invalid_request', { details: [{ field: 'jid', expected: 'a JID' }] });
    const size = query['size'] === 'image' ? 'image' : 'preview';
    const face = await faces.of({ caller: callerOf(ctx), row, jid, size });
    ctx.set('cache-control', `private, max-age=${face === null ? againS : browserKeepsS}`);
    // A stranger chose the bytes.
    ctx.set('content-security-policy', "default-src 'none'; sandbox");
    ctx.type = face?.picture?.mimetype ?? 'image/svg+xml';
    ctx.body = face?.picture?.bytes ?? empty;
  };
}
