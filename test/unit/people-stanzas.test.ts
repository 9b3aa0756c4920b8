import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readAnswer } from '../../src/child/engine/lookups.ts';
import { readPeopleStanza } from '../../src/child/engine/people-stanzas.ts';
import { callItem } from '../../src/child/events/calls.ts';
import { nameChange } from '../../src/child/events/contacts.ts';
import { isNewChatState, isNewPresence } from '../../src/child/events/presence.ts';

const now = 1_767_225_600_000;
const read = (node: Parameters<typeof readPeopleStanza>[0]) => readPeopleStanza(node, now);

describe('what WhatsApp tells of people', () => {
  test('presence: online, offline with and without the time, never of groups', () => {
    const from = '100000000000002@lid';
    const online = { tag: 'presence', jid: from, status: 'available', lastSeen: null };
    assert.deepEqual(read({ tag: 'presence', attrs: { from } }), online);
    assert.deepEqual(read({ tag: 'presence', attrs: { from, type: 'unavailable', last: '1767225500' } }), {
      ...online,
      status: 'unavailable',
      lastSeen: 1_767_225_500,
    });
    for (const last of ['deny', 'none', 'error']) {
      const hidden = read({ tag: 'presence', attrs: { from, type: 'unavailable', last } });
      assert.deepEqual(hidden, { ...online, status: 'unavailable' });
    }
    assert.equal(read({ tag: 'presence', attrs: { from: '120363000000000001@g.us', count: '3' } }), null);
    assert.equal(read({ tag: 'presence', attrs: {} }), null);
  });

  test('chat states: typing, recording and pausing, in groups with who it is', () => {
    const from = '15551234567@s.whatsapp.net';
    const state = (child: Parameters<typeof readPeopleStanza>[0], attrs: Record<string, string> = { from }) =>
      read({ tag: 'chatstate', attrs, content: [child] });
    const seen = { tag: 'chat_state', chat: from, from };
    assert.deepEqual(state({ tag: 'composing', attrs: {} }), { ...seen, state: 'composing' });
    assert.deepEqual(state({ tag: 'composing', attrs: { media: 'audio' } }), { ...seen, state: 'recording' });
    assert.deepEqual(state({ tag: 'paused', attrs: {} }), { ...seen, state: 'paused' });
    assert.equal(state({ tag: 'dancing', attrs: {} }), null);
    const group = '120363000000000001@g.us';
    assert.deepEqual(state({ tag: 'paused', attrs: {} }, { from: group, participant: '100000000000002:4@lid' }), {
      tag: 'chat_state',
      chat: group,
      from: '100000000000002@lid',
      state: 'paused',
    });
  });

  test('calls: who calls, how, and how it ends; what is about their connection is left out', () => {
    const call = (tag: string, attrs: Record<string, string> = {}, content: { tag: string; attrs: {} }[] = []) =>
      read({
        tag: 'call',
        attrs: { from: '100000000000002:7@lid', t: '1767225599' },
        content: [{ tag, attrs: { 'call-id': 'C1', 'call-creator': '100000000000002:7@lid', ...attrs }, content }],
      });
    assert.deepEqual(call('offer', { caller_pn: '15551234567@s.whatsapp.net' }, [{ tag: 'video', attrs: {} }]), {
      tag: 'call',
      callId: 'C1',
      from: '100000000000002@lid',
      fromPn: '15551234567@s.whatsapp.net',
      status: 'offer',
      isVideo: true,
      isGroup: false,
      timestamp: 1_767_225_599,
    });
    const status = (tag: string, attrs: Record<string, string> = {}) => {
      const seen = call(tag, attrs);
      return seen?.tag === 'call' ? seen.status : null;
    };
    assert.equal(status('preaccept'), 'ringing');
    assert.equal(status('accept'), 'accept');
    assert.equal(status('reject'), 'reject');
    assert.equal(status('terminate', { reason: 'timeout' }), 'timeout');
    assert.equal(status('terminate'), 'terminate');
    for (const tag of ['transport', 'relaylatency', 'mute_v2', 'relay']) assert.equal(status(tag), null);
  });

  test('every status of a call has one identity', () => {
    const seen = { callId: 'C1', from: 'a', isVideo: false, isGroup: false, timestamp: 5 } as const;
    const ids = (['offer', 'offer', 'terminate'] as const).map((status) => {
      const item = callItem({ ...seen, status });
      return item.tag === 'event' ? item.onceId : null;
    });
    assert.equal(ids[0], ids[1]);
    assert.notEqual(ids[0], ids[2]);
  });

  test('changed pictures and about texts, of people only', () => {
    const from = '100000000000002@lid';
    const notice = (type: string, child: string, { content, by = from }: { content?: Buffer; by?: string } = {}) =>
      read({
        tag: 'notification',
        attrs: { from: by, type, id: '9', t: '1767225599' },
        content: [{ tag: child, attrs: {}, ...(content === undefined ? {} : { content }) }],
      });
    const subject = { jid: from, id: '9', at: 1_767_225_599_000 };
    assert.deepEqual(notice('picture', 'set'), { tag: 'picture', ...subject, picture: 'changed' });
    assert.deepEqual(notice('picture', 'delete'), { tag: 'picture', ...subject, picture: 'removed' });
    assert.deepEqual(notice('status', 'set', { content: Buffer.from('At the sea') }), {
      tag: 'about',
      ...subject,
      about: 'At the sea',
    });
    assert.deepEqual(notice('status', 'set'), { tag: 'about', ...subject, about: null });
    assert.equal(notice('picture', 'set', { by: '120363000000000001@g.us' }), null);
    assert.equal(notice('devices', 'add'), null);
  });

  test('what is repeated is no news', () => {
    const online = { jid: 'a', status: 'available', lastSeen: null } as const;
    assert.ok(isNewPresence(undefined, online));
    assert.ok(!isNewPresence(online, online));
    assert.ok(isNewPresence(online, { ...online, status: 'unavailable' }));
    const typing = { state: 'composing', at: now } as const;
    assert.ok(isNewChatState(undefined, typing));
    assert.ok(!isNewChatState(typing, { state: 'composing', at: now + 10_000 }));
    assert.ok(isNewChatState(typing, { state: 'composing', at: now + 60_000 }));
    assert.ok(isNewChatState(typing, { state: 'paused', at: now + 1 }));
  });

  test('a change of name has the identity of the name before it', () => {
    const item = nameChange({ jid: 'a', name: 'New', at: 7 }, { since: 5 });
    assert.equal(item.tag === 'event' ? item.onceId : null, 'contact_name:a:5');
  });
});

