/** The state of a stack: its processes from the moment each is started, and its addresses once all are healthy. */
import { execFile } from 'node:child_process';
import { renameSync, writeFileSync } from 'node:fs';
import { mkdir, readFile, readdir, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { UnderstudyError, messageOf } from '../errors/error.ts';
import { identify, type Started } from './processes.ts';

const Process = z.object({ name: z.string(), pid: z.int().positive(), mark: z.string() });

const CloudAddress = z.object({
  arm: z.string(),
  authority: z.string(),
  admin: z.string(),
  front: z.string(),
  /** For clients on machines that do not resolve names below `localhost`. */
  proxy: z.string().optional(),
  ca: z.string(),
  tenantId: z.string(),
  subscriptionId: z.string(),
  clientId: z.string(),
  clientSecret: z.string(),
});
export type CloudAddress = z.infer<typeof CloudAddress>;

/** Returns the variables of Azure's own tools for a local cloud: its address and credentials. */
export function cloudEnvironment(cloud: CloudAddress): Record<string, string> {
  return {
    AZURE_TENANT_ID: cloud.tenantId,
    AZURE_CLIENT_ID: cloud.clientId,
    AZURE_CLIENT_SECRET: cloud.clientSecret,
    AZURE_AUTHORITY_HOST: cloud.authority,
    AZURE_RESOURCE_MANAGER_ENDPOINT: cloud.arm,
    AZURE_SUBSCRIPTION_ID: cloud.subscriptionId,
    NODE_EXTRA_CA_CERTS: cloud.ca,
    REQUESTS_CA_BUNDLE: cloud.ca,
    // Otherwise az would ask Microsoft's servers to confirm the authority.
    AZURE_CORE_INSTANCE_DISCOVERY: 'false',
  };
}

const StackState = z.object({
  /** The process that starts it now. Absent once it is up. */
  starter: Process.optional(),
  processes: z.array(Process),
  temporal: z.object({ address: z.string(), ui: z.string().optional() }).optional(),
  cloud: CloudAddress.optional(),
});
export type StackState = z.infer<typeof StackState>;

const fileName = 'stack.json';
/** Everything that a stack puts into its folder. */
const contents =
  /^(stack\.json|env|clients\.env|azure|az|(temporal|azure)\.log|temporal\.db(-.*)?|temporal-ports\.json)(\.new)?$/;

/**
 * Creates the folder.
 * Errors: UsageError if it cannot be created, or is something else.
 */
export async function makeHome(home: string): Promise<void> {
  try {
    await mkdir(home, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new UnderstudyError('UsageError', `cannot use "${home}" as the stack's folder: ${messageOf(error)}`);
  }
}

/**
 * Reads the state. Undefined if there is none.
 * Errors: UsageError if it is not the state of a stack.
 */
export async function readState(home: string): Promise<StackState | undefined> {
  const file = join(home, fileName);
  try {
    return StackState.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    const wrong = error instanceof z.ZodError ? 'it is not what "stack up" writes' : messageOf(error);
    throw new UnderstudyError('UsageError', `cannot read the stack's state in "${file}": ${wrong}`, {
      next: `End what runs of it, and start it again: understudy stack down --folder "${home}".`,
    });
  }
}

/** Written completely or not at all, even if we are killed. */
export function writeState(home: string, state: StackState): void {
  writeFileSync(join(home, `${fileName}.new`), JSON.stringify(state, null, 2), { mode: 0o600 });
  renameSync(join(home, `${fileName}.new`), join(home, fileName));
}

/** Removes what the stack has put into its folder, and nothing else. */
export async function removeState(home: string): Promise<void> {
  await rm(join(home, fileName), { force: true });
}

/**
 * Removes what a stack created, and the folder if nothing else is in it. Returns what was left, because it is not ours.
 */
export async function purge(home: string): Promise<string[]> {
  const names = await readdir(home).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (names === undefined) return [];
  const others = names.filter((name) => !contents.test(name));
  for (const name of names) {
    if (contents.test(name)) await rm(join(home, name), { recursive: true, force: true });
  }
  if (others.length === 0) await rmdir(home);
  return others;
}

/**
 * Returns processes that use this folder, whatever its state says: it may have been removed or overwritten while they
 * ran. Empty if the machine has no `ps`.
 */
export async function findStrays(home: string): Promise<Started[]> {
  const listed = await promisify(execFile)('ps', ['-axww', '-o', 'pid=,args='], {
    maxBuffer: 64 << 20,
  }).catch(() => undefined);
  if (listed === undefined) return [];
  return listed.stdout.split('\n').flatMap((line) => {
    const [, pid, args] = /^\s*(\d+)\s+(.*)$/.exec(line) ?? [];
    if (pid === undefined || args === undefined || Number(pid) === process.pid) return [];
    const name = nameOf(args, home);
    return name === undefined ? [] : identify(name, Number(pid));
  });
}

/** Recognizes a process by the arguments that we start it with. */
function nameOf(args: string, home: string): string | undefined {
  const has = (argument: string) => `${args} `.includes(` ${argument} `);
  if (has(`--db-filename ${join(home, 'temporal.db')}`)) return 'temporal';
  if (has(`--state ${join(home, 'azure')}`)) return 'azure';
  if (args.includes('azurite-process') && has(join(home, 'azure', 'azurite'))) return 'azurite';
  return undefined;
}
