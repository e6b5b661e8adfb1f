import { join } from 'node:path';
import { InvalidArgumentError, type Command } from 'commander';
import { clientsFile, defaultFolder, stackDown, stackUp, type Stack } from '../../stack/stack.ts';
import { command } from '../command.ts';
import { interruptible } from '../interrupt.ts';

export function stackCommand(): Command {
  const stack = command(
    'stack',
    'the embedded stack: a Temporal server and a local Azure, on this machine',
    'understudy stack up\nunderstudy stack down',
  );
  stack.addCommand(
    command(
      'up',
      'start it, or what of it does not run; it stays up until "stack down"',
      'understudy stack up\nsource .understudy/env && understudy worker\n' +
        'understudy stack up --azure-only --regions eastus,westus3 --port 8443',
    )
      .option('--folder <folder>', 'where its state is', defaultFolder)
      .option('--azure-only', 'the local Azure alone, without Temporal')
      .option(
        '--regions <list>',
        "the local Azure's regions (default: those it had before, at first eastus,westus3,centralus)",
        regionNames,
      )
      .option(
        '--port <number>',
        'port of Resource Manager on the first start (default: a free one)',
        portNumber,
      )
      .option(
        '--pace <factor>',
        'multiplies how long the local Azure takes for its long-running operations',
        numberFromZero,
      )
      .action(async ({ folder, azureOnly, ...ofAzure }: UpFlags) => {
        const made = await interruptible((signal) =>
          stackUp({
            folder,
            say: (line) => console.log(line),
            azureOnly: azureOnly === true,
            cloudArguments: cloudArguments(ofAzure),
            signal,
          }),
        );
        console.log(whatNext(made, folder));
      }),
  );
  stack.addCommand(
    command('down', 'end every process of it', 'understudy stack down --purge')
      .option('--folder <folder>', 'where its state is', defaultFolder)
      .option('--purge', 'remove its state too: what the stack put into the folder, and nothing else')
      .action(async ({ folder, purge }: { folder: string; purge?: boolean }) => {
        const { ended, left } = await stackDown(folder, { purge: purge === true });
        console.log(ended ? 'the stack is down' : 'no stack was up');
        if (left.length > 0) console.log(`left in ${folder}, as no stack put it there: ${left.join(', ')}`);
      }),
  );
  return stack;
}

interface AzureFlags {
  regions?: string;
  port?: number;
  pace?: number;
}
type UpFlags = AzureFlags & { folder: string; azureOnly?: true };

/** As the local Azure's program takes them; it says what is wrong with them. */
function cloudArguments(flags: AzureFlags): string[] {
  return Object.entries(flags).flatMap(([name, value]) => [`--${name}`, String(value)]);
}

/** Where everything is, and what a person types next. */
function whatNext({ temporal, cloud }: Stack, folder: string): string {
  const at = folder === defaultFolder ? '' : ` --folder ${quoted(folder)}`;
  const rows: [string, string | undefined][] = [
    ['Resource Manager', cloud.arm],
    ['Temporal UI', temporal?.ui],
    ['Front Door (local)', cloud.front],
    ['faults, clock', `${cloud.admin} (understudy chaos list; chaos start NAME${at})`],
    [
      'use it',
      `source ${quoted(join(folder, 'env'))}, or understudy --environment ${quoted(join(folder, 'env'))} …`,
    ],
    [
      'az, azure-ai-ml',
      `source ${quoted(join(folder, clientsFile))} (in a shell of its own); az cloud register -n Local --endpoint-resource-manager "$AZURE_RESOURCE_MANAGER_ENDPOINT"; az cloud set -n Local; ` +
        'az login --service-principal -u "$AZURE_CLIENT_ID" -p "$AZURE_CLIENT_SECRET" --tenant "$AZURE_TENANT_ID"',
    ],
    ['end it', `understudy stack down${at}`],
  ];
  return rows
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${`${name}:`.padEnd(20)}${value}`)
    .join('\n');
}

/** As a shell takes it. */
function quoted(path: string): string {
  return /^[\w./~-]+$/.test(path) ? path : `'${path.replaceAll("'", String.raw`'\''`)}'`;
}

function regionNames(text: string): string {
  if (!/^[a-z][a-z0-9]+(,[a-z][a-z0-9]+)*$/i.test(text))
    throw new InvalidArgumentError('Expected names of regions, as in eastus,westus3.');
  return text;
}

function portNumber(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < 1 || value > 65_535)
    throw new InvalidArgumentError('Expected a port from 1 to 65535.');
  return value;
}

function numberFromZero(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value) || value < 0)
    throw new InvalidArgumentError(`Expected a number from 0 on.`);
  return value;
}
