/**
 * What people wrote and what the gateway was asked to send while it was being killed, and the judgement at the end:
 * nothing lost, nothing doubled, everything in order, and the WhatsApp server has nothing to complain about.
 */
import { at, keysOf } from './api-client.ts';
import type { CrashRig } from './crash-rig.ts';
import { eventually } from './eventually.ts';
import { listAt } from './group-gateway.ts';

export interface Expected {
  readonly session: string;
  readonly event: string;
  readonly what: string;
  readonly matches: (data: unknown) => boolean;
}

interface Tried {
  readonly session: string;
  readonly text: string;
  readonly to: string;
  /** The session that it was sent to, if it was one. */
  readonly reaches: string | null;
  /** The HTTP status; null when the connection broke before there was one. */
  readonly status: number | null;
  /** Milliseconds on a clock that never jumps. */
  readonly askedAt: number;
  readonly answeredAt: number;
}

interface Order {
  readonly text: string;
  /** The session whose account it is for. */
  readonly reaches?: string | undefined;
  readonly to: string;
}

const settleDeadlineMs = 90_000;
const warningsShown = 20;
const had = new Set(['sent', 'delivered', 'read', 'played']);

export class CrashLedger {
  readonly #rig: CrashRig;
  readonly #expected: Expected[] = [];
  readonly #tried: Tried[] = [];
  readonly #underWay = new Set<Promise<void>>();

  constructor(rig: CrashRig) {
    this.#rig = rig;
  }

  get counts(): { readonly expected: number; readonly tried: number; readonly accepted: number } {
    const accepted = this.#tried.filter(({ status }) => status === 200 || status === 202).length;
    return { expected: this.#expected.length, tried: this.#tried.length, accepted };
  }

  /** The session's webhook must be told of this, under one event id. */
  expect(expected: Expected): void {
    this.#expected.push(expected);
  }

  /** Asks for a send and does not wait for the answer; the text says which one it is. */
  send(session: string, path: string, { reaches, ...body }: Order): void {
    const askedAt = performance.now();
    const work = this.#rig.gateway
      .post(`/sessions/${session}${path}`, body)
      .then(
        ({ status }) => status,
        () => null,
      )
      .then((status) => {
        const answeredAt = performance.now();
        this.#tried.push({
          session,
          text: body.text,
          to: body.to,
          reaches: reaches ?? null,
          status,
          askedAt,
          answeredAt,
        });
      })
      .finally(() => this.#underWay.delete(work));
    this.#underWay.add(work);
  }

