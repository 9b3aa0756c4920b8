import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { BinaryNode } from '@whiskeysockets/baileys';
import { isGroupNotice, readGroupNotice } from '../../src/child/engine/group-notices.ts';
import { groupItems } from '../../src/child/events/groups.ts';

const group = '120363000000000000@g.us';
const own = { pn: '15550001111@s.whatsapp.net', lid: '100000000000001@lid' };
const actor = { participant: '100000000000002@lid', participant_pn: '15551234567@s.whatsapp.net' };
const third = { jid: '100000000000003@lid', phone_number: '15557654321@s.whatsapp.net' };

function notification(children: BinaryNode[], attrs: Record<string, string> = actor): BinaryNode {
  return {
    tag: 'notification',
    attrs: { from: group, type: 'w:gp2', id: '4711', t: '1767225600', addressing_mode: 'lid', ...attrs },
    content: children,
  };
}

const node = (tag: string, attrs: Record<string, string> = {}, content?: BinaryNode['content']): BinaryNode =>
  content === undefined ? { tag, attrs } : { tag, attrs, content };
const bytes = (text: string) => Buffer.from(text, 'utf8');

function told(stanza: BinaryNode) {
  return groupItems(readGroupNotice(stanza, own), 0).map((item) => (item.tag === 'event' ? item.event : null));
}

const settings: readonly [string, BinaryNode, string, string | null][] = [
  ['a new subject', node('subject', { subject: 'After party', s_t: '1' }), 'subject', 'After party'],
  [
    'a new description',
    node('description', { id: 'A' }, [node('body', {}, bytes('Bring cake'))]),
    'description',
    'Bring cake',
  ],
  ['a removed description', node('description', { id: 'A', delete: 'true' }), 'description', null],
  ['that only admins may write', node('announcement'), 'announce', 'on'],
  ['that everybody may write', node('not_announcement'), 'announce', 'off'],
  ['that only admins may change it', node('locked'), 'locked', 'on'],
  ['that everybody may change it', node('unlocked'), 'locked', 'off'],
  ['disappearing messages', node('ephemeral', { expiration: '86400' }), 'ephemeral', '86400'],
  ['the end of disappearing messages', node('not_ephemeral'), 'ephemeral', '0'],
  ['a new invite code', node('invite', { code: 'AbCdEf' }), 'invite', 'AbCdEf'],
  ['that everybody may add people', node('member_add_mode', {}, bytes('all_member_add')), 'member_add', 'all'],
  ['that admins add people', node('member_add_mode', {}, bytes('admin_add')), 'member_add', 'admins'],
  [
    'that admins approve',
    node('membership_approval_mode', {}, [node('group_join', { state: 'on' })]),
    'join_approval',
    'on',
  ],
  ['a new group', node('create', { type: 'new' }, [node('group', { id: '1', subject: 'Party' })]), 'created', 'Party'],
];

describe('group events', () => {
  for (const [what, child, change, value] of settings) {
    test(`a group_update tells ${what}, and who did it by number`, () => {
      assert.deepEqual(told(notification([child])), [
        {
          name: 'group_update',
          data: { group, by: '15551234567@s.whatsapp.net', change, value, timestamp: 1_767_225_600 },
        },
      ]);
    });
  }

  for (const action of ['add', 'remove', 'promote', 'demote'] as const) {
    test(`group_participants tells whom somebody else did ${action}`, () => {
      const [event, ...others] = told(notification([node(action, {}, [node('participant', third)])]));
      assert.equal(others.length, 0);
      assert.deepEqual(event, {
        name: 'group_participants',
        data: {
          group,
          by: '15551234567@s.whatsapp.net',
          action,
          participants: [
            { jid: '15557654321@s.whatsapp.net', phone_number: '15557654321', lid: '100000000000003@lid' },
          ],
          timestamp: 1_767_225_600,
        },
      });
    });
  }

  test('somebody who removes himself leaves', () => {
    const self = node('participant', { jid: '100000000000002@lid' });
    const [event] = told(notification([node('remove', {}, [self])]));
    assert.equal(event?.name === 'group_participants' && event.data.action, 'leave');
  });

  test('an account that is added to a group that exists is told as a participant', () => {
    const whole = node('group', { id: '1', subject: 'Party' }, [node('participant', third)]);
    assert.deepEqual(told(notification([node('create', {}, [whole])])), [
      {
        name: 'group_participants',
        data: {
          group,
          by: '15551234567@s.whatsapp.net',
          action: 'add',
          participants: [{ jid: own.pn, phone_number: '15550001111', lid: own.lid }],
          timestamp: 1_767_225_600,
        },
      },
    ]);
  });

  test('all changes of one notification are told, each once', () => {
    const items = groupItems(readGroupNotice(notification([node('locked'), node('announcement')]), own), 0);
    assert.equal(items.length, 2);
    const ids = items.map((item) => (item.tag === 'event' ? item.onceId : null));
    assert.equal(new Set(ids).size, 2);
    const again = groupItems(readGroupNotice(notification([node('locked'), node('announcement')]), own), 99_000);
    assert.deepEqual(again, items);
  });

  test('everybody who asks to join is told', () => {
    const asking = node('created_membership_requests', { request_method: 'non_admin_add' }, [
      node('participant', third),
      node('participant', { jid: '100000000000004@lid' }),
    ]);
    assert.deepEqual(
      told(notification([asking])).map((event) => event?.data),
      [
        { group, jid: '15557654321@s.whatsapp.net', action: 'created', timestamp: 1_767_225_600 },
        { group, jid: '100000000000004@lid', action: 'created', timestamp: 1_767_225_600 },
      ],
    );
  });

  test('a request that its author ends was revoked, one that an admin ends was rejected', () => {
    const ended = (jid: string) => node('revoked_membership_requests', {}, [node('participant', { jid })]);
    const [revoked] = told(notification([ended('100000000000002@lid')]));
    const [rejected] = told(notification([ended('100000000000003@lid')]));
    assert.equal(revoked?.name === 'group_join_request' && revoked.data.action, 'revoked');
    assert.equal(rejected?.name === 'group_join_request' && rejected.data.action, 'rejected');
  });

  test('a picture is told with its author', () => {
    const set = node('set', { id: '99', author: '100000000000002@lid' });
    const stanza = notification([set], { type: 'picture' });
    assert.equal(isGroupNotice(stanza), true);
    assert.deepEqual(told(stanza)[0]?.data, {
      group,
      by: '100000000000002@lid',
      change: 'picture',
      value: '99',
      timestamp: 1_767_225_600,
    });
  });

  test('notifications about people are none about groups', () => {
    const stanza = { tag: 'notification', attrs: { from: '1@s.whatsapp.net', type: 'picture' } };
    assert.equal(isGroupNotice(stanza), false);
  });

  test('a change that is unknown tells nothing', () => {
    assert.deepEqual(told(notification([node('growth_locked')])), []);
  });
});
