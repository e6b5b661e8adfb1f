import type { Command } from 'commander';
import { UnderstudyError } from '../../errors/error.ts';
import { RestoredPointer } from '../../operations/documents/topology.ts';
import { whoAmI } from '../../operations/runs/open-run.ts';
import { findLostPointer, restorePointer } from '../../operations/restore-pointer.ts';
import { ask, requireWord } from '../ask.ts';
import { command, session } from '../command.ts';
import { shows, type Output } from '../output.ts';

interface Options {
  writer?: string;
  reason: string;
  yes?: boolean;
}

/** `understudy restore-pointer`: asks before it writes. */
export function restorePointerCommand(): Command {
  const restore = command(
    'restore-pointer',
    'rebuild a lost region pointer from the journal, with a higher epoch',
    'understudy restore-pointer --reason "pointer.json was deleted by a clean-up job"',
  )
    .requiredOption('--reason <text>', 'why; recorded in the pointer')
    .option('--writer <region>', 'the region that becomes the writer; default: the one that the journal names')
    .option('-y, --yes', 'do not ask for confirmation');
  return shows(restore, RestoredPointer, async (output, options: Options, self: Command) => {
    const opened = await session(self);
    const lost = await findLostPointer(opened, options.writer);
    output.say(`writer    ${lost.writer}: ${lost.because}`);
    output.say(`epoch     ${lost.epoch}: higher than any that the control store knows`);
    for (const runId of lost.unfinished)
      output.say(`open      ${runId} has not ended: "understudy retry ${runId}" or "understudy cancel ${runId}"`);
    await confirm(output, lost.writer, options);
    const { reason } = options;
    const pointer = await restorePointer(opened, lost, { by: whoAmI(), reason, now: new Date() });
    return {
      document: { pointer, because: lost.because, unfinished: lost.unfinished },
      text: `the region pointer is there again: ${pointer.writer}, epoch ${pointer.epoch.number}`,
    };
  });
}

/** Throws Declined if the person does not name the region. */
async function confirm(output: Output, writer: string, { yes }: Options): Promise<void> {
  if (yes === true) return;
  if (!process.stdin.isTTY)
    throw new UnderstudyError('UsageError', 'nobody can be asked (no terminal): expected --yes');
  const question = 'Type the name of the region that becomes the writer: ';
  await ask(output, (terminal) => requireWord(terminal, question, writer));
}
