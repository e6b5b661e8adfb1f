/** The document that a worker ends with; that it is ready is said on the error stream. */
import { z } from 'zod';

export const WorkerState = z.object({
  state: z.literal('stopped').describe('It was asked to, and has handed back its work'),
  host: z.string().optional().describe('Absent: the common worker'),
});
