import type { Command } from 'commander';
import { UnderstudyError } from '../../errors/error.ts';
import { RunOutcome } from '../../operations/documents/run.ts';
import { replicate } from '../../operations/replicate.ts';
import { durationPattern, toSeconds } from '../../topology/duration.ts';
import { command, session, withTemporal } from '../command.ts';
import { shows } from '../output.ts';
import { seeThrough } from '../see-through.ts';

interface Options {
  reason: string;
  timeout?: string;
  registered?: true;
}

/** `understudy replicate`: watches the run that it starts, or that runs already. */
export function replicateCommand(): Command {
  const of = command(
    'replicate',
    'take a recovery point now',
    'understudy replicate --reason "before the release"\nunderstudy replicate --registered --timeout 30m',
  )
    .option('--reason <text>', 'why; recorded in the report', 'taken by hand')
    .option('--timeout <duration>', 'maximum total time, such as 30m; default: policies.replicateDeadline')
    .option('--registered', 'use the topology and templates that "register" stored, as a scheduler does');
  return shows(of, RunOutcome, async (output, options: Options, self: Command) => {
    const { reason, registered } = options;
    const deadlineSeconds = secondsOf(options.timeout);
    const opened = await session(self);
    return withTemporal((client) =>
      seeThrough(output, opened, async () => {
        const run = await replicate(opened, client, { reason, registered, deadlineSeconds });
        if (!run.started) output.say(`${run.runId} runs already: watching it`);
        return run;
      }),
    );
  });
}

function secondsOf(timeout: string | undefined): number | undefined {
  if (timeout === undefined) return undefined;
  if (durationPattern.test(timeout) && toSeconds(timeout) > 0) return toSeconds(timeout);
  throw new UnderstudyError(
    'UsageError',
    `--timeout: expected a duration above zero such as "90s", "30m" or "2h", got "${timeout}"`,
  );
}
