import type { Command } from 'commander';
import { isUnderstudyError } from '../../errors/error.ts';
import { ReprotectOutcome } from '../../operations/documents/run.ts';
import { reprotect } from '../../operations/reprotect.ts';
import { command, session, withTemporal } from '../command.ts';
import { shows } from '../output.ts';
import { seeThrough } from '../see-through.ts';

/** `understudy reprotect`: watches the run that it starts, or that runs already. */
export function reprotectCommand(): Command {
  const of = command(
    'reprotect',
    'make the region that the last move has left a standby again, once it answers',
    'understudy reprotect --reason "eastus is back"',
  ).option('--reason <text>', 'why; recorded in the report', 'the region answers again');
  return shows(of, ReprotectOutcome, async (output, { reason }: { reason: string }, self: Command) => {
    const opened = await session(self);
    return withTemporal(async (client) => {
      try {
        return await seeThrough(output, opened, async () => {
          const run = await reprotect(opened, client, reason);
          if (!run.started) output.say(`${run.runId} runs already: watching it`);
          return run;
        });
      } catch (error) {
        if (!isUnderstudyError(error, 'NothingToDo')) throw error;
        return { document: { state: 'nothing to reprotect' as const, why: error.message }, text: error.message };
      }
    });
  });
}
