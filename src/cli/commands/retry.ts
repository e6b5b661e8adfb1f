import type { Command } from 'commander';
import { RunOutcome } from '../../operations/documents/run.ts';
import { requireReason, retryRun } from '../../operations/runs/retry-run.ts';
import { command, session, withTemporal } from '../command.ts';
import { shows } from '../output.ts';
import { seeThrough } from '../see-through.ts';

interface Options {
  acceptLoss?: string[];
  reason?: string;
}

/** `understudy retry`. */
export function retryCommand(): Command {
  const retry = command(
    'retry',
    'start a run again from its journal, on the same Temporal or another; completed steps are not repeated',
    'understudy retry 20261121T030000Z-failover-3f9a\n' +
      'understudy retry 20261121T030000Z-failover-3f9a --accept-loss verify/data/blobs --reason "INC-4711: one log file"',
  )
    .alias('resume-run')
    .argument('<run>', 'the run’s id, as "understudy runs" lists it')
    .option(
      '--accept-loss <step...>',
      'let these steps complete without what they cannot do; the report begins with what is lost',
    )
    .option('--reason <text>', 'why the loss is accepted; required with --accept-loss');
  return shows(retry, RunOutcome, async (output, runId: string, options: Options, self: Command) => {
    const { acceptLoss: steps, reason = '' } = options;
    requireReason(steps, reason);
    const opened = await session(self);
    return withTemporal((client) =>
      seeThrough(output, opened, async () => {
        const run = await retryRun(opened, client, runId, steps && { steps, reason });
        if (!run.started) output.say(`${runId} runs already: watching it`);
        return run;
      }),
    );
  });
}
