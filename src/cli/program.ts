/** All commands, and what applies to each. */
import { Command } from 'commander';
import { release } from '../release.ts';
import { exitCodeLine, exitCodeTable } from './command.ts';
import { chaosCommand } from './commands/chaos.ts';
import { decideCommands } from './commands/decide.ts';
import { failbackCommand } from './commands/failback.ts';
import { initCommand } from './commands/init.ts';
import { inspectCommands } from './commands/inspect.ts';
import { jobsCommand } from './commands/jobs.ts';
import { moveCommands } from './commands/move.ts';
import { planCommand } from './commands/plan.ts';
import { registerCommand } from './commands/register.ts';
import { replicateCommand } from './commands/replicate.ts';
import { reprotectCommand } from './commands/reprotect.ts';
import { restorePointerCommand } from './commands/restore-pointer.ts';
import { retryCommand } from './commands/retry.ts';
import { skipCommand } from './commands/skip.ts';
import { stackCommand } from './commands/stack.ts';
import { statusCommand } from './commands/status.ts';
import { steerCommands } from './commands/steer.ts';
import { validateCommand } from './commands/validate.ts';
import { workerCommand } from './commands/worker.ts';
import { loadEnvironment } from './environment-file.ts';

const environmentTable = `
Environment:
  TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, TEMPORAL_API_KEY, TEMPORAL_TLS_…   where Temporal is
  AZURE_TENANT_ID, AZURE_CLIENT_ID, AZURE_CLIENT_SECRET                    the sign-in to Azure (or "az login")
  AZURE_AUTHORITY_HOST, AZURE_RESOURCE_MANAGER_ENDPOINT                    endpoints of another cloud than public Azure
  NODE_EXTRA_CA_CERTS                                                      that cloud's certificate authority
  NO_COLOR, CI                                                             no colour, no redrawing

Every command prints one JSON document with --output json: see docs/json-output.md.`;

/** The command line. Parsing throws a CommanderError for wrong usage, and for help. */
export function makeProgram(): Command {
  const program = new Command('understudy')
    .description(
      'Disaster recovery for Azure Machine Learning workspaces: keeps a standby in another region, and fails over to it.',
    )
    .option('-t, --topology <file>', 'the topology file', 'understudy.yaml')
    .option('--environment <file>', 'read environment variables from this file first (as "stack up" writes one)')
    .option('--debug', 'print stack traces with errors')
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
    ...moveCommands(),
    reprotectCommand(),
    failbackCommand(),
    retryCommand(),
    statusCommand(),
    ...inspectCommands(),
    ...steerCommands(),
    ...decideCommands(),
    skipCommand(),
    jobsCommand(),
    registerCommand(),
    restorePointerCommand(),
    workerCommand(),
    stackCommand(),
    chaosCommand(),
  ]) {
    program.addCommand(command);
    for (const each of [command, ...command.commands]) {
      // Each command's help has what applies to every command.
      each.exitOverride().showHelpAfterError('(see --help)').configureHelp({ showGlobalOptions: true });
      each.addHelpText('after', `\n${exitCodeLine(each)}`);
    }
  }
  return program;
}
