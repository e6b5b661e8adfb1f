/** The command line: parses, calls one operation, prints. Exit codes: see command.ts. */
import { Command, CommanderError } from 'commander';
import { isUnderstudyError, messageOf } from '../errors/error.ts';
import { release } from '../release.ts';
import { exitCodeLine, exitCodeTable } from './command.ts';
import { chaosCommand } from './commands/chaos.ts';
import { failoverCommand } from './commands/failover.ts';
import { initCommand } from './commands/init.ts';
import { inspectCommands } from './commands/inspect.ts';
import { planCommand } from './commands/plan.ts';
import { replicateCommand } from './commands/replicate.ts';
import { registerCommand } from './commands/register.ts';
import { restorePointerCommand } from './commands/restore-pointer.ts';
import { retryCommand } from './commands/retry.ts';
import { stackCommand } from './commands/stack.ts';
import { statusCommand } from './commands/status.ts';
import { steerCommands } from './commands/steer.ts';
import { validateCommand } from './commands/validate.ts';
import { workerCommand } from './commands/worker.ts';
import { loadEnvironment } from './environment-file.ts';
import { endWithLauncher } from './launcher.ts';

const environmentTable = `
Environment:
  TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, TEMPORAL_API_KEY, TEMPORAL_TLS_…   where Temporal is
  AZURE_TENANT_ID, AZURE_CLIENT_ID, AZURE_CLIENT_SECRET                    who we are to Azure (or "az login")
  AZURE_AUTHORITY_HOST, AZURE_RESOURCE_MANAGER_ENDPOINT                    another cloud than the public one
  NODE_EXTRA_CA_CERTS                                                      its certificate authority
  NO_COLOR, CI                                                             plain output`;

function makeProgram(): Command {
  const program = new Command('understudy')
    .description('Keeps an Azure Machine Learning workspace able to move to another region, and moves it.')
    .option('-t, --topology <file>', 'the topology', 'understudy.yaml')
    .option(
      '--environment <file>',
      'read environment variables from this file first (as "stack up" writes one)',
    )
    .option('--debug', 'with an error, print where in the program it arose')
    .version(release, '-V, --version', 'print the version')
    .addHelpText('after', '\nExample:\n  understudy init && understudy validate')
    .addHelpText('after', `\n${exitCodeTable}`)
    .addHelpText('after', environmentTable)
    .showHelpAfterError('(see --help)')
    .exitOverride()
    .hook('preAction', (command) => loadEnvironment(command.opts<{ environment?: string }>().environment));
  for (const command of [
    initCommand(),
    validateCommand(),
    planCommand(),
    replicateCommand(),
    failoverCommand(),
    retryCommand(),
    statusCommand(),
    ...inspectCommands(),
    ...steerCommands(),
    registerCommand(),
    restorePointerCommand(),
    workerCommand(),
    stackCommand(),
    chaosCommand(),
  ]) {
    program.addCommand(command);
    for (const each of [command, ...command.commands]) {
      // What holds for every command is said in each one's help.
      each.exitOverride().showHelpAfterError('(see --help)').configureHelp({ showGlobalOptions: true });
      each.addHelpText('after', `\n${exitCodeLine}`);
    }
  }
  return program;
}

/** Runs the command line; answers the exit code. */
async function main(argv: string[]): Promise<number> {
  const program = makeProgram();
  try {
    await program.parseAsync(argv);
    return Number(process.exitCode ?? 0);
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    console.error(`understudy: ${messageOf(error)}`);
    if (isUnderstudyError(error) && error.details.next !== undefined)
      console.error(`  → ${error.details.next}`);
    if (program.opts<{ debug?: boolean }>().debug === true && error instanceof Error)
      console.error(error.stack);
    return isUnderstudyError(error) ? error.exitCode : 1;
  }
}

// What is piped into a program that stops reading is no failure of ours, and must not end us in the midst of something.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE' && error.code !== 'EIO') process.exit(1);
});
process.stderr.on('error', () => undefined);
endWithLauncher();
process.exit(await main(process.argv));
