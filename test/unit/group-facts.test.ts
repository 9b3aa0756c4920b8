import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Boom } from '@hapi/boom';
import type { BinaryNode } from '@whiskeysockets/baileys';
import { GroupCache } from '../../src/child/engine/group-cache.ts';
import { readGroup } from '../../src/child/engine/group-facts.ts';
import { changeFailure, inviteFailure, lookupFailure } from '../../src/child/engine/group-failures.ts';
import { groupResource, groupSummary, pageLength } from '../../src/child/operations/groups-view.ts';

const own = { pn: '15550001111@s.whatsapp.net', lid: '100000000000001@lid' };

const node = (tag: string, attrs: Record<string, string> = {}, content?: BinaryNode['content']): BinaryNode =>
  content === undefined ? { tag, attrs } : { tag, attrs, content };

function lidGroup(children: BinaryNode[] = []): BinaryNode {
  return node(
    'group',
    {
      id: '120363000000000000',
      subject: 'Release party',
      creation: '1767225600',
      creator: '100000000000001@lid',
      creator_pn: '15550001111@s.whatsapp.net',
      size: '2',
      addressing_mode: 'lid',
    },
    [
      node('participant', { jid: '100000000000001@lid', phone_number: own.pn, type: 'superadmin' }),
      node('participant', { jid: '100000000000002@lid' }),
      ...children,
    ],
  );
}

describe('groups as WhatsApp describes them', () => {
  test('members are told by number where WhatsApp discloses it, and by LID elsewhere', () => {
    const group = groupResource(readGroup(lidGroup()), own);
    assert.equal(group.owner, own.pn);
    assert.deepEqual(group.participants, [
      { jid: own.pn, lid: own.lid, phone_number: '15550001111', role: 'superadmin' },
      { jid: '100000000000002@lid', lid: '100000000000002@lid', phone_number: null, role: 'member' },
    ]);
    assert.equal(group.is_admin, true);
    assert.deepEqual(group.settings, {
      announce: false,
      locked: false,
      join_approval: false,
      member_add: 'admins',
      ephemeral_seconds: 0,
    });
  });

  test('settings are read from what stands there, and an approval mode that is off is off', () => {
    const group = readGroup(
      lidGroup([
        node('announcement'),
        node('locked'),
        node('ephemeral', { expiration: '604800' }),
        node('member_add_mode', {}, Buffer.from('all_member_add')),
        node('membership_approval_mode', {}, [node('group_join', { state: 'off' })]),
        node('description', { id: 'D1' }, [node('body', {}, Buffer.from('Bring cake'))]),
      ]),
    );
    const { settings, description } = groupResource(group, own);
    assert.deepEqual(settings, {
      announce: true,
      locked: true,
      join_approval: false,
      member_add: 'all',
      ephemeral_seconds: 604_800,
    });
    assert.equal(description, 'Bring cake');
    assert.equal(group.descriptionId, 'D1');
  });

  test('those who could not be added are no members', () => {
    const refused = node('participant', { jid: '100000000000003@lid', error: '403' });
    const group = readGroup(lidGroup([refused]));
    assert.equal(group.members.length, 2);
    assert.deepEqual(group.notAdded, [
      { pn: null, lid: '100000000000003@lid', id: '100000000000003@lid', code: '403' },
    ]);
  });

  test('an answer holds as many groups as fit, and one at least', () => {
    const group = readGroup(lidGroup());
    const many = Array.from({ length: 10 }, () => group);
    assert.equal(pageLength(many, 0, { mostBytes: 1_000_000, inFull: true }), 10);
    assert.equal(pageLength(many, 8, { mostBytes: 1_000_000, inFull: true }), 2);
    assert.equal(pageLength(many, 0, { mostBytes: 4_000, inFull: true }), 2);
    assert.equal(pageLength(many, 0, { mostBytes: 1, inFull: false }), 1);
    assert.equal(groupSummary(group, own).participant_count, 2);
  });
});

describe('refusals about groups', () => {
  const boom = (code: number) => new Boom('forbidden', { data: code });

  test('a group that is not ours or not there is not found, with the code of WhatsApp', () => {
    for (const code of [401, 403, 404]) {
      const error = lookupFailure(boom(code), 'look up the group');
      assert.equal(error.code, 'group_not_found');
      assert.equal(error.details?.[0]?.received, String(code));
    }
  });

  test('a change that is refused to a member needs an admin', () => {
    assert.equal(changeFailure(boom(403), 'x').code, 'not_a_group_admin');
    assert.equal(changeFailure(boom(401), 'x').code, 'not_a_group_admin');
    assert.equal(changeFailure(boom(404), 'x').code, 'group_not_found');
    const other = changeFailure(boom(409), 'x');
    assert.equal(other.code, 'whatsapp_refused');
    assert.equal(other.details?.[0]?.received, '409');
  });

  test('a revoked invite leads to no group, and silence is a time-out', () => {
    assert.equal(inviteFailure(boom(410), 'x').code, 'group_not_found');
    assert.equal(inviteFailure(boom(409), 'x').code, 'whatsapp_refused');
    assert.equal(inviteFailure(undefined, 'x').code, 'whatsapp_timeout');
  });
});

describe('what is known of groups', () => {
  const group = readGroup(lidGroup());

  test('an answer that was asked for before a change is not kept', () => {
    const cache = new GroupCache();
    const askedAt = cache.version;
    cache.forget(group.jid);
    cache.put(group, askedAt);
    assert.equal(cache.get(group.jid), undefined);
    cache.put(group, cache.version);
    assert.equal(cache.get(group.jid), group);
  });

  test('the group that was not used for longest makes room', () => {
    const cache = new GroupCache(4);
    const named = (jid: string) => ({ ...group, jid });
    for (const jid of ['1@g.us', '2@g.us']) cache.put(named(jid), cache.version);
    cache.get('1@g.us');
    cache.put(named('3@g.us'), cache.version);
    assert.equal(cache.get('2@g.us'), undefined);
    assert.notEqual(cache.get('1@g.us'), undefined);
    assert.notEqual(cache.get('3@g.us'), undefined);
  });
});
