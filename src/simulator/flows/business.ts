/** What sessions ask about businesses: the namespace `w:biz`. */
import { lidJid, parseJid, pnJid } from '../jid.ts';
import type { Business, Profiles } from '../state/profiles.ts';
import type { BinaryNode, Flow, SimulatorContext } from '../types.ts';
import { child, children, element, iqResult, isIq } from '../wire/node.ts';

export interface BusinessFlowParts {
  readonly context: SimulatorContext;
  readonly profiles: Profiles;
}

/** People who are no business have no profile in the answer. */
export function businessFlow({ context, profiles }: BusinessFlowParts): Flow {
  return {
    name: 'business',
    handles: (node) => isIq(node, 'w:biz', 'get') && child(node, 'business_profile') !== undefined,
    async handle(node, connection) {
      const found = children(child(node, 'business_profile'), 'profile').flatMap(({ attrs }) => {
        const jid = attrs['jid'] ?? '';
        const user = context.directory.byJid(jid);
        const business = user?.registered === true ? profiles.of(user).business : null;
        if (user === undefined || business === null) return [];
        const isLid = parseJid(jid)?.server === 'lid';
        return [profileNode(isLid ? lidJid(user.lid) : pnJid(user.pn), business)];
      });
      connection.send(iqResult(node, [element('business_profile', { v: '244' }, found)]));
    },
  };
}

function profileNode(jid: string, business: Business): BinaryNode {
  const text = (tag: string, value: string | undefined) =>
    value === undefined ? [] : [element(tag, {}, Buffer.from(value, 'utf8'))];
  return element('profile', { jid }, [
    ...text('address', business.address),
    ...text('description', business.description),
    ...text('website', business.website),
    ...text('email', business.email),
    ...(business.category === undefined
      ? []
      : [element('categories', {}, [element('category', { id: '1' }, Buffer.from(business.category, 'utf8'))])]),
    element('business_hours', { timezone: business.timezone ?? 'UTC' }),
  ]);
}
