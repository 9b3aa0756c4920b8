/** How much memory the machine, or the container that we run in, has. */
import { freemem, totalmem } from 'node:os';

export interface MachineMemory {
  readonly limitBytes: number;
  readonly source: 'container' | 'machine';
  readonly totalBytes: number;
  readonly freeBytes: number;
}

export function machineMemory(): MachineMemory {
  const totalBytes = totalmem();
  // Of the control group (memory.max, or its elder of version 1) and those above it; 0 or absurd when there is no limit.
  const constrained = process.constrainedMemory();
  const isConstrained = constrained > 0 && constrained < totalBytes;
  return {
    limitBytes: isConstrained ? constrained : totalBytes,
    source: isConstrained ? 'container' : 'machine',
    totalBytes,
    freeBytes: isConstrained ? process.availableMemory() : freemem(),
  };
}
