/** One WhatsApp session in this child: its link, what it receives, and what it is asked to do. */
import type { Clock } from '../clock.ts';
import type { SessionEvent } from '../contract/events.ts';
import type { SessionId } from '../contract/ids.ts';
import type { ChildNotices, PairingOffer, SendAnswer, SendRequest, StartSession, ToChild } from '../contract/ipc.ts';
import { normaliseFailure } from './engine/failures.ts';
import { Recipients } from './engine/recipients.ts';
import { sendMessage, type AckOutcome } from './engine/sending.ts';
import { Inbound } from './inbound.ts';
import { Link, type LinkListener } from './link.ts';
import type { LinkFacts } from './link-machine.ts';
import { findChildHandler, findSendHandler } from './operations/find.ts';
import { Recorder } from './recorder.ts';
import { StoreClient, type Requester } from './store-client.ts';

export interface SessionOptions {
  readonly start: StartSession;
  readonly requester: Requester;
  readonly notify: <N extends keyof ChildNotices>(name: N, body: ChildNotices[N]) => void;
  readonly onFenced: () => void;
  readonly clock: Clock;
}

export class Session {
  readonly id: SessionId;
  readonly stats = { stanzas: 0, events: 0 };
  readonly #options: SessionOptions;
  readonly #store: StoreClient;
  readonly #recorder: Recorder;
  readonly #inbound: Inbound;
  readonly #recipients: Recipients;
  readonly #link: Link;

  constructor(options: SessionOptions) {
    const { start, requester, onFenced, clock } = options;
    this.id = start.session;
    this.#options = options;
    this.#store = new StoreClient({ session: start.session, epoch: start.epoch, requester, onFenced });
    this.#recorder = new Recorder({
      commit: (items) => this.#store.record(items),
      onLost: (item, error) =>
        this.#log('error', 'a record was refused by the store', { item: item.tag, error: error.code }),
    });
    this.#recipients = new Recipients(this.#store);
    this.#inbound = new Inbound({
      link: () => this.#link,
      store: this.#store,
      recorder: this.#recorder,
      clock,
      onError: (text) => this.#log('error', text, {}),
    });
    this.#link = new Link({ start, store: this.#store, listener: this.#listener(), clock, random: Math.random });
  }

  connect(): void {
    this.#link.connect();
    const sock = this.#link.socket();
    if (sock !== null) this.#inbound.recover(sock, this.#options.start.inbox);
  }

  /** Ends the link; with `logout` the device is unlinked first, and the session stays when WhatsApp does not confirm. */
  async stop(logout: boolean): Promise<void> {
    if (logout) await this.#link.logOut();
    else await this.#link.stop('The session is not connected.');
    await this.#inbound.drain();
    this.close();
  }

  pairCode(request: Omit<ToChild['pair_code']['body'], 'session'>): Promise<PairingOffer> {
    return this.#link.requestPairCode(request);
  }

  async operation(name: string, params: unknown): Promise<unknown> {
    const handler = findChildHandler(name);
    const sock = this.#link.requireOpen();
    try {
      return await handler(params, { sock });
    } catch (error) {
      throw normaliseFailure(error, name);
    }
  }

  async send(request: SendRequest): Promise<SendAnswer> {
    const build = findSendHandler(request.name);
    const sock = this.#link.requireOpen();
    const { limits } = this.#options.start;
    const context = {
      sock,
      limits,
      clock: this.#options.clock,
      store: this.#store,
      acks: this.#link.acks,
      recipients: this.#recipients,
      onAck: (id: string, chat: string, ack: AckOutcome) => this.#recordAck(id, chat, ack),
    };
    try {
      return await sendMessage(context, {
        messageId: request.messageId,
        expiresAt: request.expiresAt,
        message: build(request.params),
      });
    } catch (error) {
      throw normaliseFailure(error, 'send the message');
    }
  }

  /** Ends everything that waits; what is not recorded by now comes back from the inbox. */
  close(): void {
    this.#inbound.close();
    this.#store.close();
  }

  #recordAck(messageId: string, chat: string, ack: AckOutcome): void {
    const isRefused = ack.tag === 'refused';
    const reason = `WhatsApp refused the message (${ack.code}).`;
    void this.#recorder.add({
      tag: 'status',
      ids: [messageId],
      status: isRefused ? 'failed' : 'sent',
      at: ack.at,
      errorCode: ack.code,
      event: isRefused
        ? { name: 'message_failed', data: { message_id: messageId, chat, code: ack.code, reason } }
        : null,
    });
  }

  #listener(): LinkListener {
    const { notify } = this.#options;
    const tell = (event: SessionEvent): void => this.#tell(event);
    return {
      changed: (snapshot) => notify('link', snapshot),
      stanza: () => {
        this.stats.stanzas++;
      },
      messages: (sock, messages, isBackfill) => {
        this.stats.events += messages.length;
        this.#inbound.messages(sock, messages, isBackfill);
      },
      updates: (sock, updates) => this.#inbound.updates(sock, updates),
      qr: ({ code, expiresAt, attempt }) =>
        tell({ name: 'qr_code', data: { qr: code, expires_at: Math.floor(expiresAt / 1000), attempt } }),
      pairCode: ({ code, phone, expiresAt }) =>
        tell({ name: 'pair_code', data: { code, phone, expires_at: Math.floor(expiresAt / 1000) } }),
      connected: (isNewLogin) => this.#connected(isNewLogin),
      disconnected: (facts: LinkFacts, willReconnect) =>
        tell({ name: 'disconnected', data: { reason: facts.reason, code: facts.code, will_reconnect: willReconnect } }),
      loggedOut: (facts) => tell({ name: 'logged_out', data: { reason: facts.reason, code: facts.code } }),
      lateAck: (attrs) => this.#lateAck(attrs),
      log: (level, text, code) => this.#log(level, text, { code }),
    };
  }

  /** Tells an event that has no row of its own. */
  #tell(event: SessionEvent): void {
    this.stats.events++;
    void this.#recorder.add({ tag: 'event', event, at: this.#options.clock.now() });
  }

  #connected(isNewLogin: boolean): void {
    const { device } = this.#link.snapshot();
    this.#tell({
      name: 'connected',
      data: {
        phone_number: device?.phoneNumber ?? null,
        jid: device?.jid ?? null,
        lid: device?.lid ?? null,
        push_name: device?.pushName ?? null,
        is_new_login: isNewLogin,
      },
    });
  }

  #lateAck(attrs: Readonly<Record<string, string>>): void {
    const { id, from = '', error, t } = attrs;
    if (id === undefined) return;
    const at = Number(t) > 0 ? Number(t) * 1000 : this.#options.clock.now();
    this.#recordAck(id, from, { tag: error === undefined ? 'acked' : 'refused', at, code: error ?? null });
  }

  #log(
    level: ChildNotices['log']['level'],
    message: string,
    fields: Readonly<Record<string, string | number | boolean | null>>,
  ): void {
    this.#options.notify('log', { level, message, fields: { session: this.id, ...fields } });
  }
}
