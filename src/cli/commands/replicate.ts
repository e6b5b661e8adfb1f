import type { Command } from 'commander';
import { planReplicate } from '../../operations/plan-operation.ts';
import { attach, startOperation } from '../../operations/start-operation.ts';
import { command, session, withTemporal } from '../command.ts';
import { seeThrough } from '../see-through.ts';

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
        await seeThrough(opened, async () => {
          if (running) return running;
          const { plan } = await planReplicate(opened);
          return startOperation(opened, client, plan, { reason: options.reason, triggeredAt: new Date() });
        });
      });
    });
}
