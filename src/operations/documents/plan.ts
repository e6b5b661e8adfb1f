/** Documents about plans. */
import { z } from 'zod';
import { AcceptedLoss, Plan } from '../../plan/plan.ts';
import { SharedThing } from '../../workspace/sharing.ts';
import { Failure } from './failure.ts';

const StandbyFinding = AcceptedLoss.extend({
  severity: z
    .enum(['refused', 'warning'])
    .describe('refused: the move would fail, or lose this. warning: does not block the move'),
  acceptable: z.boolean().describe('A person may go without it: --accept-loss ID'),
});

const ConfigFinding = z.object({
  severity: z.enum(['fails', 'warning', 'unknown']),
  file: z.string().optional(),
  line: z.int().optional(),
  column: z.int().optional(),
  found: z.string(),
  expected: z.string(),
  next: z.string(),
});

const TargetLook = z.object({
  host: z.string(),
  target: z.string().describe('The file, or the Git working copy'),
  state: z
    .enum(['ready', 'fails', 'unknown'])
    .describe('Whether its rewriting would succeed; unknown: nobody can tell'),
  files: z.int().describe('Files that can be rewritten'),
  changes: z.int().describe('Values that would be changed in them'),
  findings: z.array(ConfigFinding),
  more: z.int().optional().describe('How many findings there are more'),
});

/** What `plan` prints: the plan as it would be stored, and what was found on the way. */
export const PlanDocument = Plan.extend({
  problems: z.array(z.string()).describe('What would make the run fail: it is refused while there is one'),
  warnings: z.array(z.string()).describe('What could not be checked, and does not block the move'),
  sharing: z.array(SharedThing).describe('What both workspaces use'),
  findings: z.array(StandbyFinding).describe('What was found of the standby'),
  configs: z.array(TargetLook).describe('What the workers of the hosts found of the config files'),
  error: Failure.optional().describe('There where a problem is'),
});
