/** People and API calls that write to and through the sessions of a rig, all kinds in turn, each told to the ledger. */
import { at } from './api-client.ts';
import type { CrashLedger } from './crash-ledger.ts';
import type { CrashRig } from './crash-rig.ts';
import type { Seeded } from './seeded.ts';

export const contacts = ['15551230001', '15551230002'] as const;
/** A JPEG of one pixel, in base64. */
export const pixel =
  '/9j/4AAQSkZJRgABAQEAYABgAAD/2wBDAAgGBgcGBQgHBwcJCQgKDBQNDAsLDBkSEw8UHRofHh0aHBwgJC4nICIsIxwcKDcpLDAxNDQ0Hyc5PTgyPC4zNDL/wAALCAABAAEBAREA/8QAFAABAAAAAAAAAAAAAAAAAAAACf/EABQQAQAAAAAAAAAAAAAAAAAAAAD/2gAIAQEAAD8AKp//2Q==';

export class CrashTraffic {
  readonly #rig: CrashRig;
  readonly #ledger: CrashLedger;
  readonly #random: Seeded;
  readonly #groups = new Map<string, string>();
  /** What a contact wrote last to a session: id and who. */
  readonly #latest = new Map<string, { readonly id: string; readonly from: string }>();
  #count = 0;

  constructor(rig: CrashRig, ledger: CrashLedger, random: Seeded) {
    this.#rig = rig;
    this.#ledger = ledger;
    this.#random = random;
  }

  /** Founds a group of each session and all contacts. */
  async begin(): Promise<void> {
    for (const phone of contacts) await this.#rig.server.api('POST', '/contacts', { phone });
    for (const session of Object.keys(this.#rig.sessions)) {
      const group = await this.#rig.whatsapp(session, '/groups', { subject: 'All of us', participants: contacts });
      this.#groups.set(session, String(group['jid']));
    }
  }

  /** Each kind of traffic once, for every session. API calls are not waited for. */
  async round(): Promise<void> {
    for (const session of Object.keys(this.#rig.sessions)) {
      const group = this.#groups.get(session) ?? '';
      const [here, there] = [this.#random.pick(contacts), this.#random.pick(contacts)];
      this.#send(session, { to: here });
      this.#send(session, { to: here });
      this.#send(session, { to: group });
      await this.#say(session, { from: here });
      await this.#say(session, { from: there, group });
      await this.#change(session);
      this.#relay(session);
      this.#send(session, { to: there });
      if (this.#random.below(3) === 0) await this.#show(session, here);
    }
  }

  #name(kind: string): string {
    this.#count += 1;
    return `${kind} ${this.#random.seed}.${this.#count}`;
  }

  #send(session: string, params: { readonly to: string; readonly reaches?: string }): void {
    this.#ledger.send(session, '/messages/text', { ...params, text: this.#name('out') });
  }

  #relay(session: string): void {
    const other = Object.entries(this.#rig.sessions).find(([id]) => id !== session);
    if (other === undefined) return;
    const [reaches, phone] = other;
    this.#send(session, { to: phone, reaches });
  }

  async #say(session: string, message: { readonly from: string; readonly group?: string }): Promise<void> {
    const text = this.#name('in');
    const id = await this.#rig.written(session, { ...message, text });
    if (message.group === undefined) this.#latest.set(session, { id, from: message.from });
    this.#expect(session, id, text);
  }

  async #show(session: string, from: string): Promise<void> {
    const caption = this.#name('in');
    const id = await this.#rig.written(session, { from, type: 'image', file: { base64: pixel }, caption });
    this.#expect(session, id, caption);
  }

  #expect(session: string, id: string, what: string): void {
    this.#ledger.expect({ session, event: 'message', what, matches: (data) => at(data, 'message_id') === id });
  }

  /** Edits what a contact wrote last, or reacts to it. */
  async #change(session: string): Promise<void> {
    const latest = this.#latest.get(session);
    if (latest === undefined) return;
    const { id, from } = latest;
    const text = this.#name('edit');
    await this.#rig.written(session, { from, edit_of: id, text });
    this.#ledger.expect({ session, event: 'message_edited', what: text, matches: (data) => at(data, 'body') === text });
    await this.#rig.written(session, { from, react_to: id, emoji: '👍' });
    this.#ledger.expect({
      session,
      event: 'reaction',
      what: `to ${id}`,
      matches: (data) => at(data, 'message_id') === id,
    });
  }
}
