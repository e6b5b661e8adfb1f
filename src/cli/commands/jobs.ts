import type { Command } from 'commander';
import { UnderstudyError } from '../../errors/error.ts';
import { RunOutcome } from '../../operations/documents/run.ts';
import type { MadeResubmit } from '../../operations/plans/plan-resubmit.ts';
import { askForResubmit, startResubmit } from '../../operations/resubmit.ts';
import { showCount } from '../../topology/figures.ts';
import { showJob } from '../../workspace/jobs/job.ts';
import { ask, requireWord } from '../ask.ts';
import { command, session, withTemporal } from '../command.ts';
import { shows, type Output } from '../output.ts';
import { seeThrough } from '../see-through.ts';

/** `understudy jobs`, with its subcommands. */
export function jobsCommand(): Command {
  const jobs = command('jobs', 'what can be done for jobs, without any move', 'understudy jobs resubmit');
  jobs.addCommand(resubmitCommand());
  return jobs;
}

interface Options {
  reason: string;
  yes?: boolean;
}

function resubmitCommand(): Command {
  const of = command(
    'resubmit',
    'let jobs that an outage has failed go on where they ran, each from its last checkpoint',
    'understudy jobs resubmit --reason "INC-4711: eastus was out for an hour"\nunderstudy jobs resubmit train-17 train-18 --yes',
  )
    .argument('[jobs...]', 'their names; default: those unfinished at the newest recovery point, and failed since')
    .option('-y, --yes', 'do not ask for confirmation')
    .option('--reason <text>', 'why; recorded in the report', 'an outage has failed them');
  return shows(of, RunOutcome, async (output, names: string[], options: Options, self: Command) => {
    const opened = await session(self);
    return withTemporal(async (client) => {
      const asked = await askForResubmit(opened, client, names);
      if ('running' in asked) {
        output.say(`${asked.running.runId} runs already: watching it`);
        return seeThrough(output, opened, () => Promise.resolve(asked.running));
      }
      await confirm(output, asked.made, options);
      return seeThrough(output, opened, () => startResubmit(opened, client, asked.made.plan, options.reason));
    });
  });
}

/** Throws Declined if the person does not agree; UsageError if nobody can be asked. */
async function confirm(output: Output, { jobs, plan }: MadeResubmit, { yes }: Options): Promise<void> {
  for (const line of linesOf(jobs, plan.from)) output.say(line);
  if (yes === true) return;
  if (!process.stdin.isTTY)
    throw new UnderstudyError('UsageError', 'nobody can be asked (no terminal): expected --yes');
  await ask(output, (terminal) => requireWord(terminal, 'Resubmit them? Type "yes": ', 'yes'));
}

/** What becomes of each job, as far as that is known before its checkpoint is looked for. */
export function linesOf(jobs: MadeResubmit['jobs'], region: string): string[] {
  const goOn = jobs.filter(({ left }) => !left);
  const others = jobs.flatMap((job) => (job.left ? [{ ...job, left: job.left }] : []));
  const whose = { skip: 'not resubmitted', other: 'left for a person' };
  return [
    `${showCount(goOn.length, 'job')} of ${region} would go on there:`,
    ...goOn.map(({ name, owner, endedAs }) => `  ${showJob({ name, owner })}: ${endedAs}`),
    ...(others.length > 0 ? [`${showCount(others.length, 'job')} would not:`] : []),
    ...others.map(
      ({ name, owner, endedAs, left }) =>
        `  ${showJob({ name, owner })}: ${endedAs}; ${whose[left.class === 'skip' ? 'skip' : 'other']}: ${left.reason}`,
    ),
  ];
}
