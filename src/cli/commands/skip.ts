import type { Command } from 'commander';
import { SkipOutcome } from '../../operations/documents/run.ts';
import { skipStep, type Skipped } from '../../operations/runs/skip-step.ts';
import { command, session } from '../command.ts';
import { shows } from '../output.ts';

/** `understudy skip`: with or without Temporal. */
export function skipCommand(): Command {
  const of = command(
    'skip',
    'let a run go on without a step that it can do without; the report says who decided that, and why',
    'understudy skip verify/training/smoke --reason "INC-4711: no quota for it tonight"',
  )
    .argument('<step>', 'the step’s id, as status and reports name it')
    .argument('[run]', 'the run’s id; default: the open move')
    .requiredOption('--reason <text>', 'why; recorded in the report');
  return shows(
    of,
    SkipOutcome,
    async (_output, step: string, runId: string | undefined, { reason }: { reason: string }, self: Command) => {
      const skipped = await skipStep(await session(self), { step, runId, reason });
      const { runId: id } = skipped.run;
      const { waitsForRetry, without } = skipped;
      return {
        document: { runId: id, step, waitsForRetry, ...(without === undefined ? {} : { without }) },
        text: `${id}: ${step} is skipped; ${whatFollows(skipped)}${without === undefined ? '' : `\n${without}`}`,
      };
    },
  );
}

function whatFollows({ run: { runId, state }, waitsForRetry, isUnderWay }: Skipped): string {
  const retried = `"understudy retry ${runId}" continues without it`;
  if (waitsForRetry)
    return state === 'failed' ? retried : `it had failed already, so the run still ends as failed: then ${retried}`;
  return isUnderWay ? 'the run goes on without it once its attempt has ended' : 'the run goes on without it';
}