  /** Resolves when all sends have been answered, or their connection has broken. */
  async answered(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.all(this.#underWay);
  }

  /** Fails with everything that is wrong once things have had time to settle. */
  async judge(): Promise<void> {
    await this.answered();
    await eventually(
      async () => {
        await this.#rig.lapseLeases();
        return (await this.#problems()).length === 0;
      },
      settleDeadlineMs,
      async () => ({ problems: await this.#problems(), warnings: this.#warnings() }),
    );
  }

  /** What the gateway's log says in the last lines that are warnings and errors. */
  #warnings(): readonly string[] {
    const lines = this.#rig.gateway.output.split('\n');
    return lines.filter((line) => /"level":(40|50|60)/.test(line)).slice(-warningsShown);
  }

  async #problems(): Promise<readonly string[]> {
    const sent = await Promise.all(Object.keys(this.#rig.sessions).map((session) => this.#sendProblems(session)));
    return [...this.#eventProblems(), ...sent.flat(), ...(await this.#storeProblems()), ...(await this.#complaints())];
  }

  #eventProblems(): readonly string[] {
    return this.#expected.flatMap(({ session, event, what, matches }) => {
      const requests = this.#rig.told(session, event).filter((json) => matches(at(json, 'data')));
      const ids = new Set(requests.map((json) => at(json, 'id')));
      return ids.size === 1 ? [] : [`${session}: ${event} of "${what}" was told under ${ids.size} ids`];
    });
  }

  async #sendProblems(session: string): Promise<readonly string[]> {
    const rows = await this.#rig.database.query(
      `select id, chat, status, params->>'text' as text from messages
       where session_id = $1 and from_me and operation is not null order by ordinal`,
      [session],
    );
    // What other sessions receive is told by their webhooks; the copies of the account's own phone are no reader's.
    const own = this.#rig.phoneOf(session);
    const seen = (await this.#rig.inbox(session)).filter((copy) => at(copy, 'to') !== `${own}@s.whatsapp.net`);
    const problems: string[] = [];
    const failures = new Set(this.#rig.told(session, 'message_failed').map((json) => at(json, 'data', 'message_id')));
    for (const { id, status, text } of rows) {
      const what = `${session}: "${String(text)}"`;
      if (status === 'failed' && !failures.has(id)) problems.push(`${what} has failed, and nobody was told`);
      if (status !== 'failed' && !had.has(String(status))) problems.push(`${what} is ${String(status)}`);
    }
    for (const { text, status, reaches } of this.#tried.filter((each) => each.session === session)) {
      const row = rows.find((each) => each['text'] === text);
      const isDue = row !== undefined && row['status'] !== 'failed';
      if (row === undefined && (status === 200 || status === 202)) problems.push(`${session}: "${text}" has no row`);
      const readers = Map.groupBy(
        seen.filter((copy) => at(copy, 'text') === text),
        (copy) => at(copy, 'to'),
      );
      if (isDue && readers.size === 0)
        problems.push(`${session}: nobody got "${text}" (${status}), ${JSON.stringify(row)}`);
      if (row === undefined && readers.size > 0) problems.push(`${session}: "${text}" came without a row`);
      if (isDue && reaches !== null) problems.push(...this.#relayProblems(reaches, text));
      for (const copies of readers.values()) {
        if (copies.length !== 1) problems.push(`${session}: "${text}" came ${copies.length} times`);
      }
    }
    return [...problems, ...(await this.#orderProblems(session, rows))];
  }

  #relayProblems(session: string, text: string): readonly string[] {
    const told = this.#rig.told(session, 'message').filter((json) => at(json, 'data', 'body') === text);
    const ids = new Set(told.map((json) => at(json, 'id')));
    return ids.size === 1 ? [] : [`${session}: "${text}" of another session was told under ${ids.size} ids`];
  }

  /**
   * What was asked for after another message of its chat had been answered comes to WhatsApp after it. Readers that could
   * not read a message at first, and asked for it again, see it later.
   */
  async #orderProblems(session: string, rows: readonly Record<string, unknown>[]): Promise<readonly string[]> {
    const texts = new Map(rows.map(({ id, text }) => [id, text]));
    const tries = new Map<unknown, Tried>(
      this.#tried.filter((each) => each.session === session).map((each) => [each.text, each]),
    );
    const ids = listAt(await this.#rig.whatsapp(session, '/arrivals'), 'message_ids');
    const arrived = ids.flatMap((id) => tries.get(texts.get(id)) ?? []);
    return [...Map.groupBy(arrived, ({ to }) => to).values()].flatMap((chat) =>
      chat.flatMap((later, place) => {
        const overtaken = chat.slice(0, place).find((earlier) => later.answeredAt < earlier.askedAt);
        return overtaken === undefined ? [] : [`${session}: "${overtaken.text}" overtook "${later.text}"`];
      }),
    );
  }

  async #storeProblems(): Promise<readonly string[]> {
    const { database } = this.#rig;
    const gaps = await database.query(
      `select session_id, count(*)::int as count, min(sequence)::int as first, max(sequence)::int as last
       from events group by session_id having count(*) <> max(sequence) or min(sequence) <> 1`,
    );
    const open = await database.query("select count(*)::int as open from deliveries where status <> 'delivered'");
    const unsettled = await database.query("select count(*)::int as open from signal_keys where type = 'inbox'");
    return [
      ...gaps.map((gap) => `sequences have gaps: ${JSON.stringify(gap)}`),
      ...(at(open, '0', 'open') === 0 ? [] : [`${String(at(open, '0', 'open'))} deliveries are open`]),
      ...(at(unsettled, '0', 'open') === 0 ? [] : [`${String(at(unsettled, '0', 'open'))} inbox entries are left`]),
    ];
  }

  async #complaints(): Promise<readonly string[]> {
    const reports = Object.keys(this.#rig.sessions).map(async (session) => {
      const oracle = await this.#rig.whatsapp(session, '/oracle');
      const wrong = ['repeated_ratchet_positions', 'unfounded_confirmations', 'unacknowledged_stanzas'].filter(
        (name) => oracle[name] !== 0,
      );
      const unknown = keysOf(oracle['unknown_stanzas']).length;
      return wrong.length + unknown === 0 ? [] : [`${session}: the oracle says ${JSON.stringify(oracle)}`];
    });
    return (await Promise.all(reports)).flat();
  }
}
