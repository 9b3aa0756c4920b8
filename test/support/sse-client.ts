/** Reads Server-Sent Events as bytes on a socket, so that a test sees all of what is sent and can stop reading. */
import { get, type IncomingMessage } from 'node:http';
import { at } from './api-client.ts';
import { eventually } from './eventually.ts';

export interface SseMessage {
  readonly id: string | null;
  readonly event: string | null;
  /** The parsed JSON; undefined for a block without data. */
  readonly data: unknown;
}

export class SseClient {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly comments: string[] = [];
  /** All blocks but comments, also those that no EventSource would dispatch. */
  readonly blocks: SseMessage[] = [];
  isEnded = false;
  /** Everything, when it is no stream. */
  text = '';
  readonly #response: IncomingMessage;
  #rest = '';

  private constructor(response: IncomingMessage) {
    this.#response = response;
    this.status = response.statusCode ?? 0;
    this.headers = response.headers;
    response.setEncoding('utf8');
    response.on('data', (chunk: string) => this.#take(chunk));
    response.on('error', () => undefined);
    response.on('close', () => {
      this.isEnded = true;
    });
  }

  /** Answers as soon as the headers are there. */
  static async open(
    url: string,
    options: { readonly token: string; readonly headers?: Readonly<Record<string, string>> },
  ): Promise<SseClient> {
    const headers = { authorization: `Bearer ${options.token}`, ...options.headers };
    return new Promise((resolve, reject) => {
      get(url, { headers, agent: false }, (response) => resolve(new SseClient(response))).on('error', reject);
    });
  }

  get messages(): readonly SseMessage[] {
    return this.blocks.filter(({ data }) => data !== undefined);
  }

  /** Where an EventSource would go on. */
  get lastId(): string {
    return this.blocks.findLast(({ id }) => id !== null)?.id ?? '';
  }

  /** The message ids of the events so far, as `someEvent` names them. */
  get told(): readonly string[] {
    return this.messages.filter(({ id }) => id !== null).map(({ data }) => String(at(data, 'data', 'message_id')));
  }

  /** Waits until so many events were told, and answers what they are about. */
  async untilTold(count: number, deadlineMs = 15_000): Promise<readonly string[]> {
    await eventually(
      () => this.told.length >= count,
      deadlineMs,
      () => ({ told: this.told.length, status: this.status, text: this.text.slice(-500), isEnded: this.isEnded }),
    );
    return this.told;
  }

  /** Waits for a message of a name. */
  message(name: string): Promise<SseMessage> {
    return eventually(
      () => this.messages.find(({ event }) => event === name),
      15_000,
      () => ({ messages: this.messages, comments: this.comments, isEnded: this.isEnded }),
    );
  }

  async untilEnded(): Promise<void> {
    await eventually(() => this.isEnded, 15_000);
  }

  pause(): void {
    this.#response.pause();
  }

  resume(): void {
    this.#response.resume();
  }

  close(): void {
    this.#response.destroy();
  }

  #take(chunk: string): void {
    this.text = `${this.text}${chunk}`.slice(-10_000);
    const blocks = `${this.#rest}${chunk}`.split('\n\n');
    this.#rest = blocks.pop() ?? '';
    for (const block of blocks) this.#takeBlock(block.split('\n'));
  }

  #takeBlock(lines: readonly string[]): void {
    const fields = new Map<string, string>();
    for (const line of lines) {
      const [, name = '', value = ''] = /^(\w*): (.*)$/s.exec(line) ?? [];
      if (name === '') this.comments.push(value);
      else fields.set(name, value);
    }
    const data = fields.get('data');
    if (fields.size === 0) return;
    this.blocks.push({
      id: fields.get('id') ?? null,
      event: fields.get('event') ?? null,
      data: data === undefined ? undefined : JSON.parse(data),
    });
  }
}
