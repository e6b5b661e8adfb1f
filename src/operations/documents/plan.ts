/** Documents about plans. */
import { z } from 'zod';
import { AcceptedLoss, Plan } from '../../plan/plan.ts';
import { SharedThing } from '../../workspace/sharing.ts';
import { TargetLook } from '../../switch/look-at-configs.ts';
import { Failure } from './failure.ts';

const StandbyFinding = AcceptedLoss.extend({
  severity: z
    .enum(['refused', 'warning'])
    .describe('refused: the move would fail, or lose this. warning: does not block the move'),
  acceptable: z.boolean().describe('A person may go without it: --accept-loss ID'),
});

/** What `plan` prints: the plan as it would be stored, and what was found on the way. */
export const PlanDocument = Plan.extend({
  problems: z.array(z.string()).describe('What would make the run fail: it is refused while there is one'),
  warnings: z.array(z.string()).describe('What could not be checked, and does not block the move'),
  sharing: z.array(SharedThing).describe('What both workspaces use'),
  findings: z.array(StandbyFinding).describe('What was found of the standby'),
  losses: z.array(z.string()).describe('What the move would lose, or leave for people, as the recovery point has it'),
  configs: z.array(TargetLook).describe('What the workers of the hosts found of the config files'),
  error: Failure.optional().describe('There where a problem is'),
});
