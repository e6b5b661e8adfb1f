import type { Command } from 'commander';
import { UnderstudyError } from '../../errors/error.ts';
import { retryRun } from '../../operations/start-operation.ts';
import { command, session, withTemporal } from '../command.ts';
import { seeThrough } from '../see-through.ts';

interface Options {
  acceptLoss?: string[];
  reason?: string;
}

export function retryCommand(): Command {
  return command(
    'retry',
    'take a run up again from its journal, also on another Temporal; what is done is not done again',
    'understudy retry 20261121T030000Z-failover-3f9a\n' +
      'understudy retry 20261121T030000Z-failover-3f9a --accept-loss verify/data/blobs --reason "INC-4711: one log file"',
  )
    .alias('resume-run')
    .argument('<run>', 'the run’s id, as "understudy runs" lists it')
    .option(
      '--accept-loss <step...>',
      'go on without what these steps cannot do: each does the rest, and the report names what is lost first',
    )
    .option('--reason <text>', 'why the loss is accepted; obligatory with --accept-loss')
    .action(async (runId: string, { acceptLoss, reason }: Options, self: Command) => {
      if (acceptLoss && (reason === undefined || reason.trim() === ''))
        throw new UnderstudyError('UsageError', '--accept-loss: expected --reason "…" with it');
      const opened = await session(self);
      await withTemporal(async (client) => {
        await seeThrough(opened, async () => {
          const loss = acceptLoss && reason !== undefined ? { steps: acceptLoss, reason } : undefined;
          const run = await retryRun(opened, client, runId, loss);
          if (!run.started) console.log(`${runId} runs already: watching it`);
          return run;
        });
      });
    });
}
