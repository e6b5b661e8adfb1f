/** The command line: parses, calls one operation, prints. Exit codes: see command.ts. */
import { CommanderError } from 'commander';
import { isUnderstudyError, messageOf, UnderstudyError } from '../errors/error.ts';
import { describeFailure } from '../operations/documents/failure.ts';
import { endWithLauncher } from './launcher.ts';
import { printJson, wantsJson } from './output.ts';
import { makeProgram } from './program.ts';

/** Runs the command line; returns the exit code. */
async function main(argv: string[]): Promise<number> {
  const program = makeProgram();
  const isDebugging = () => program.opts<{ debug?: boolean }>().debug === true;
  try {
    await program.parseAsync(argv);
    return Number(process.exitCode ?? 0);
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0;
    const json = wantsJson(argv);
    if (json) printJson({ error: describeFailure(ofCommandLine(error)) });
    // Commander has already printed what is wrong with the command line.
    else if (!(error instanceof CommanderError)) printError(error);
    if (isDebugging() && error instanceof Error) console.error(error.stack);
    return exitCodeOf(ofCommandLine(error));
  }
}

function ofCommandLine(error: unknown): unknown {
  if (!(error instanceof CommanderError)) return error;
  const message = error.message.replace(/^error: /, '');
  return new UnderstudyError('UsageError', message, { next: 'See --help.' });
}

function printError(error: unknown): void {
  console.error(`understudy: ${messageOf(error)}`);
  if (isUnderstudyError(error) && error.details.next !== undefined) console.error(`  → ${error.details.next}`);
}

function exitCodeOf(error: unknown): number {
  return isUnderstudyError(error) ? error.exitCode : 1;
}

// A program that stops reading our output (a pipe) is no failure of ours, and must not end us in the middle of
// something.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE' && error.code !== 'EIO') process.exit(1);
});
process.stderr.on('error', () => undefined);
endWithLauncher();
process.exit(await main(process.argv));
