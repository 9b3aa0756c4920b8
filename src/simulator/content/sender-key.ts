/** The message in which a writer gives its sender key of a group to a reader. */
import { proto } from '../wire/proto.ts';

export interface GivenSenderKey {
  readonly group: string;
  readonly distribution: Uint8Array;
}

/** A message protobuf with the key alone, or together with a message that the reader could not read before. */
export function senderKeyContent({ group, distribution }: GivenSenderKey, message: Uint8Array | null): Uint8Array {
  const content = message === null ? {} : proto.Message.decode(message);
  return proto.Message.encode({
    ...content,
    senderKeyDistributionMessage: { groupId: group, axolotlSenderKeyDistributionMessage: distribution },
  }).finish();
}

/** The key in a message, null when there is none. */
export function readSenderKey(content: Uint8Array): GivenSenderKey | null {
  const given = proto.Message.decode(content).senderKeyDistributionMessage;
  const distribution = given?.axolotlSenderKeyDistributionMessage;
  return distribution === undefined || distribution === null ? null : { group: given?.groupId ?? '', distribution };
}
