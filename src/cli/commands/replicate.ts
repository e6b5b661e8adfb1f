import type { Command } from 'commander';
import { planReplicate } from '../../operations/plan-operation.ts';
import { attach, startOperation } from '../../operations/start-operation.ts';
import { command, session, withTemporal } from '../command.ts';
import { conclude, watchRun } from '../watch.ts';
import { printReport } from '../print-report.ts';

export function replicateCommand(): Command {
  return command(
    'replicate',
    'take a recovery point now',
    'understudy replicate --reason "before the release"',
  )
    .option('--reason <text>', 'why', 'taken by hand')
    .action(async (options: { reason: string }, self: Command) => {
      const opened = await session(self);
      await withTemporal(async (client) => {
        const running = await attach(opened, client, 'replicate');
        if (running) console.log(`${running.runId} runs already: watching it`);
        const { plan } = await planReplicate(opened);
        const run =
          running ??
          (await startOperation(opened, client, plan, { reason: options.reason, triggeredAt: new Date() }));
        const watched = await watchRun(opened, run);
        await printReport(opened, watched);
        conclude(watched);
      });
    });
}
