import type { Command } from 'commander';
import { UnderstudyError } from '../../errors/error.ts';
import { lookForPointer, restorePointer } from '../../operations/restore-pointer.ts';
import { whoAmI } from '../../operations/start-operation.ts';
import { ask, requireWord } from '../ask.ts';
import { command, session } from '../command.ts';

interface Options {
  writer?: string;
  reason: string;
  yes?: boolean;
}

export function restorePointerCommand(): Command {
  return command(
    'restore-pointer',
    'make a lost region pointer again from the journal, with a higher epoch',
    'understudy restore-pointer --reason "pointer.json was deleted by a clean-up job"',
  )
    .requiredOption('--reason <text>', 'why; it stands in the pointer')
    .option('--writer <region>', 'the region that may be written; default: what the journal says')
    .option('-y, --yes', 'do not ask')
    .action(async (options: Options, self: Command) => {
      const opened = await session(self);
      const lost = await lookForPointer(opened, options.writer);
      console.log(`writer    ${lost.writer}: ${lost.because}`);
      console.log(`epoch     ${lost.epoch}: higher than any that the control store knows`);
      for (const runId of lost.unfinished)
        console.log(
          `open      ${runId} has not ended: "understudy retry ${runId}" or "understudy cancel ${runId}"`,
        );
      await confirm(lost.writer, options);
      const { epoch, writer } = await restorePointer(opened, lost, {
        by: whoAmI(),
        reason: options.reason,
        now: new Date(),
      });
      console.log(`the region pointer is there again: ${writer}, epoch ${epoch.number}`);
    });
}

/** Declined where the person does not name the region. */
async function confirm(writer: string, { yes }: Options): Promise<void> {
  if (yes === true) return;
  if (!process.stdin.isTTY)
    throw new UnderstudyError('UsageError', 'nobody can be asked (no terminal): expected --yes');
  const question = 'Type the name of the region that may be written: ';
  await ask((terminal) => requireWord(terminal, question, writer));
}
