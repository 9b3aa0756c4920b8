/** The part of the configuration table that is about event streams. */
import { integer } from './config-variables.ts';

export const streamVariables = {
  streamMax: integer({
    name: 'STREAM_MAX',
    fallback: '200',
    min: 1,
    // The listener takes a thousand connections, and not only streams.
    max: 900,
    sentence: 'Event streams that may be open at the same time.',
  }),
} as const;
