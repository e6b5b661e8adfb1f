/** What `failback --plan` prints. */
import { z } from 'zod';
import { takes } from '../../merge/decisions.ts';
import { differenceCases } from '../../merge/three-way.ts';

const Point = z.object({ id: z.string(), startedAt: z.iso.datetime() });

const Difference = z.object({
  item: z.string().describe('Such as models/fraud/8, endpoints/score, files/DATASTORE/PATH, jobs/NAME'),
  case: z.enum(differenceCases),
  fields: z
    .array(
      z.object({
        field: z.string().describe('Path of the field; "files": what it consists of'),
        base: z.string().optional().describe('The value as JSON; absent: none'),
        there: z.string().optional(),
        here: z.string().optional(),
      }),
    )
    .describe('What differs'),
  renumberedTo: z
    .string()
    .optional()
    .describe('The version that what was made there becomes, unless the writer’s alone counts'),
  take: z
    .enum(takes)
    .optional()
    .describe(
      'Whose counts: the writer’s, that of the region to return to, or both, one under another version; absent: nobody has decided',
    ),
  by: z
    .enum(['person', 'policy', 'kind'])
    .optional()
    .describe('What decided: a person, the policy (merge), or its kind: each region has its own'),
});

/** A merge: what the region that was left has, and the writer lacks or has otherwise. */
export const MergeDocument = z.object({
  there: z.string().describe('The region that the last move left'),
  here: z.string().describe('The region that writes now'),
  run: z.string().describe('The run that left it'),
  base: Point.describe('The recovery point from which the writer went on'),
  divergencePoint: Point.describe('What the region had when it was found again'),
  newest: Point.describe('The newest recovery point of the writer'),
  differences: z.array(Difference),
  conflicts: z.int().nonnegative().describe('How many of them a person must decide before a failback'),
  same: z.int().nonnegative().describe('How many items differ in nothing that was changed there'),
  onlyHere: z.int().nonnegative().describe('How many items were made here since'),
});
export type MergeDocument = z.infer<typeof MergeDocument>;
