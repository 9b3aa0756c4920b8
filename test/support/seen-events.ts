/** What a Baileys client has told of groups, presence, calls and profiles since it was linked. */
import type { BaileysEventMap, WASocket } from '@whiskeysockets/baileys';

type One<List> = List extends readonly (infer Item)[] ? Item : List;

export class SeenEvents {
  readonly groupsUpserted: One<BaileysEventMap['groups.upsert']>[] = [];
  readonly groupsUpdated: One<BaileysEventMap['groups.update']>[] = [];
  readonly participants: BaileysEventMap['group-participants.update'][] = [];
  readonly joinRequests: BaileysEventMap['group.join-request'][] = [];
  readonly receipts: One<BaileysEventMap['message-receipt.update']>[] = [];
  readonly presences: BaileysEventMap['presence.update'][] = [];
  readonly blocklist: BaileysEventMap['blocklist.update'][] = [];
  readonly contacts: One<BaileysEventMap['contacts.update']>[] = [];
  readonly calls: One<BaileysEventMap['call']>[] = [];
  readonly connection: BaileysEventMap['connection.update'][] = [];
  readonly capping: BaileysEventMap['message-capping.update'][] = [];

  constructor({ ev }: WASocket) {
    ev.on('groups.upsert', (items) => this.groupsUpserted.push(...items));
    ev.on('groups.update', (items) => this.groupsUpdated.push(...items));
    ev.on('group-participants.update', (item) => this.participants.push(item));
    ev.on('group.join-request', (item) => this.joinRequests.push(item));
    ev.on('message-receipt.update', (items) => this.receipts.push(...items));
    ev.on('presence.update', (item) => this.presences.push(item));
    ev.on('blocklist.update', (item) => this.blocklist.push(item));
    ev.on('contacts.update', (items) => this.contacts.push(...items));
    ev.on('call', (items) => this.calls.push(...items));
    ev.on('connection.update', (item) => this.connection.push(item));
    ev.on('message-capping.update', (item) => this.capping.push(item));
  }
}
