import type { Command } from 'commander';
import { UnderstudyError } from '../../errors/error.ts';
import { requireRegistered } from '../../operations/register.ts';
import { attach, startOperation } from '../../operations/start-operation.ts';
import { durationPattern, toSeconds } from '../../topology/duration.ts';
import { command, session, withTemporal } from '../command.ts';
import { seeThrough } from '../see-through.ts';

interface Options {
  reason: string;
  timeout?: string;
  registered?: true;
}

export function replicateCommand(): Command {
  return command(
    'replicate',
    'take a recovery point now',
    'understudy replicate --reason "before the release"\nunderstudy replicate --registered --timeout 30m',
  )
    .option('--reason <text>', 'why', 'taken by hand')
    .option(
      '--timeout <duration>',
      'how long it may take in all, such as 30m; default: policies.replicateDeadline',
    )
    .option(
      '--registered',
      'use the topology and templates that are registered in the control store, as a scheduler does',
    )
    .action(async (options: Options, self: Command) => {
      const deadlineSeconds = secondsOf(options.timeout);
      const opened = await session(self);
      await withTemporal(async (client) => {
        const running = await attach(opened, client, 'replicate');
        if (running) console.log(`${running.runId} runs already: watching it`);
        await seeThrough(opened, async () => {
          if (running) return running;
          const registered = options.registered ? await requireRegistered(opened.store) : undefined;
          return startOperation(opened, client, {
            operation: 'replicate',
            ...(registered ? { bundle: registered.bundle } : {}),
            trigger: {
              reason: options.reason,
              triggeredAt: new Date(),
              ...(deadlineSeconds === undefined ? {} : { deadlineSeconds }),
            },
          });
        });
      });
    });
}

function secondsOf(timeout: string | undefined): number | undefined {
  if (timeout === undefined) return undefined;
  if (durationPattern.test(timeout) && toSeconds(timeout) > 0) return toSeconds(timeout);
  throw new UnderstudyError(
    'UsageError',
    `--timeout: expected a duration such as "90s", "30m" or "2h", got "${timeout}"`,
  );
}
