/**
 * What people put together who do without a gateway: one session of plain Baileys behind an HTTP endpoint that sends a
 * text, and a POST to their receiver for each message. It keeps nothing and tries nothing again.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import type { WAMessage } from '@whiskeysockets/baileys';
import { Agent } from 'undici';
import { trusted } from '../src/contract/trusted.ts';
import { openPlainSocket } from './plain-socket.ts';

interface Request {
  readonly url: string;
  readonly rootKeyHex: string;
  readonly folder: string;
  readonly hookUrl: string;
}

interface Send {
  readonly to: string;
  readonly text: string;
  readonly message_id: string;
}

process.on('disconnect', () => process.exit(0));

// baileys-target.ts wrote it.
const { url, rootKeyHex, folder, hookUrl } = trusted<Request>(JSON.parse(process.argv[2] ?? ''));
const agent = new Agent();
const hook = new URL(hookUrl);
const socket = await openPlainSocket({ url, rootKeyHex, folder, cachesKeys: true });
socket.ev.on('messages.upsert', ({ messages, type }) => {
  if (type === 'notify') for (const message of messages) if (message.key.fromMe !== true) void tell(message);
});
const server = createServer((request, response) => void send(request, response));
server.listen(0, '127.0.0.1', () => process.send?.(server.address()));

async function send(request: IncomingMessage, response: ServerResponse): Promise<void> {
  try {
    // The bench is the only caller.
    const { to, text: body, message_id: messageId } = trusted<Send>(JSON.parse(await text(request)));
    const sent = await socket.sendMessage(`${to}@s.whatsapp.net`, { text: body }, { messageId });
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ key: sent?.key }));
  } catch (error) {
    response.writeHead(500).end(String(error));
  }
}

async function tell({ key, message, messageTimestamp }: WAMessage): Promise<void> {
  const answer = await agent.request({
    origin: hook.origin,
    path: hook.pathname,
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      event: 'message',
      data: {
        message_id: key.id,
        chat: key.remoteJidAlt ?? key.remoteJid,
        body: message?.conversation ?? message?.extendedTextMessage?.text ?? null,
        timestamp: Number(messageTimestamp),
      },
    }),
  });
  await answer.body.dump();
}
