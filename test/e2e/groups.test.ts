import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import sharp from 'sharp';
import { at, type ApiAnswer } from '../support/api-client.ts';
import { eventually } from '../support/eventually.ts';
import { GatewayUnderTest, pairedSession, requireCleanOracle } from '../support/gateway.ts';
import { account, act, anna, ben, foundGroup, jidOf, listAt, nobody } from '../support/group-gateway.ts';

const shy = '15553334444';
const groups = '/sessions/support/groups';

describe('groups', () => {
  let gateway: GatewayUnderTest;

  before(async () => {
    gateway = await GatewayUnderTest.start({ env: { QUERY_TIMEOUT_MS: '2000' } });
    await pairedSession(gateway, 'support', { phone: account });
    for (const phone of [anna, ben]) await gateway.must(201, '/sessions/support/sandbox/contacts', { phone });
    const contact = { phone: shy, forbids_group_add: true };
    await gateway.must(201, '/sessions/support/sandbox/contacts', contact);
  });

  after(async () => {
    try {
      await requireCleanOracle(gateway, 'support');
    } finally {
      await gateway.dispose();
    }
  });

  const patch = (path: string, body: unknown): Promise<ApiAnswer> =>
    gateway.api.call('PATCH', `/api/v1${path}`, { body });
  const seen = async (jid: string): Promise<unknown> =>
    (await gateway.get(`/sessions/support/sandbox/groups/${jid}`)).json;
  const group = async (jid: string): Promise<unknown> => {
    const answer = await gateway.get(`${groups}/${jid}`);
    assert.equal(answer.status, 200, answer.text);
    return answer.json;
  };
  const refused = (answer: ApiAnswer, status: number, type: string): void => {
    assert.equal(answer.status, status, answer.text);
    assert.equal(at(answer.json, 'error', 'type'), type);
  };

  test('a group is created, with its founder in charge and its members by number and LID', async () => {
    const created = await gateway.must(201, groups, { subject: 'Release party', participants: [`+${anna}`] });
    const jid = String(at(created, 'jid'));
    assert.match(jid, /@g\.us$/);
    assert.equal(at(created, 'subject'), 'Release party');
    assert.equal(at(created, 'is_admin'), true);
    assert.equal(at(created, 'owner'), jidOf(account));
    assert.deepEqual(at(created, 'not_added'), []);
    const found = await group(jid);
    assert.equal(at(found, 'addressing_mode'), 'lid');
    assert.equal(at(found, 'participant_count'), 2);
    const participants = listAt(found, 'participants');
    assert.deepEqual(
      participants.map((each) => [at(each, 'jid'), at(each, 'phone_number'), at(each, 'role')]),
      [
        [jidOf(account), account, 'superadmin'],
        [jidOf(anna), anna, 'member'],
      ],
    );
    for (const each of participants) assert.match(String(at(each, 'lid')), /^\d+@lid$/);
    const same = await gateway.get(`${groups}/${encodeURIComponent(jid)}/info`);
    assert.deepEqual(same.json, found);
  });

  test('those who cannot be added to a new group are told, with the code of WhatsApp', async () => {
    const created = await gateway.must(201, groups, { subject: 'Some of us', participants: [anna, shy, nobody] });
    assert.deepEqual(at(created, 'not_added'), [
      { jid: jidOf(shy), ok: false, code: '403' },
      { jid: jidOf(nobody), ok: false, code: '404' },
    ]);
    assert.equal(at(created, 'participant_count'), 2);
  });

  test('a group of nobody who is on WhatsApp is not created', async () => {
    const answer = await gateway.post(groups, { subject: 'Nobody', participants: [nobody] });
    refused(answer, 404, 'recipient_not_on_whatsapp');
    assert.equal(at(answer.json, 'error', 'details', 0, 'field'), 'participants');
  });

  test('what is no person cannot be a participant', async () => {
    const answer = await gateway.post(groups, { subject: 'Groups', participants: ['120363000000000000@g.us'] });
    refused(answer, 400, 'invalid_request');
    assert.equal(at(answer.json, 'error', 'details', 0, 'field'), 'participants');
  });

  test('an invalid subject is named', async () => {
    const answer = await gateway.post(groups, { subject: 'x'.repeat(101), participants: [anna] });
    refused(answer, 400, 'invalid_request');
    assert.equal(at(answer.json, 'error', 'details', 0, 'field'), 'subject');
  });

  test('all groups are listed, in full when asked, and page by page', async () => {
    const jid = await foundGroup(gateway, 'support', { subject: 'Listed' });
    const all = await gateway.get(groups);
    assert.equal(all.status, 200, all.text);
    const list = listAt(all.json, 'groups');
    assert.equal(at(all.json, 'total'), list.length);
    assert.equal(at(all.json, 'next_cursor'), null);
    const listed = list.find((each) => at(each, 'jid') === jid);
    assert.equal(at(listed, 'name'), 'Listed');
    assert.equal(at(listed, 'participant_count'), 2);
    assert.equal(at(listed, 'is_announce'), false);
    assert.equal(at(listed, 'is_admin'), true);
    assert.equal(typeof at(listed, 'created_at'), 'number');
    assert.equal(at(listed, 'participants'), undefined);

    const full = await gateway.get(`${groups}?participants=true`);
    const inFull = listAt(full.json, 'groups');
    assert.deepEqual(
      inFull.find((each) => at(each, 'jid') === jid),
      await group(jid),
    );

    const paged: unknown[] = [];
    for (let cursor: unknown = ''; typeof cursor === 'string';) {
      const query = cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`;
      const page = await gateway.get(`${groups}?limit=2${query}`);
      const part = listAt(page.json, 'groups');
      assert.ok(part.length > 0 && part.length <= 2, page.text);
      paged.push(...part);
      cursor = at(page.json, 'next_cursor');
    }
    assert.deepEqual(paged, list);
  });

  test('subject and description are changed, and the description removed', async () => {
    const jid = await foundGroup(gateway, 'support');
    await gateway.must(200, `${groups}/${jid}/subject`, { subject: 'After party' });
    await gateway.must(200, `${groups}/${jid}/description`, { description: 'Bring cake' });
    const changed = await group(jid);
    assert.equal(at(changed, 'subject'), 'After party');
    assert.equal(at(changed, 'description'), 'Bring cake');
    assert.equal(at(changed, 'topic'), 'Bring cake');
    await gateway.must(200, `${groups}/${jid}/description`, { description: 'Bring more cake' });
    assert.equal(at(await group(jid), 'description'), 'Bring more cake');
    await gateway.must(200, `${groups}/${jid}/description`, { description: '' });
    assert.equal(at(await group(jid), 'description'), null);
  });

  test('participants are added, promoted, demoted and removed, each with an answer of its own', async () => {
    const jid = await foundGroup(gateway, 'support');
    const change = async (action: string, participants: readonly string[]): Promise<unknown> =>
      at(await gateway.must(200, `${groups}/${jid}/participants`, { action, participants }), 'results');
    assert.deepEqual(await change('add', [`+${ben}`, anna, shy, nobody]), [
      { jid: jidOf(ben), ok: true, code: '200' },
      { jid: jidOf(anna), ok: false, code: '409' },
      { jid: jidOf(shy), ok: false, code: '403' },
      { jid: jidOf(nobody), ok: false, code: '404' },
    ]);
    assert.deepEqual(await change('promote', [ben]), [{ jid: jidOf(ben), ok: true, code: '200' }]);
    const lid = await eventually(async () => {
      const participants = listAt(await group(jid), 'participants');
      const found = participants.find((each) => at(each, 'phone_number') === ben);
      return at(found, 'role') === 'admin' ? String(at(found, 'lid')) : null;
    });
    assert.deepEqual(await change('demote', [lid]), [{ jid: jidOf(ben), ok: true, code: '200' }]);
    assert.deepEqual(await change('remove', [ben, nobody]), [
      { jid: jidOf(ben), ok: true, code: '200' },
      { jid: jidOf(nobody), ok: false, code: '404' },
    ]);
    assert.equal(at(await group(jid), 'participant_count'), 2);
  });

  test('the invite link leads into the group until it is revoked', async () => {
    await pairedSession(gateway, 'guest', { phone: '15550002222' });
    const jid = await foundGroup(gateway, 'support');
    const invite = await gateway.get(`${groups}/${jid}/invite`);
    const code = String(at(invite.json, 'code'));
    assert.equal(at(invite.json, 'link'), `https://chat.whatsapp.com/${code}`);
    const renewed = await gateway.must(200, `${groups}/${jid}/invite/revoke`);
    assert.notEqual(at(renewed, 'code'), code);
    refused(await gateway.post('/sessions/guest/groups/join', { code }), 404, 'group_not_found');
    const link = at(renewed, 'link');
    const joined = await gateway.must(200, '/sessions/guest/groups/join', { code: link });
    assert.deepEqual(joined, { jid, joined: true });
    const again = await gateway.must(200, '/sessions/guest/groups/join', { code: link });
    assert.deepEqual(again, { jid, joined: true });
    assert.equal(at((await gateway.get(`/sessions/guest/groups/${jid}`)).json, 'is_admin'), false);
    await requireCleanOracle(gateway, 'guest');
  });

  test('an account leaves a group and no longer sees it', async () => {
    const jid = await foundGroup(gateway, 'support');
    await gateway.must(200, `${groups}/${jid}/leave`);
    const answer = await gateway.get(`${groups}/${jid}`);
    refused(answer, 404, 'group_not_found');
    assert.equal(at(answer.json, 'error', 'details', 0, 'received'), '403');
    refused(await gateway.post(`${groups}/${jid}/leave`), 404, 'group_not_found');
  });

  test('settings are changed one by one and together', async () => {
    const jid = await foundGroup(gateway, 'support');
    const wanted = { announce: true, locked: true, join_approval: true, member_add: 'all', ephemeral_seconds: 86_400 };
    const answer = await patch(`${groups}/${jid}/settings`, wanted);
    assert.equal(answer.status, 200, answer.text);
    assert.deepEqual(at(await group(jid), 'settings'), wanted);
    await patch(`${groups}/${jid}/settings`, { announce: false, ephemeral_seconds: 0 });
    assert.deepEqual(at(await group(jid), 'settings'), { ...wanted, announce: false, ephemeral_seconds: 0 });
    const empty = await patch(`${groups}/${jid}/settings`, {});
    refused(empty, 400, 'invalid_request');
  });

  test('the picture is set from any image as a square JPEG, and removed', async () => {
    const jid = await foundGroup(gateway, 'support');
    const background = { r: 200, g: 30, b: 30 };
    const png = await sharp({ create: { width: 900, height: 300, channels: 3, background } })
      .png()
      .toBuffer();
    await gateway.must(200, `${groups}/${jid}/picture`, { base64: png.toString('base64') });
    assert.notEqual(at(await seen(jid), 'picture_id'), null);
    const noise = { type: 'gaussian', mean: 128, sigma: 60 } as const;
    const photo = await sharp({ create: { width: 1600, height: 1200, channels: 3, background, noise } })
      .png({ compressionLevel: 0 })
      .toBuffer();
    const large = { base64: `data:image/png;base64,${photo.toString('base64')}` };
    assert.ok(large.base64.length > 5_000_000);
    await gateway.must(200, `${groups}/${jid}/picture`, large);
    await gateway.must(200, `${groups}/${jid}/picture`, { base64: null });
    assert.equal(at(await seen(jid), 'picture_id'), null);
    const text = Buffer.from('This is no picture at all').toString('base64');
    refused(await gateway.post(`${groups}/${jid}/picture`, { base64: text }), 422, 'media_type_not_supported');
  });

  test('requests to join are listed, approved and rejected', async () => {
    const jid = await foundGroup(gateway, 'support', { participants: [] });
    const answer = await patch(`${groups}/${jid}/settings`, { join_approval: true });
    assert.equal(answer.status, 200, answer.text);
    for (const by of [anna, ben]) await act(gateway, jid, { by, action: 'request_join' });
    const listed = await gateway.get(`${groups}/${jid}/requests`);
    assert.equal(at(listed.json, 'total'), 2, listed.text);
    assert.equal(at(listed.json, 'requests', 0, 'jid'), jidOf(anna));
    assert.match(String(at(listed.json, 'requests', 0, 'lid')), /@lid$/);
    assert.equal(typeof at(listed.json, 'requests', 0, 'requested_at'), 'number');
    const answerTo = async (action: string, participants: readonly string[]): Promise<unknown> =>
      at(await gateway.must(200, `${groups}/${jid}/requests`, { action, participants }), 'results');
    assert.deepEqual(await answerTo('approve', [anna, nobody]), [
      { jid: jidOf(anna), ok: true, code: '200' },
      { jid: jidOf(nobody), ok: false, code: '404' },
    ]);
    assert.deepEqual(await answerTo('reject', [ben]), [{ jid: jidOf(ben), ok: true, code: '200' }]);
    assert.equal(at((await gateway.get(`${groups}/${jid}/requests`)).json, 'total'), 0);
    assert.equal(at(await group(jid), 'participant_count'), 2);
  });

  test('a request to join waits for approval', async () => {
    const jid = await foundGroup(gateway, 'support', { creator: anna, participants: [] });
    await act(gateway, jid, { by: anna, action: 'approval', value: true });
    await gateway.must(200, `${groups}/${jid}/leave`);
    const joined = await gateway.must(200, `${groups}/join`, { code: at(await seen(jid), 'invite_code') });
    assert.deepEqual(joined, { jid, joined: false });
  });

  test('what only admins may do is refused to members', async () => {
    const jid = await foundGroup(gateway, 'support', { creator: anna, participants: [ben] });
    await act(gateway, jid, { by: anna, action: 'demote', participants: [account] });
    await act(gateway, jid, { by: anna, action: 'locked', value: true });
    const member = { action: 'remove', participants: [ben] };
    const answers = [
      await gateway.post(`${groups}/${jid}/participants`, member),
      await gateway.post(`${groups}/${jid}/subject`, { subject: 'Mine' }),
      await gateway.post(`${groups}/${jid}/description`, { description: 'Mine' }),
      await patch(`${groups}/${jid}/settings`, { announce: true }),
      await gateway.get(`${groups}/${jid}/invite`),
      await gateway.post(`${groups}/${jid}/invite/revoke`),
      await gateway.get(`${groups}/${jid}/requests`),
      await gateway.post(`${groups}/${jid}/picture`, { base64: null }),
    ];
    for (const answer of answers) {
      refused(answer, 403, 'not_a_group_admin');
      assert.equal(at(answer.json, 'error', 'details', 0, 'received'), '403');
    }
    assert.equal(at(await group(jid), 'is_admin'), false);
  });

  test('a group that is not there, and one of others, is not found whatever is asked of it', async () => {
    const foreign = await foundGroup(gateway, 'support', { creator: anna });
    await act(gateway, foreign, { by: anna, action: 'remove', participants: [account] });
    for (const jid of ['120363999999999999@g.us', foreign]) {
      for (const answer of [
        await gateway.get(`${groups}/${jid}`),
        await gateway.post(`${groups}/${jid}/subject`, { subject: 'Whose?' }),
        await gateway.post(`${groups}/${jid}/participants`, { action: 'add', participants: [ben] }),
        await gateway.get(`${groups}/${jid}/invite`),
        await gateway.post(`${groups}/${jid}/leave`),
        await patch(`${groups}/${jid}/settings`, { announce: true }),
      ]) {
        refused(answer, 404, 'group_not_found');
      }
    }
    refused(await gateway.post(`${groups}/join`, { code: 'NoSuchInvite00' }), 404, 'group_not_found');
    refused(await gateway.get(`${groups}/not-a-group`), 400, 'invalid_request');
  });

  test('when WhatsApp does not answer, no list is empty and every question is a time-out', async () => {
    const jid = await foundGroup(gateway, 'support');
    await gateway.must(200, '/sessions/support/sandbox/faults', { fault: 'mute_queries' });
    try {
      const answers = await Promise.all([
        gateway.get(groups),
        gateway.get(`${groups}/${jid}`),
        gateway.get(`${groups}/${jid}/requests`),
        gateway.get(`${groups}/${jid}/invite`),
        gateway.post(`${groups}/${jid}/subject`, { subject: 'Anybody there?' }),
        gateway.post(`${groups}/${jid}/participants`, { action: 'add', participants: [ben] }),
        gateway.post(groups, { subject: 'Hello', participants: [ben] }),
        gateway.post(`${groups}/${jid}/picture`, { base64: null }),
        gateway.post(`${groups}/join`, { code: 'NoSuchInvite00' }),
        gateway.post(`${groups}/${jid}/leave`),
      ]);
      for (const answer of answers) refused(answer, 504, 'whatsapp_timeout');
    } finally {
      await gateway.api.call('DELETE', '/api/v1/sessions/support/sandbox/faults');
    }
  });

  test('a session that is not connected says so', async () => {
    await gateway.must(201, '/sessions', { id: 'idle', sandbox: true, auto_connect: false });
    refused(await gateway.get('/sessions/idle/groups'), 503, 'session_not_connected');
  });

  test('what the sandbox cannot do in a group is told in words', async () => {
    const jid = await foundGroup(gateway, 'support');
    const path = `/sessions/support/sandbox/groups/${jid}/actions`;
    refused(await gateway.post(path, { by: anna, action: 'subject' }), 400, 'invalid_request');
    refused(await gateway.post(path, { by: anna, action: 'announce', value: true }), 422, 'unprocessable');
    refused(await gateway.get('/sessions/support/sandbox/groups/120363999999999999@g.us'), 404, 'group_not_found');
  });
});
