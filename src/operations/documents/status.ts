/** The state of a topology, as a document: what `readStatus` returns. */
import { z } from 'zod';
import { KeptDebt } from '../../fence/old-side.ts';
import { RecoveryPointSummary } from '../../plan/recovery-point-summary.ts';
import { DamagedReplica, PartDamage } from '../../recovery-point/scrub-ledger.ts';
import { RunDocument } from '../../run/run-document.ts';
import { Weights } from '../../topology/pointer.ts';
import { SharedThing } from '../../workspace/sharing.ts';
import { Registered } from '../register.ts';
import { Failure } from './failure.ts';

const Health = z.object({
  region: z.string(),
  state: z.enum(['healthy', 'unhealthy', 'unknown']),
  checks: z.array(
    z.object({ what: z.string(), state: z.enum(['ok', 'failed', 'unknown']), detail: z.string() }),
  ),
});

const Damage = z.object({
  replicas: z.object({ count: z.int(), accepted: z.int() }),
  examples: z.array(DamagedReplica),
  points: z.array(z.object({ id: z.string(), damaged: z.array(PartDamage), accepted: z.boolean() })),
  oldestReadAt: z.string().optional(),
});

const Finding = z.object({
  severity: z
    .enum(['warning', 'critical'])
    .describe(
      'critical: a failover now would fail, or something is broken. warning: a person should see to it',
    ),
  kind: z.enum(['owed', 'damaged', 'failed']).optional(),
  run: z.string().optional().describe('Id of the run that it is about'),
  what: z.string(),
  next: z.string().optional().describe('What to do'),
});

const Silence = z.object({
  what: z.string().describe('What shows no sign of life'),
  kind: z.enum(['no heartbeat', 'no worker']),
  seconds: z.number(),
});

const Worker = z.object({ queue: z.string(), host: z.string().optional(), polling: z.int() });

/** What `status` prints. */
export const StatusDocument = z.object({
  topology: z.string(),
  writer: z.string().optional().describe('Absent where the region pointer is lost'),
  epoch: z.int().optional(),
  serving: z.record(z.string(), Weights).optional().describe('unit → region → weight'),
  regions: z.array(Health),
  recoveryPoint: RecoveryPointSummary.optional().describe('The newest of the writer that could be restored'),
  unsealed: z.int(),
  sharing: z.object({
    things: z.array(SharedThing),
    seenAt: z.string().optional(),
    unread: z.string().optional(),
    problem: z.string().optional(),
  }),
  damage: Damage.optional(),
  runs: z
    .array(RunDocument.extend({ executed: z.boolean().optional(), silent: Silence.optional() }))
    .describe('What runs, waits or has failed; executed: whether this Temporal executes it'),
  newestReplicate: RunDocument.optional(),
  newestMove: RunDocument.optional().describe('The newest move that has ended'),
  owed: z.array(KeptDebt),
  workers: z.array(Worker).optional().describe('Absent where Temporal does not answer'),
  registered: Registered.optional(),
  differsFromRegistered: z.boolean().optional(),
  findings: z.array(Finding),
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
