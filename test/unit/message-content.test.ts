import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, test } from 'node:test';
import { proto } from '@whiskeysockets/baileys';
import { controlOf } from '../../src/child/engine/control-content.ts';
import { editedContent, editOf } from '../../src/child/engine/editing.ts';
import { forwardedContent } from '../../src/child/engine/forwarding.ts';
import { timeOf } from '../../src/child/events/messages.ts';
import type { GroupFacts } from '../../src/child/engine/group-facts.ts';
import { nameMentions, resolveMentions } from '../../src/child/engine/mentions.ts';
import {
  decodeContent,
  describeContent,
  encodeContent,
  messageSecretOf,
} from '../../src/child/engine/message-content.ts';
import { readVote } from '../../src/child/engine/polls.ts';
import { stanzaExtras } from '../../src/child/engine/stanza-extras.ts';
import { vcard } from '../../src/child/vcard.ts';
import { trusted } from '../../src/contract/trusted.ts';
import { isAllowed, isEffective } from '../../src/store/change-rule.ts';

const chat = '15550100002@s.whatsapp.net';
const group = '120363000000000001@g.us';
const key = { remoteJid: chat, fromMe: true, id: '3EB01' };
const { REVOKE } = proto.Message.ProtocolMessage.Type;

describe('what messages say without being seen', () => {
  test('an edit names its target and the new content, however it is wrapped', () => {
    const edit = decodeContent(encodeContent(editOf(key, { extendedTextMessage: { text: 'New' } }, 1)));
    for (const message of [edit, { editedMessage: { message: edit } }, { ephemeralMessage: { message: edit } }]) {
      const control = controlOf(message);
      assert.equal(control.tag, 'edit');
      assert.ok(control.tag === 'edit');
      assert.equal(control.targetId, '3EB01');
      assert.equal(describeContent(control.content).text, 'New');
    }
  });

  test('a deletion, a reaction and a new life of messages are told apart from the rest of the protocol', () => {
    assert.deepEqual(controlOf({ protocolMessage: { key, type: REVOKE } }), { tag: 'delete', targetId: '3EB01' });
    assert.deepEqual(controlOf({ reactionMessage: { key, text: '' } }), {
      tag: 'reaction',
      targetId: '3EB01',
      emoji: null,
    });
    const { EPHEMERAL_SETTING, APP_STATE_SYNC_KEY_SHARE } = proto.Message.ProtocolMessage.Type;
    const expiration = { protocolMessage: { type: EPHEMERAL_SETTING, ephemeralExpiration: 86_400 } };
    assert.deepEqual(controlOf(expiration), { tag: 'expiration', seconds: 86_400 });
    assert.equal(controlOf({ protocolMessage: { type: APP_STATE_SYNC_KEY_SHARE } }).tag, 'other');
    assert.equal(controlOf(null).tag, 'other');
  });

  test('stanzas of changes carry the attribute of their kind', () => {
    const attrs = (message: proto.IMessage, to = chat) => stanzaExtras(message, to).additionalAttributes?.['edit'];
    assert.equal(attrs(editOf(key, { conversation: 'x' }, 1)), '1');
    assert.equal(attrs({ protocolMessage: { key, type: REVOKE } }), '7');
    assert.equal(attrs({ protocolMessage: { key: { ...key, fromMe: false }, type: REVOKE } }, group), '8');
    assert.equal(attrs({ pinInChatMessage: { key } }), '2');
    assert.equal(attrs({ conversation: 'x' }), undefined);
  });
});

describe('content made out of other content', () => {
  test('an edit changes the text or the caption and keeps the file', () => {
    assert.deepEqual(editedContent({ conversation: 'old' }, 'new'), { extendedTextMessage: { text: 'new' } });
    const image = { imageMessage: { url: 'u', caption: 'old' } };
    assert.deepEqual(editedContent(image, 'new'), { imageMessage: { url: 'u', caption: 'new' } });
    assert.equal(editedContent({ locationMessage: {} }, 'new'), null);
  });

  test('a forwarded message loses its quote and its wrapping, and is marked once more', () => {
    const contextInfo = { stanzaId: 'A', quotedMessage: { conversation: 'q' }, forwardingScore: 4, expiration: 60 };
    const forwarded = forwardedContent({
      ephemeralMessage: { message: { extendedTextMessage: { text: 'x', contextInfo } } },
    });
    const context = forwarded.extendedTextMessage?.contextInfo;
    assert.equal(context?.forwardingScore, 5);
    assert.equal(context.isForwarded, true);
    assert.ok(!context.stanzaId);
  });

  test('a forwarded poll gets a secret of its own', () => {
    const secret = randomBytes(32);
    const poll = {
      pollCreationMessageV3: { name: 'Q', options: [{ optionName: 'A' }] },
      messageContextInfo: { messageSecret: secret },
    };
    const forwarded = messageSecretOf(forwardedContent(poll));
    assert.equal(forwarded?.byteLength, 32);
    assert.notDeepEqual([...forwarded], [...secret]);
  });

  test('a vote that is for another poll is not read', () => {
    const poll = {
      pollCreationMessage: { options: [{ optionName: 'A' }] },
      messageContextInfo: { messageSecret: randomBytes(32) },
    };
    const vote = { encPayload: randomBytes(48), encIv: randomBytes(12) };
    assert.equal(readVote({ vote, pollId: 'P', poll, creators: [chat], voters: [chat] }), null);
  });
});

