import { join } from 'node:path';
import { InvalidArgumentError, type Command } from 'commander';
import { z } from 'zod';
import { clientsFile, defaultFolder, stackDown, stackUp, type Stack } from '../../stack/stack.ts';
import { command } from '../command.ts';
import { interruptible } from '../interrupt.ts';
import { shows } from '../output.ts';

/** `understudy stack up` and `understudy stack down`. */
export function stackCommand(): Command {
  const stack = command(
    'stack',
    'start or stop the embedded stack: a Temporal server and a local Azure on this machine',
    'understudy stack up\nunderstudy stack down',
  );
  stack.addCommand(upCommand());
  stack.addCommand(downCommand());
  return stack;
}

/** What `stack up` ends with. */
const UpStack = z.object({
  folder: z.string(),
  temporal: z
    .object({ address: z.string(), ui: z.string().optional() })
    .optional()
    .describe('Absent where the local Azure was started alone'),
  azure: z.object({
    resourceManager: z.string(),
    frontDoor: z.string(),
    admin: z.string().describe('Faults, clock, and the last requests'),
    certificateAuthority: z.string().describe('A file'),
  }),
  environment: z.string().describe('A file of environment variables: --environment FILE'),
  clientsEnvironment: z.string().describe("A file of environment variables for Azure's own clients"),
});

function upCommand(): Command {
  const up = command(
    'up',
    'start the parts that do not run yet; they stay up until "stack down"',
    'understudy stack up\nsource .understudy/env && understudy worker\n' +
      'understudy stack up --azure-only --regions eastus,westus3 --port 8443',
  )
    .option('--folder <folder>', 'folder of its state', defaultFolder)
    .option('--azure-only', 'start the local Azure only, without Temporal')
    .option(
      '--regions <list>',
      'regions of the local Azure (default: the same as before; on the first start eastus,westus3,centralus)',
      regionNames,
    )
    .option('--port <number>', 'port of Resource Manager on the first start (default: a free one)', portNumber)
    .option(
      '--pace <factor>',
      'multiplies the duration of the local Azure’s long-running operations; 0 ends them at once',
      numberFromZero,
    );
  return shows(up, UpStack, async (output, { folder, azureOnly, regions, port, pace }: UpFlags) => {
    const made = await interruptible((signal) =>
      stackUp({
        folder,
        say: output.say,
        azureOnly: azureOnly === true,
        cloudArguments: cloudArguments({ regions, port, pace }),
        signal,
      }),
    );
    return { document: documentOf(made, folder), text: whatNext(made, folder) };
  });
}

function documentOf({ temporal, cloud }: Stack, folder: string): z.input<typeof UpStack> {
  const ui = temporal?.ui;
  return {
    folder,
    ...(temporal ? { temporal: { address: temporal.address, ...(ui === undefined ? {} : { ui }) } } : {}),
    azure: {
      resourceManager: cloud.arm,
      frontDoor: cloud.front,
      admin: cloud.admin,
      certificateAuthority: cloud.ca,
    },
    environment: join(folder, 'env'),
    clientsEnvironment: join(folder, clientsFile),
  };
}

/** What `stack down` ends with. */
const DownStack = z.object({
  ended: z.boolean().describe('false: no stack was up'),
  left: z.array(z.string()).describe('Of the folder, with --purge: what no stack put there'),
});

function downCommand(): Command {
  const down = command('down', 'stop all processes of the stack', 'understudy stack down --purge')
    .option('--folder <folder>', 'folder of its state', defaultFolder)
    .option('--purge', 'also delete its state: what the stack put into the folder, and nothing else');
  return shows(down, DownStack, async (_output, options: { folder: string; purge?: boolean }) => {
    const { folder, purge = false } = options;
    const { ended, left } = await stackDown(folder, { purge });
    const rest = left.length === 0 ? '' : `\nleft in ${folder}, as no stack put it there: ${left.join(', ')}`;
    return { document: { ended, left }, text: `${ended ? 'the stack is down' : 'no stack was up'}${rest}` };
  });
}

interface AzureFlags {
  regions?: string | undefined;
  port?: number | undefined;
  pace?: number | undefined;
}
type UpFlags = AzureFlags & { folder: string; azureOnly?: true };

/** In the format of the local Azure's program, which reports what is wrong with them. */
function cloudArguments(flags: AzureFlags): string[] {
  return Object.entries(flags).flatMap(([name, value]) => (value === undefined ? [] : [`--${name}`, String(value)]));
}

/** Where everything is, and what a person types next. */
function whatNext({ temporal, cloud }: Stack, folder: string): string {
  const at = folder === defaultFolder ? '' : ` --folder ${quoted(folder)}`;
  const rows: [string, string | undefined][] = [
    ['Resource Manager', cloud.arm],
    ['Temporal UI', temporal?.ui],
    ['Front Door (local)', cloud.front],
    ['faults, clock', `${cloud.admin} (understudy chaos list; chaos start NAME${at})`],
    ['use it', `source ${quoted(join(folder, 'env'))}, or understudy --environment ${quoted(join(folder, 'env'))} …`],
    [
      'az, azure-ai-ml',
      `source ${quoted(join(folder, clientsFile))} (in a shell of its own); az cloud register -n Local --endpoint-resource-manager "$AZURE_RESOURCE_MANAGER_ENDPOINT"; az cloud set -n Local; ` +
        'az login --service-principal -u "$AZURE_CLIENT_ID" --password="$AZURE_CLIENT_SECRET" --tenant "$AZURE_TENANT_ID"',
    ],
    ['end it', `understudy stack down${at}`],
  ];
  return rows
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${`${name}:`.padEnd(20)}${value}`)
    .join('\n');
}

/** Quoted as a shell needs it. */
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
