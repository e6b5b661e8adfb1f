import type { Command } from 'commander';
import { resumeRun } from '../../operations/start-operation.ts';
import { command, session, withTemporal } from '../command.ts';
import { seeThrough } from '../see-through.ts';

export function resumeRunCommand(): Command {
  return command(
    'resume-run',
    'take a run up again from its journal, also on another Temporal; what is done is not done again',
    'understudy resume-run 20261121T030000Z-failover-3f9a',
  )
    .argument('<run>', 'the run’s id, as "understudy runs" lists it')
    .action(async (runId: string, _options: object, self: Command) => {
      const opened = await session(self);
      await withTemporal(async (client) => {
        await seeThrough(opened, async () => {
          const run = await resumeRun(opened, client, runId);
          if (!run.started) console.log(`${runId} runs already: watching it`);
          return run;
        });
      });
    });
}