describe('contact cards', () => {
  test('special characters and line breaks in names stay what they are', () => {
    const card = vcard({ display_name: 'A; B, C\\D\nE', phones: [{ number: '15550002222', phone_type: 'cell' }] });
    assert.match(card, /^FN:A\\; B\\, C\\\\D\\nE$/m);
    assert.match(card, /^TEL;type=CELL;type=VOICE;waid=15550002222:\+15550002222$/m);
    assert.ok(!card.includes('ORG'));
  });
});

describe('mentions', () => {
  const member = (number: string, lid: string) => ({
    id: `${lid}@lid`,
    lid: `${lid}@lid`,
    pn: `${number}@s.whatsapp.net`,
    role: 'member' as const,
  });
  const facts: Pick<GroupFacts, 'members'> = {
    members: [member('15550100001', '1001'), member('15550100002', '1002')],
  };
  const groupFacts = trusted<GroupFacts>(facts);

  test('members are mentioned as the group addresses them, strangers as they were written', () => {
    const stranger = '15550100009@s.whatsapp.net';
    const { jids, names } = resolveMentions([chat, stranger], groupFacts, new Set());
    assert.deepEqual(jids, ['1002@lid', stranger]);
    assert.equal(nameMentions('@15550100002, @+15550100002 and @15550100009', names), '@1002, @1002 and @15550100009');
  });

  test('"all" is everybody but the account', () => {
    assert.deepEqual(resolveMentions('all', groupFacts, new Set(['1001@lid'])).jids, ['1002@lid']);
    assert.throws(() => resolveMentions('all', null, new Set()));
  });
});

describe('who may change a message', () => {
  const change = { change: 'edited', scope: 'everyone', chat, by: chat, byLid: '1002@lid' } as const;

  test('its author by either address, and nobody else', () => {
    assert.ok(isAllowed({ chat, sender: chat }, change));
    assert.ok(isAllowed({ chat: '1002@lid', sender: '1002@lid' }, change));
    assert.ok(!isAllowed({ chat, sender: '15550100001@s.whatsapp.net' }, change));
    assert.ok(!isAllowed({ chat, sender: null }, change));
  });

  test('in a group others delete, and only there', () => {
    const deletion = { ...change, change: 'deleted', chat: group } as const;
    assert.ok(isAllowed({ chat: group, sender: '15550100001@s.whatsapp.net' }, deletion));
    assert.ok(!isAllowed({ chat, sender: chat }, deletion));
  });

  test('an older edit does not undo a later one, and nothing undoes a deletion', () => {
    const target = { chat, sender: chat, isDeleted: false, editedAt: 5 };
    assert.ok(isEffective(target, { change: 'edited', at: 5 }));
    assert.ok(!isEffective(target, { change: 'edited', at: 4 }));
    assert.ok(isEffective(target, { change: 'deleted', at: 4 }));
    assert.ok(!isEffective({ ...target, isDeleted: true }, { change: 'edited', at: 9 }));
  });
});

describe('the time of a message', () => {
  const sent = { key: { id: 'M1' }, messageTimestamp: 1_767_225_600 };

  test('is in the second that WhatsApp tells, where the message came in', () => {
    assert.equal(timeOf(sent, 1_767_225_600_250), 1_767_225_600_250);
  });

  test('is at the end of that second when it came later, and at its beginning when our clock is behind', () => {
    assert.equal(timeOf(sent, 1_767_225_700_000), 1_767_225_600_999);
    assert.equal(timeOf(sent, 1_767_225_000_000), 1_767_225_600_000);
  });

  test('is now for one without a time', () => {
    assert.equal(timeOf({ key: { id: 'M1' } }, 5), 5);
  });
});
