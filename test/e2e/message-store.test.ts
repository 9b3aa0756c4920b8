import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { at } from '../support/api-client.ts';
import { eventually } from '../support/eventually.ts';
import { errorOf, ownPhone, PairedGateway } from '../support/paired-gateway.ts';

const contact = '15551234567';
const other = '15557654321';

describe('what the gateway knows of messages and chats', () => {
  let paired: PairedGateway;

  before(async () => {
    paired = await PairedGateway.start();
    await paired.contact(contact, { behaviour: 'reads' });
    await paired.contact(other);
    for (const n of [1, 2, 3]) {
      await paired.ask('/messages/text', { to: contact, text: `Out ${n}` });
      const written = await paired.ask('/sandbox/messages', { from: contact, text: `In ${n}` });
      await paired.event('message', (data) => at(data, 'message_id') === at(written, 'message_id'));
    }
    const last = await paired.ask('/sandbox/messages', {
      from: other,
      type: 'document',
      file: { base64: 'AAAAAAAA' },
      file_name: 'a.pdf',
      mimetype: 'application/pdf',
    });
    await paired.event('message', (data) => at(data, 'message_id') === at(last, 'message_id'));
  });

  after(() => paired.dispose());

  const bodies = (page: unknown): unknown[] => {
    const messages = at(page, 'messages');
    return Array.isArray(messages) ? messages.map((message) => at(message, 'body')) : [];
  };

  test('messages are listed page by page without gaps', async () => {
    const seen: unknown[] = [];
    for (let path = '/messages?limit=2'; ;) {
      const page = await paired.ask(path);
      assert.equal(at(page, 'total'), 7);
      seen.push(...bodies(page));
      const cursor = at(page, 'next_cursor');
      if (typeof cursor !== 'string') break;
      path = `/messages?limit=2&cursor=${encodeURIComponent(cursor)}`;
    }
    assert.equal(seen.length, 7);
    assert.deepEqual(new Set(seen), new Set([null, 'Out 1', 'Out 2', 'Out 3', 'In 1', 'In 2', 'In 3']));
  });

  test('messages are filtered by chat, direction and text', async () => {
    assert.equal(at(await paired.ask(`/messages?chat=${encodeURIComponent('+1 555 123-4567')}`), 'total'), 6);
    assert.equal(at(await paired.ask(`/messages?chat=${other}%40s.whatsapp.net`), 'total'), 1);
    assert.equal(at(await paired.ask('/messages?direction=out'), 'total'), 3);
    assert.deepEqual(bodies(await paired.ask('/messages?search=in%202')), ['In 2']);
  });

  test('a bad cursor, limit or chat is refused by its field', async () => {
    for (const [query, field] of [
      ['cursor=abc', 'cursor'],
      ['limit=0', 'limit'],
      ['chat=nobody', 'chat'],
      ['search=x', 'search'],
    ] as const) {
      const answer = await paired.get(`/messages?${query}`);
      assert.equal(answer.status, 400);
      assert.equal(at(answer.json, 'error', 'details', 0, 'field'), field);
    }
  });

  test('changes and reactions are no messages, and can be asked for by their ids', async () => {
    const sent = await paired.ask('/messages/text', { to: contact, text: 'To react to' });
    const reaction = await paired.ask('/messages/react', {
      to: contact,
      message_id: at(sent, 'message_id'),
      emoji: '👍',
    });
    const list = await paired.ask('/messages?limit=200');
    assert.ok(!JSON.stringify(list).includes(String(at(reaction, 'message_id'))));
    const found = await paired.ask(`/messages/${String(at(reaction, 'message_id'))}`);
    assert.equal(at(found, 'type'), 'reaction');
    assert.equal(at(found, 'body'), '👍');
  });

  test('a message shows what it holds, from whom, and where its file is', async () => {
    const message = at(await paired.ask(`/messages?chat=${other}`), 'messages', 0);
    assert.deepEqual(
      { ...Object(message), timestamp: 0 },
      {
        message_id: at(message, 'message_id'),
        chat: `${other}@s.whatsapp.net`,
        from: `${other}@s.whatsapp.net`,
        is_from_me: false,
        type: 'document',
        body: null,
        timestamp: 0,
        status: 'received',
        error_code: null,
        edited_at: null,
        deleted_at: null,
        media: {
          mimetype: 'application/pdf',
          file_length: 6,
          file_name: 'a.pdf',
          seconds: null,
          url: `/api/v1/sessions/support/messages/${String(at(message, 'message_id'))}/media`,
        },
      },
    );
  });

  test('the timeline tells how far a message has come', async () => {
    const sent = await paired.ask('/messages/text', { to: contact, text: 'Follow me' });
    const id = String(at(sent, 'message_id'));
    const timeline = await eventually(async () => {
      const found = await paired.ask(`/messages/${id}/timeline`);
      return at(found, 'status') === 'read' ? found : null;
    });
    assert.deepEqual(
      [0, 1, 2, 3].map((step) => at(timeline, 'events', step, 'status')),
      ['accepted', 'sent', 'delivered', 'read'],
    );
    assert.equal(at(await paired.ask(`/messages/${id}`), 'from'), `${ownPhone}@s.whatsapp.net`);
  });

  test('the timeline of a refused message has the code of WhatsApp', async () => {
    await paired.fault({ fault: 'refuse_send', code: 463, count: 1 });
    const id = '3EB0ABCDEF0123456789';
    await paired.post('/messages/text', { to: contact, text: 'Refused', message_id: id });
    const timeline = await eventually(async () => {
      const found = await paired.ask(`/messages/${id}/timeline`);
      return at(found, 'status') === 'failed' ? found : null;
    });
    assert.equal(at(timeline, 'events', 1, 'error_code'), '463');
    assert.equal(at(await paired.ask(`/messages/${id}`), 'error_code'), '463');
  });

  test('an unknown message is not found', async () => {
    for (const path of ['/messages/3EB0FFFFFFFFFFFFFFFF', '/messages/3EB0FFFFFFFFFFFFFFFF/timeline']) {
      const answer = await paired.get(path);
      assert.equal(answer.status, 404);
      assert.equal(errorOf(answer), 'message_not_found');
    }
  });

  test('chats come with their latest message first', async () => {
    const chats = await paired.ask('/chats');
    assert.equal(at(chats, 'total'), 2);
    const first = await paired.ask('/chats?limit=1');
    const second = await paired.ask(`/chats?limit=1&cursor=${encodeURIComponent(String(at(first, 'next_cursor')))}`);
    assert.deepEqual(
      new Set([at(first, 'chats', 0, 'chat'), at(second, 'chats', 0, 'chat')]),
      new Set([`${contact}@s.whatsapp.net`, `${other}@s.whatsapp.net`]),
    );
    assert.equal(at(second, 'next_cursor'), null);
    assert.equal(at(chats, 'chats', 0, 'is_group'), false);
    assert.equal(typeof at(chats, 'chats', 0, 'last_message', 'message_id'), 'string');
  });
});
