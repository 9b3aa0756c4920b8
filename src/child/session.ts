/** One WhatsApp session in this child: its link, what it receives, and what it is asked to do. */
import type { Clock } from '../clock.ts';
import type { SessionEvent } from '../contract/events.ts';
import { userOf, type SessionId } from '../contract/ids.ts';
import type {
  ChildNotices,
  Origin,
  PairingOffer,
  PreparedMedia,
  SendAnswer,
  SendRequest,
  StartSession,
  ToChild,
} from '../contract/ipc.ts';
import { ChatExpirations } from './engine/chat-expirations.ts';
import { normaliseFailure } from './engine/failures.ts';
import { fittingMessage } from './engine/fitting-message.ts';
import { lookUp } from './engine/lookups.ts';
import type { GroupNotice } from './engine/group-notices.ts';
import { endsMembership, renewSenderKey } from './engine/group-sender-key.ts';
import type { WASocket } from './engine/link-socket.ts';
import { decodeContent } from './engine/message-content.ts';
import type { LocalDeletion } from './engine/outgoing.ts';
import { Recipients } from './engine/recipients.ts';
import { sendMessage, type AckOutcome, type SentMessage } from './engine/sending.ts';
import { ackItems, localDeletionItems, withOrigin } from './events/acks.ts';
import { groupItems } from './events/groups.ts';
import { Inbound } from './inbound.ts';
import { ContactNames } from './contact-names.ts';
import { Link, type LinkListener } from './link.ts';
import type { LinkFacts } from './link-machine.ts';
import { findChildHandler, findSendHandler } from './operations/find.ts';
import type { ChildContext } from './operations/index.ts';
import { People } from './people.ts';
import { PresenceWishes } from './presence-wishes.ts';
import { Recorder } from './recorder.ts';
import { renewFile, uploadForLater } from './session-media.ts';
import { StoreClient, type Requester } from './store-client.ts';
import { Typing } from './typing.ts';

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
  readonly #expirations: ChatExpirations;
  readonly #link: Link;
  readonly #names: ContactNames;
  readonly #people: People;
  readonly #presence: PresenceWishes;
  readonly #typing: Typing;

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
    this.#expirations = new ChatExpirations(this.#store);
    this.#names = new ContactNames(this.#store);
    this.#presence = new PresenceWishes(this.#store);
    this.#typing = new Typing(clock);
    this.#people = new People({
      names: this.#names,
      clock,
      record: (item) => {
        this.stats.events++;
        return this.#recorder.add(item);
      },
      onError: (text) => this.#log('warn', text, {}),
    });
    this.#inbound = new Inbound({
      session: start.session,
      link: () => this.#link,
      store: this.#store,
      recorder: this.#recorder,
      expirations: this.#expirations,
      limits: start.limits,
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
    await this.#people.drain();
    await this.#inbound.drain();
    this.close();
  }

  /** Whether WhatsApp still answers on this link: asks for something of the account itself. */
  async probe(): Promise<void> {
    const { own } = this.#link;
    await lookUp(this.#link.requireOpen(), [`${userOf(own.id)}@s.whatsapp.net`], ['devices']);
  }

  pairCode(request: Omit<ToChild['pair_code']['body'], 'session'>): Promise<PairingOffer> {
    return this.#link.requestPairCode(request);
  }

  async operation(name: string, params: unknown): Promise<unknown> {
    const handler = findChildHandler(name);
    const sock = this.#link.requireOpen();
    try {
      return await handler(params, this.#context(sock));
    } catch (error) {
      throw normaliseFailure(error, name);
    }
  }

  async send(request: SendRequest): Promise<SendAnswer> {
    const build = findSendHandler(request.name);
    const sock = this.#link.requireOpen();
    const context = this.#context(sock);
    const { messageId, expiresAt, origin } = request;
    try {
      const outgoing = await build(request.params, { ...context, media: request.media });
      if (outgoing.tag === 'local_deletion') return await this.#deleteLocally(messageId, outgoing);
      const sending = {
        ...context,
        acks: this.#link.acks,
        expirations: this.#expirations,
        onAck: (sent: SentMessage, ack: AckOutcome) => this.#recordAck(sent, ack, origin),
      };
      return await sendMessage(sending, { messageId, expiresAt, message: outgoing });
    } catch (error) {
      throw normaliseFailure(error, 'send the message');
    }
  }

  async uploadMedia(media: PreparedMedia): Promise<ToChild['upload_media']['answer']> {
    return uploadForLater(this.#context(this.#link.requireOpen()), media);
  }

  async renewMedia(messageId: string): Promise<ToChild['renew_media']['answer']> {
    return renewFile(this.#context(this.#link.requireOpen()), messageId);
  }

  /** Ends everything that waits; what is not recorded by now comes back from the inbox. */
  close(): void {
    this.#typing.close();
    this.#inbound.close();
    this.#store.close();
  }

  #context(sock: WASocket): ChildContext {
    const { start, clock } = this.#options;
    return {
      sock,
      store: this.#store,
      recipients: this.#recipients,
      groups: this.#link.groups,
      names: this.#names,
      people: this.#people,
      presence: this.#presence,
      typing: this.#typing,
      limits: start.limits,
      clock,
    };
  }

  /** There is nothing that WhatsApp acknowledges: the deletion is done when the account's devices know of it. */
  async #deleteLocally(messageId: string, { chat, targetId, run }: LocalDeletion): Promise<SendAnswer> {
    await run();
    const at = this.#options.clock.now();
    const items = localDeletionItems({ messageId, chat, targetId, own: this.#own(), at });
    const isRecorded = await this.#recorder.addAll(items);
    return { to: chat, status: isRecorded ? 'sent' : 'pending', at };
  }

  #recordAck(sent: SentMessage, ack: AckOutcome, origin?: Origin): Promise<boolean> {
    const items = ackItems(sent, ack, this.#own());
    return this.#recorder.addAll(origin === undefined ? items : items.map((item) => withOrigin(item, origin)));
  }

  #own(): { readonly jid: string; readonly lid: string | null } {
    const { device } = this.#link.snapshot();
    return { jid: device?.jid ?? '', lid: device?.lid ?? null };
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
        const fitting = messages.map(fittingMessage);
        this.#inbound.messages(sock, fitting, isBackfill);
        this.#people.messages(sock, fitting);
      },
      mayNote: (id) => this.#inbound.mayHold(id),
      noted: (entry) => this.#inbound.noted(entry),
      receipt: (sock, stanza) => this.#inbound.receipt(sock, stanza),
      people: (sock, stanza) => this.#people.stanza(sock, stanza),
      group: (sock, notice) => this.#group(sock, notice),
      qr: ({ code, expiresAt, attempt }) =>
        tell({ name: 'qr_code', data: { qr: code, expires_at: Math.floor(expiresAt / 1000), attempt } }),
      pairCode: ({ code, phone, expiresAt }) =>
        tell({ name: 'pair_code', data: { code, phone, expires_at: Math.floor(expiresAt / 1000) } }),
      connected: (isNewLogin) => this.#connected(isNewLogin),
      disconnected: (facts: LinkFacts, willReconnect) => {
        this.#typing.close();
        tell({ name: 'disconnected', data: { reason: facts.reason, code: facts.code, will_reconnect: willReconnect } });
      },
      loggedOut: (facts) => tell({ name: 'logged_out', data: { reason: facts.reason, code: facts.code } }),
      lateAck: (attrs) =>
        void this.#lateAck(attrs).catch(() => this.#log('warn', 'a late ack could not be recorded', {})),
      log: (level, text, code) => this.#log(level, text, { code }),
    };
  }

  /** Resolves with true when everything that the notice tells is recorded; with false when this session may not write any more. */
  async #group(sock: WASocket, notice: GroupNotice): Promise<boolean> {
    if (endsMembership(notice)) {
      void renewSenderKey(sock, notice.group).catch(() =>
        this.#log('warn', 'the key of a group could not be renewed', {}),
      );
    }
    const items = groupItems(notice, this.#options.clock.now());
    this.stats.events += items.length;
    return this.#recorder.addAll(items);
  }

  /** Tells an event that has no row of its own. */
  #tell(event: SessionEvent): void {
    this.stats.events++;
    void this.#recorder.add({ tag: 'event', event, at: this.#options.clock.now() });
  }

  #connected(isNewLogin: boolean): void {
    const { device } = this.#link.snapshot();
    const sock = this.#link.socket();
    if (sock !== null) {
      void this.#presence
        .restore(sock)
        .catch(() => this.#log('warn', 'presence could not be restored on the new connection', {}));
    }
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

  /** The ack of a message that no send waits for any more; what it was about is in the store. */
  async #lateAck({ id, from = '', error, t }: Readonly<Record<string, string>>): Promise<void> {
    if (id === undefined) return;
    const at = Number(t) > 0 ? Number(t) * 1000 : this.#options.clock.now();
    const known = await this.#store.message(id);
    const sent: SentMessage = {
      messageId: id,
      chat: known?.chat ?? from,
      type: known?.type ?? 'unknown',
      content: known === null || known.proto === null ? null : decodeContent(known.proto),
    };
    const ack: AckOutcome = { tag: error === undefined ? 'acked' : 'refused', at, code: error ?? null };
    if (known?.fromMe === true) await this.#recordAck(sent, ack);
  }

  #log(
    level: ChildNotices['log']['level'],
    message: string,
    fields: Readonly<Record<string, string | number | boolean | null>>,
  ): void {
    this.#options.notify('log', { level, message, fields: { session: this.id, ...fields } });
  }
}
