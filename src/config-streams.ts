/** The part of the configuration table that is about event streams. */
import { integer } from './config-variables.ts';

export const streamVariables = {
  streamMax: integer({
    name: 'STREAM_MAX',
    fallback: '200',
    min: 1,
    max: 10_000,
    sentence: 'Event streams that may be open at the same time.',
  }),
  streamMaxPerToken: integer({
    name: 'STREAM_MAX_PER_TOKEN',
    fallback: '50',
    min: 0,
    max: 10_000,
    sentence: 'Event streams of each token, or person, among them; 0 sets no limit of its own.',
  }),
  streamMaxPerAddress: integer({
    name: 'STREAM_MAX_PER_ADDRESS',
    fallback: '100',
    min: 0,
    max: 10_000,
    sentence: 'Event streams of each address among them; 0 sets no limit of its own.',
  }),
} as const;
