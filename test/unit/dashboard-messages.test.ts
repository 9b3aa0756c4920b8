import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readBulkLines } from '../../src/api/dashboard/bulk-lines.ts';
import { bubbleOf, lineOf, nameOf } from '../../src/api/dashboard/message-bubble.ts';
import { marksOf } from '../../src/api/dashboard/message-marks.ts';
import { withSent } from '../../src/api/dashboard/sent-details.ts';

const ann = '15551234567@s.whatsapp.net';
const bob = '15557654321@s.whatsapp.net';
const message = {
  message_id: '3EB0C431C26A1916E07E',
  chat: ann,
  from: ann,
  is_from_me: false,
  type: 'text',
  body: 'Hello',
  timestamp: 1_767_225_600,
  status: 'received',
  error_code: null,
  edited_at: null,
  deleted_at: null,
  media: null,
} as const;

const incoming = (change: Readonly<Record<string, unknown>>) => ({
  name: 'message',
  data: {
    message_id: 'M1',
    chat: ann,
    from: ann,
    participant: null,
    push_name: 'Ann',
    is_from_me: false,
    is_group: false,
    forwarded: false,
    quoted: null,
    location: null,
    contacts: null,
    poll: null,
    ...change,
  },
});
const reaction = (from: string, emoji: string | null) => ({
  name: 'reaction',
  data: { message_id: 'M1', chat: ann, from, is_from_me: false, emoji, timestamp: 1 },
});

describe('pasted recipients', () => {
  test('have values after the number, and empty lines count for nothing', () => {
    const read = readBulkLines('+1 555 123 4567; name=Ann; city = Bonn \r\n\n+15557654321\n');
    assert.equal(read.problem, null);
    assert.deepEqual(read.lines, [1, 3]);
    assert.deepEqual(read.recipients, [
      { to: '+1 555 123 4567', variables: { name: 'Ann', city: 'Bonn' } },
      { to: '+15557654321', variables: {} },
    ]);
  });

  test('may have a value with an equals sign in it', () => {
    assert.deepEqual(readBulkLines('+15551234567;link=a=b').recipients[0]?.variables, { link: 'a=b' });
  });

  test('are refused with the line that cannot be read', () => {
    assert.match(
      readBulkLines('+15551234567\n+15557654321; Bob').problem ?? '',
      /^Line 2: expected name=value, found “Bob”/,
    );
    assert.match(readBulkLines(' \n').problem ?? '', /at least one number/);
  });
});

describe('what events tell of messages', () => {
  test('is the latest name of a person, and nothing of ourselves', () => {
    const marks = marksOf([
      incoming({ push_name: 'Ann Carter' }),
      incoming({ push_name: 'Ann' }),
      incoming({ from: bob, push_name: 'Me', is_from_me: true }),
    ]);
    assert.equal(nameOf(ann, marks), 'Ann Carter');
    assert.equal(nameOf(bob, marks), '+15557654321');
  });

  test('is the latest reaction of each person, and none that was taken back', () => {
    const marks = marksOf([reaction(ann, null), reaction(bob, '👍'), reaction(ann, '❤️'), reaction('x@lid', '👍')]);
    assert.deepEqual(bubbleOf({ ...message, message_id: 'M1' }, marks).reactions, ['👍 2']);
  });

  test('names groups by their latest subject', () => {
    const change = { group: '120363000000000000@g.us', by: null, change: 'subject', value: 'Party', timestamp: 1 };
    assert.equal(nameOf(change.group, marksOf([{ name: 'group_update', data: change }])), 'Party');
    assert.equal(nameOf(change.group, marksOf([])), 'Group');
  });

  test('is left out when it does not look as events do', () => {
    const marks = marksOf([
      { name: 'message', data: { push_name: 7 } },
      { name: 'unheard_of', data: null },
    ]);
    assert.equal(marks.names.size, 0);
  });
});

describe('a message on a page', () => {
  const none = marksOf([]);

  test('is cut when it is long, and whole where it stands alone', () => {
    const long = bubbleOf({ ...message, body: 'x'.repeat(65_536) }, none);
    assert.ok(long.text.length < 1000);
    assert.equal(long.isCut, true);
    assert.equal(long.wholeText.length, 65_536);
  });

  test('has another version when its ticks change, and the same when nothing does', () => {
    const mine = { ...message, is_from_me: true, status: 'sent' } as const;
    assert.equal(bubbleOf(mine, none).version, bubbleOf(mine, none).version);
    assert.notEqual(bubbleOf(mine, none).version, bubbleOf({ ...mine, status: 'read' }, none).version);
  });

  test('says why it failed, by the words of its event or by its code', () => {
    const failed = { ...message, is_from_me: true, status: 'failed', error_code: '463' } as const;
    assert.match(bubbleOf(failed, none).failure ?? '', /463/);
    const data = { message_id: failed.message_id, chat: ann, code: '463', reason: 'A new chat was refused.' };
    assert.equal(bubbleOf(failed, marksOf([{ name: 'message_failed', data }])).failure, 'A new chat was refused.');
  });

  test('shows nothing of what was deleted', () => {
    const media = { mimetype: 'image/png', file_length: 1, file_name: null, seconds: null, url: '/x' };
    const gone = { ...message, body: 'secret', media, deleted_at: 2 };
    const shown = bubbleOf(gone, none);
    assert.equal(shown.wholeText, '');
    assert.equal(shown.media, null);
    assert.equal(lineOf(gone), 'Deleted');
  });

  test('is previewed by its type and not by the name that a stranger gave the file', () => {
    const media = { mimetype: 'image/svg+xml', file_length: 1, file_name: 'a.png', seconds: null, url: '/x' };
    assert.equal(bubbleOf({ ...message, type: 'document', media }, none).media?.preview, 'file');
    assert.equal(bubbleOf({ ...message, type: 'sticker', media }, none).media?.preview, 'image');
  });
});

