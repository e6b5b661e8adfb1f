/** The state of a topology, as a document: what `readStatus` returns. */
import { z } from 'zod';
import { KeptDebt } from '../../fence/old-side.ts';
import { RecoveryPointSummary } from '../../plan/recovery-point-summary.ts';
import { KnownDamage } from '../../recovery-point/damage.ts';
import { Silence } from '../../client/silence.ts';
import { RunDocument } from '../../run/run-document.ts';
import { Weights } from '../../topology/pointer.ts';
import { Health } from '../health.ts';
import { Registered } from '../register.ts';
import { SharedNow } from '../sharing.ts';
import { Failure } from './failure.ts';

/** One thing that a person should act on. */
export const StatusFinding = z.object({
  severity: z
    .enum(['warning', 'critical'])
    .describe('critical: a failover now would fail, or something is broken. warning: a person should see to it'),
  kind: z.enum(['owed', 'damaged', 'failed']).optional(),
  run: z.string().optional().describe('Id of the run that it is about. It says everything that the list of runs would'),
  what: z.string(),
  next: z.string().optional().describe('What to do'),
});
export type StatusFinding = z.infer<typeof StatusFinding>;
export type Severity = StatusFinding['severity'];

const Worker = z.object({ queue: z.string(), host: z.string().optional(), polling: z.int() });

/** What `status` prints. */
export const StatusDocument = z.object({
  topology: z.string(),
  writer: z.string().optional().describe('Absent where the region pointer is lost'),
  epoch: z.int().optional(),
  serving: z.record(z.string(), Weights).optional().describe('unit → region → weight'),
  regions: z.array(Health),
  recoveryPoint: RecoveryPointSummary.optional().describe('The newest of the writer that could be restored'),
  protection: z
    .object({ protected: z.boolean(), missing: z.array(z.string()) })
    .describe('Whether the writer’s region could be lost now within the objectives, and what is missing for that'),
  unsealed: z.int(),
  sharing: SharedNow.describe('What both workspaces use'),
  damage: KnownDamage.optional().describe('What scrubbing has found damaged; absent if its ledger cannot be read'),
  runs: z
    .array(
      RunDocument.extend({
        executed: z.boolean().optional(),
        silent: Silence.optional(),
        waits: z.array(z.string()).optional().describe('What its steps say that they wait for, one line each'),
      }),
    )
    .describe('What runs, waits or has failed; executed: whether this Temporal executes it'),
  newestReplicate: RunDocument.optional().describe('The newest that is over'),
  newestMove: RunDocument.optional().describe('The newest move that has ended'),
  owed: z.array(KeptDebt),
  workers: z.array(Worker).optional().describe('Absent where Temporal does not answer'),
  registered: Registered.optional(),
  differsFromRegistered: z
    .boolean()
    .optional()
    .describe('The file differs from what is registered; absent if its templates cannot be read'),
  findings: z.array(StatusFinding),
  watched: z
    .object({
      runId: z.string(),
      state: z.enum(['completed', 'failed', 'cancelled', 'left']),
      reason: z.string(),
      next: z.string().optional(),
    })
    .optional()
    .describe('With --watch: how the run ended that was watched'),
  error: Failure.optional(),
});

/** What `status` reads, and its findings. */
export type Status = Omit<z.infer<typeof StatusDocument>, 'watched' | 'error'>;