describe('answers about people', () => {
  test('are read whole', () => {
    const answer = readAnswer({
      tag: 'user',
      attrs: { jid: '5215512345678@s.whatsapp.net' },
      content: [
        { tag: 'contact', attrs: { type: 'in' }, content: Buffer.from('+525512345678') },
        { tag: 'lid', attrs: { val: '100000000000002@lid' } },
        { tag: 'status', attrs: { t: '1' }, content: Buffer.from('At the sea') },
        { tag: 'picture', attrs: { id: '17' } },
        {
          tag: 'devices',
          attrs: {},
          content: [{ tag: 'device-list', attrs: {}, content: [{ tag: 'device', attrs: { id: '0' } }] }],
        },
      ],
    });
    assert.deepEqual(answer, {
      jid: '5215512345678@s.whatsapp.net',
      askedFor: '525512345678',
      isRegistered: true,
      lid: '100000000000002@lid',
      devices: [0],
      about: 'At the sea',
      pictureId: '17',
      isBusiness: false,
      verifiedName: null,
    });
  });

  test('a hidden about text is none, and a broken certificate still makes a business', () => {
    const answer = readAnswer({
      tag: 'user',
      attrs: { jid: '15551234567@s.whatsapp.net' },
      content: [
        { tag: 'contact', attrs: { type: 'out' } },
        { tag: 'status', attrs: { code: '401', t: '0' } },
        { tag: 'business', attrs: {}, content: [{ tag: 'verified_name', attrs: {}, content: Buffer.from([255]) }] },
      ],
    });
    assert.equal(answer.isRegistered, false);
    assert.equal(answer.about, null);
    assert.equal(answer.isBusiness, true);
    assert.equal(answer.verifiedName, null);
  });
});
