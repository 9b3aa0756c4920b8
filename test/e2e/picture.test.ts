import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { fetch } from 'undici';
import { at } from '../support/api-client.ts';
import { errorOf, PairedGateway } from '../support/paired-gateway.ts';

const shown = '15551230001';
const hidden = '15551230002';
const without = '15551230003';
const bytes = Buffer.from('a small picture');

describe('profile pictures', () => {
  let support: PairedGateway;

  before(async () => {
    support = await PairedGateway.start({ QUERY_TIMEOUT_MS: '1500' });
    const picture = bytes.toString('base64');
    await support.contact(shown, { picture });
    await support.contact(hidden, { picture, picture_hidden: true });
    await support.contact(without);
  });

  after(() => support.dispose());

  test('the address of a picture leads to it', async () => {
    for (const path of [`/contacts/${shown}/picture`, `/contacts/${shown}%40s.whatsapp.net/picture?type=image`]) {
      const answer = await support.ask(path);
      assert.match(String(at(answer, 'picture_id')), /^\d+$/);
      assert.equal(at(answer, 'id'), at(answer, 'picture_id'));
      const picture = await fetch(String(at(answer, 'url')));
      assert.deepEqual(Buffer.from(await picture.arrayBuffer()), bytes);
    }
  });

  test('a contact without a picture, one who hides it, and nobody are told apart', async () => {
    const none = await support.get(`/contacts/${without}/picture`);
    assert.deepEqual([none.status, errorOf(none)], [404, 'no_picture']);
    const secret = await support.get(`/contacts/${hidden}/picture`);
    assert.deepEqual([secret.status, errorOf(secret)], [403, 'picture_hidden']);
    const nobody = await support.get('/contacts/15559999999/picture');
    assert.deepEqual([nobody.status, errorOf(nobody)], [404, 'recipient_not_on_whatsapp']);
    const wrong = await support.get(`/contacts/${shown}/picture?type=huge`);
    assert.deepEqual([wrong.status, at(wrong.json, 'error', 'details', 0, 'field')], [400, 'type']);
  });

  test('when WhatsApp does not answer it is a time-out, not "no picture"', async () => {
    await support.fault({ fault: 'mute_queries' });
    const answer = await support.get(`/contacts/${shown}/picture`);
    assert.deepEqual([answer.status, errorOf(answer)], [504, 'whatsapp_timeout']);
    await support.clearFaults();
  });
});