describe('what a session has sent itself', () => {
  const mine = { ...message, type: 'location', is_from_me: true, status: 'sent', body: null } as const;
  const shown = (operation: string, params: unknown, more: object = {}) => {
    const sent = { id: mine.message_id, operation, params, replyTo: null, forwardOf: null, ...more };
    const marks = withSent(
      marksOf([incoming({ location: { latitude: 1, longitude: 2, name: 'Here', address: null } })]),
      [sent],
      () => 'Which day?',
    );
    return { bubble: bubbleOf(mine, marks), line: lineOf(mine, marks.details.get(mine.message_id)) };
  };

  test('is a place with where a map shows it', () => {
    const { bubble, line } = shown('sendLocation', { to: ann, latitude: 52.5, longitude: -13.4, name: 'Store' });
    assert.equal(bubble.place?.map, 'https://www.openstreetmap.org/?mlat=52.5&mlon=-13.4#map=16/52.5/-13.4');
    assert.equal(line, 'Location: Store');
  });

  test('is cards with their numbers, one or several', () => {
    const card = (name: string) => ({ display_name: name, phones: [{ number: '15550001111', phone_type: 'CELL' }] });
    const expected = { name: 'Support', numbers: ['+15550001111'] };
    assert.deepEqual(shown('sendContact', { to: ann, contact: card('Support') }).bubble.cards, [expected]);
    assert.deepEqual(
      shown('sendContact', { to: ann, contacts: [card('Support'), card('Sales')] }).bubble.cards.map(
        ({ name }) => name,
      ),
      ['Support', 'Sales'],
    );
  });

  test('is what it quotes, and what it forwards', () => {
    assert.equal(shown('sendText', null, { replyTo: 'M0' }).bubble.quoted, 'Which day?');
    const { bubble } = shown('forwardMessage', null, { forwardOf: 'M1' });
    assert.equal(bubble.isForwarded, true);
    assert.equal(bubble.place?.name, 'Here');
  });

  test('is nothing more when what was asked for cannot be read', () => {
    assert.equal(shown('sendPoll', { question: 7 }).bubble.poll, null);
  });
});

describe('a poll', () => {
  const options = ['Yes', 'No'];
  const vote = (from: string, selected: readonly string[]) => ({
    name: 'poll_vote',
    data: { message_id: 'M1', chat: ann, from, selected, timestamp: 1 },
  });
  const asked = incoming({ poll: { question: 'Lunch?', options, selectable: 0 } });
  const pollIn = (...votes: readonly ReturnType<typeof vote>[]) =>
    bubbleOf({ ...message, message_id: 'M1' }, marksOf([...votes, asked]));

  test('counts the latest vote of each person, and says who they are', () => {
    const { poll } = pollIn(vote(ann, ['No']), vote(bob, ['Yes', 'No']), vote(ann, ['Yes']));
    assert.deepEqual(poll?.options, [
      { text: 'Yes', votes: 1, names: '+15557654321' },
      { text: 'No', votes: 2, names: 'Ann, +15557654321' },
    ]);
    assert.equal(poll?.voters, 2);
    assert.equal(poll?.rule, 'Choose any number');
  });

  test('does not count who took the vote back, and has another version after a vote', () => {
    assert.equal(pollIn(vote(ann, []), vote(ann, ['No'])).poll?.voters, 0);
    assert.notEqual(pollIn(vote(ann, ['No'])).version, pollIn().version);
  });
});

describe('a contact card', () => {
  test('shows the numbers that are in it, however they are written', () => {
    const vcard =
      'BEGIN:VCARD\r\nFN:Carol\r\nTEL;type=CELL;waid=15550009999:+1 555 000 9999\r\nitem1.TEL:+15550008888\nNOTE:TEL:1\nEND:VCARD';
    const marks = marksOf([incoming({ contacts: [{ display_name: 'Carol', vcard }] })]);
    const { cards } = bubbleOf({ ...message, message_id: 'M1' }, marks);
    assert.deepEqual(cards, [{ name: 'Carol', numbers: ['+1 555 000 9999', '+15550008888'] }]);
  });
});
