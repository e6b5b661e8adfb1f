/** Documents about the topology, and what the control store keeps of it. */
import { z } from 'zod';
import { RegionPointer } from '../../topology/pointer.ts';

/** What `init` ends with. */
export const WrittenTopology = z.object({ file: z.string() });

/** What `validate` ends with. */
export const ValidTopology = z.object({
  file: z.string(),
  topology: z.string().describe('Its name'),
  regions: z.array(z.string()),
  counts: z.object({ templates: z.int(), configs: z.int(), probes: z.int() }),
  warnings: z
    .array(
      z.object({
        path: z.string(),
        message: z.string(),
        line: z.int(),
        column: z.int(),
      }),
    )
    .describe('What may be a mistake, and may be meant'),
});

/** What `validate --schema` prints. */
export const TopologySchema = z.record(z.string(), z.unknown());

/** What `register` ends with. */
export const RegisteredBundle = z.object({
  bundle: z.string().describe('Digest of the topology and its templates'),
  by: z.string(),
  at: z.string(),
  changed: z.boolean().describe('false: they were registered already'),
});

/** What `restore-pointer` ends with. */
export const RestoredPointer = z.object({
  pointer: RegionPointer,
  because: z.string().describe('What says which region is the writer'),
  unfinished: z.array(z.string()).describe('Runs of moves that have not ended'),
});
