/** Documents about runs. */
import { z } from 'zod';
import { Decision } from '../../plan/plan.ts';
import { Report } from '../../report/schema.ts';
import { RunDocument } from '../../run/run-document.ts';
import { Failure } from './failure.ts';

const error = Failure.optional().describe('Absent: the command did what it was asked to');

/** How a run ended for the command that started or watched it. */
export const RunOutcome = z.object({
  runId: z.string(),
  started: z.boolean().describe('false: it ran already, and was watched'),
  state: z
    .enum(['completed', 'failed', 'cancelled', 'left'])
    .describe('left: nobody watches any more, and the run continues'),
  reason: z.string().describe('Why it ended so; may be empty'),
  report: Report.optional().describe('Absent where the run never had a plan, or was left'),
  reportFolder: z.string().optional().describe('Where report.html, .json and .txt were written'),
  error,
});
export type RunOutcome = z.input<typeof RunOutcome>;

/** What `failover` and `switchover` end with. */
export const MoveOutcome = z.union([
  RunOutcome,
  z.object({
    state: z.literal('nothing to move').describe('The region is the active one already'),
    region: z.string(),
    epoch: z.int(),
  }),
]);

/** What `reprotect` ends with. */
export const ReprotectOutcome = z.union([
  RunOutcome,
  z.object({ state: z.literal('nothing to reprotect').describe('The other region is a standby'), why: z.string() }),
]);

/** What `cancel` ends with. */
export const CancelOutcome = z.union([
  RunOutcome,
  z.object({
    runId: z.string(),
    state: z.literal('already cancelled').describe('Somebody did it before, and it is carried out'),
    cancelled: z.object({ by: z.string(), at: z.string() }).optional(),
    endedAt: z.string().optional(),
  }),
]);

/** What `pause` and `unpause` print. */
export const PauseOutcome = z.object({ runId: z.string(), paused: z.boolean() });

/** What `skip` prints. */
export const SkipOutcome = z.object({
  runId: z.string(),
  step: z.string(),
  waitsForRetry: z
    .boolean()
    .describe('The run has failed, or ends as failed: it goes on without the step only when it is retried'),
  without: z.string().optional().describe('What going on without it means, where its title does not say it'),
});

/** What `approve` and `decline` print. */
export const GateOutcome = z.object({
  runId: z.string(),
  gate: z.string(),
  decision: Decision,
  stands: z.string().describe('How the gate stands now'),
});

/** What `report` prints: the report, and nothing about where it was written. */
export const ReportDocument = Report;

/** What `runs` prints: newest first. */
export const RunsDocument = z.array(
  z.union([
    RunDocument,
    z.object({ runId: z.string(), damaged: z.string().describe('Why its document cannot be read') }),
  ]),
);
