import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { laneOf, type ToldEvent } from '../../src/store/event-facts.ts';
import type { WebhookConditions } from '../../src/store/webhook-records.ts';
import { isWanted, matchesGlob } from '../../src/store/webhook-match.ts';
import { messageData } from '../support/webhook-rig.ts';

const alice = '15550100001@s.whatsapp.net';
const bob = '15550100002@s.whatsapp.net';
const bobLid = '44440100002@lid';
const group = '120363000000000001@g.us';

const none: WebhookConditions = { chats: null, senders: null, isGroup: null, isFromMe: null, text: null };
const text = (patch: Partial<NonNullable<WebhookConditions['text']>>): Partial<WebhookConditions> => ({
  text: { contains: null, startsWith: null, matches: null, ignoreCase: true, ...patch },
});
const wants = (conditions: Partial<WebhookConditions>, event: ToldEvent): boolean =>
  isWanted({ events: ['all'], conditions: { ...none, ...conditions } }, event);

const message = (patch: Parameters<typeof messageData>[0] = {}): ToldEvent => ({
  name: 'message',
  data: messageData({ chat: bob, from: bob, ...patch }),
});
const inGroup = message({ chat: group, from: bob, participant: bob, from_lid: bobLid });
const connected: ToldEvent = {
  name: 'connected',
  data: {
    phone_number: '15550100009',
    jid: '15550100009@s.whatsapp.net',
    lid: null,
    push_name: null,
    is_new_login: false,
  },
};
const receipt: ToldEvent = {
  name: 'receipt',
  data: { message_ids: ['3EB0AA'], chat: bob, from: bob, status: 'read', timestamp: 1 },
};

describe('what a webhook wants', () => {
  test('is named, or is everything', () => {
    const byName = (events: readonly string[]): boolean => isWanted({ events, conditions: null }, message());
    assert.ok(byName(['receipt', 'message']));
    assert.ok(byName(['all']));
    assert.ok(!byName(['receipt']));
  });

  test('is of certain chats, under each of their addresses', () => {
    assert.ok(wants({ chats: [alice, bob] }, message()));
    assert.ok(!wants({ chats: [alice] }, message()));
    assert.ok(wants({ chats: [bobLid] }, message({ from_lid: bobLid })));
    assert.ok(wants({ chats: [bob] }, message({ chat: bobLid, from: bobLid, from_phone: '15550100002' })));
    assert.ok(wants({ chats: [group] }, inGroup));
    assert.ok(!wants({ chats: [bob] }, inGroup), 'a message of a group is not of the chat with its author');
    assert.ok(wants({ chats: [group] }, { name: 'group_update', data: { group, by: bob, change: 'subject' } }));
    assert.ok(wants({ chats: [bob] }, { name: 'presence', data: { jid: bob, status: 'available' } }));
    assert.ok(!wants({ chats: [alice] }, { name: 'call', data: { from: bob, call_id: 'c' } }));
  });

  test('is by certain people, in groups too', () => {
    assert.ok(wants({ senders: [bob] }, inGroup));
    assert.ok(wants({ senders: [bobLid] }, inGroup));
    assert.ok(!wants({ senders: [alice] }, inGroup));
  });

  test('is of groups or not, and by the account itself or not', () => {
    assert.ok(wants({ isGroup: true }, inGroup) && !wants({ isGroup: true }, message()));
    assert.ok(wants({ isGroup: false }, message()) && !wants({ isGroup: false }, inGroup));
    assert.ok(wants({ isFromMe: false }, message()) && !wants({ isFromMe: true }, message()));
    assert.ok(wants({ isFromMe: true }, message({ is_from_me: true })));
    assert.ok(wants({ isFromMe: true }, receipt), 'a receipt is about what the account has sent');
  });

  test('has a certain text, and what has none does not', () => {
    const order = message({ body: 'Order 42, please' });
    assert.ok(wants(text({ contains: 'ORDER' }), order));
    assert.ok(!wants(text({ contains: 'ORDER', ignoreCase: false }), order));
    assert.ok(wants(text({ startsWith: 'order', matches: '*please' }), order));
    assert.ok(!wants(text({ startsWith: 'order', matches: '*thanks' }), order));
    assert.ok(!wants(text({ contains: 'order' }), message({ body: null })));
    assert.ok(!wants(text({ contains: 'order' }), receipt));
  });

  test('meets all conditions at once', () => {
    assert.ok(wants({ chats: [group], senders: [bob], isGroup: true }, inGroup));
    assert.ok(!wants({ chats: [group], senders: [alice], isGroup: true }, inGroup));
  });

  test('is not held back by conditions about chats when it has none', () => {
    for (const conditions of [{ chats: [alice] }, { isGroup: true }, { isFromMe: true }, text({ contains: 'x' })])
      assert.ok(wants(conditions, connected));
  });
});

describe('a pattern', () => {
  const matching: readonly (readonly [string, string])[] = [
    ['hello', 'hello'],
    ['*', ''],
    ['*', 'anything'],
    ['order *', 'order 42'],
    ['* please', 'one tea please'],
    ['a*b*c', 'a-b-b-c'],
    ['*x*', 'x'],
    ['a**b', 'ab'],
    ['a.b', 'a.b'],
  ];
  const others: readonly (readonly [string, string])[] = [
    ['hello', 'hello!'],
    ['', 'x'],
    ['order *', 'my order 42'],
    ['a*b*c', 'a-c-b'],
    ['ab*ba', 'aba'],
    ['a.b', 'axb'],
  ];
  for (const [pattern, said] of matching)
    test(`${pattern} is met by "${said}"`, () => assert.ok(matchesGlob(pattern, said)));
  for (const [pattern, said] of others)
    test(`${pattern} is not met by "${said}"`, () => assert.ok(!matchesGlob(pattern, said)));

  test('that would make a regular expression run for ever is answered', () => {
    assert.ok(!matchesGlob(`${'*a'.repeat(99)}*b`, 'a'.repeat(65_536)));
  });
});

describe('the lane of an event', () => {
  test('is its chat, or its group, and one for all that have neither', () => {
    assert.equal(laneOf(inGroup), group);
    assert.equal(laneOf({ name: 'group_participants', data: { group, by: null } }), group);
    assert.equal(laneOf(receipt), bob);
    assert.equal(laneOf(connected), '');
  });
});
