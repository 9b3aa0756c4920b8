/** Profile pictures of people and groups. */
import {
  getBinaryNodeChild,
  isLidUser,
  isPnUser,
  S_WHATSAPP_NET,
  type BinaryNode,
  type WASocket,
} from '@whiskeysockets/baileys';
import { WardenError } from '../../contract/errors.ts';
import { userOf } from '../../contract/ids.ts';
import { node, queryPeople } from './lookups.ts';

export interface Picture {
  readonly url: string;
  readonly id: string;
}

/** Some people show their picture to those only who hold a token of theirs; tokens live four weeks. */
const tokenLifetimeS = 28 * 86_400;

/** `now` in unix milliseconds. Throws `no_picture`, `picture_hidden`, `whatsapp_timeout`, `whatsapp_refused`. */
export async function readPicture(
  sock: WASocket,
  jid: string,
  { type, now }: { readonly type: 'preview' | 'image'; readonly now: number },
): Promise<Picture> {
  const picture = node('picture', { type, query: 'url' }, await tokenOf(sock, jid, now));
  const query = node('iq', { target: jid, to: S_WHATSAPP_NET, type: 'get', xmlns: 'w:profile:picture' }, [picture]);
  const result = await queryPeople(sock, query, 'read the picture').catch((error: unknown) => {
    throw pictureError(error);
  });
  const { url, id } = getBinaryNodeChild(result, 'picture')?.attrs ?? {};
  if (url === undefined) throw new WardenError('no_picture');
  return { url, id: id ?? '' };
}

function pictureError(error: unknown): unknown {
  if (!(error instanceof WardenError) || error.code !== 'whatsapp_refused') return error;
  switch (error.details?.[0]?.received) {
    case '404':
      return new WardenError('no_picture', { cause: error });
    case '401':
    case '403':
      return new WardenError('picture_hidden', { cause: error });
    default:
      return error;
  }
}

async function tokenOf(sock: WASocket, jid: string, now: number): Promise<BinaryNode[] | undefined> {
  // With a token for one's own picture WhatsApp never answers.
  const isOwn = [sock.user?.id, sock.user?.lid].some((own) => own !== undefined && userOf(own) === userOf(jid));
  if (isOwn || (isPnUser(jid) !== true && isLidUser(jid) !== true)) return undefined;
  const lid = isLidUser(jid) === true ? jid : await sock.signalRepository.lidMapping.getLIDForPN(jid);
  const name = lid ?? jid;
  const stored = (await sock.authState.keys.get('tctoken', [name]))[name];
  const since = Number(stored?.timestamp ?? 0);
  if (!stored?.token.length || now / 1000 - since > tokenLifetimeS) return undefined;
  return [node('tctoken', { t: String(since) }, stored.token)];
}
