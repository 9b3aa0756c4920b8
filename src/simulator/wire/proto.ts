/** WhatsApp's protobuf types, without the rest of Baileys, which would cost some 40 MB. */
export { proto } from '@whiskeysockets/baileys/WAProto/index.js';
