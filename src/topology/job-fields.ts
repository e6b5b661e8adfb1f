/** What the topology says about jobs: `jobs`. */
import { z } from 'zod';
import { DrainTime, Duration } from './duration-fields.ts';

/** A pattern over names or paths. */
export const Glob = z.string().min(1);

export const Jobs = z.strictObject({
  priority: z
    .array(z.string())
    .default([])
    .describe('Values of the tag "priority", most urgent first; jobs without one come last.'),
  compute: z
    .record(z.string(), z.string())
    .default({})
    .describe('Compute names that differ in the standby: active name → standby name.'),
  interactive: z
    .enum(['manual', 'skip'])
    .default('manual')
    .describe('Interactive jobs: listed for a person, or left out.'),
  checkpoint: z
    .strictObject({
      output: z.string().default('checkpoints').describe('The output that holds checkpoints.'),
      input: z.string().default('resume_from').describe('The input that takes the last checkpoint.'),
      complete: Glob.optional().describe(
        'The file that is written last and makes a checkpoint whole, as a glob below the output: "*/trainer_state.json", "latest".',
      ),
      quiet: Duration.default('5m').describe(
        'Without "complete": a checkpoint of several files is whole if nothing of it was written for this long, or once the next one is begun.',
      ),
    })
    .prefault({}),
  drain: z
    .strictObject({
      policy: z
        .enum(['checkpoint', 'wait', 'cancel'])
        .default('checkpoint')
        .describe(
          'What a switchover does with running jobs: ask each for a checkpoint and cancel it once there is one, wait for it to end, or cancel it now.',
        ),
      deadline: DrainTime.default('1h').describe('How long jobs have to write a checkpoint, or to end.'),
      afterDeadline: z
        .enum(['stop', 'cancel'])
        .default('stop')
        .describe('What becomes of a job that has not: the switchover stops and says which, or cancels it.'),
      request: z
        .string()
        .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/, 'expected the name of a file, such as "checkpoint-now"')
        .default('checkpoint-now')
        .describe(
          'The file by which a job is asked for a checkpoint: it appears in the output that holds checkpoints.',
        ),
    })
    .prefault({})
    .describe('What a switchover does with jobs that run, before it moves.'),
  zombies: z
    .strictObject({
      policy: z
        .enum(['cancel', 'finish'])
        .default('cancel')
        .describe(
          'What reprotect does with a job that ran on unseen in the region that was left: cancel it, or let it end. Its successor counts in either case.',
        ),
      deadline: DrainTime.default('1h').describe('How long such jobs may take to end; then they are cancelled.'),
    })
    .prefault({})
    .describe('Jobs that ran on in a region while it was lost, and whose successors run elsewhere.'),
});
