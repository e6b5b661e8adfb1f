/**
 * The embedded stack: a real Temporal server on a file, and a local Azure in front of Azurite, on free ports, with all
 * state in one folder. Existing state is used again. Understudy only starts the local Azure as a program.
 */
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Connection } from '@temporalio/client';
import { isUnderstudyError, UnderstudyError, messageOf } from '../errors/error.ts';
import { searchAttributes } from '../plan/search-attributes.ts';
import { findAzureProgram } from './azure-program.ts';
import { keptPorts, readPorts } from './ports.ts';
import { identify, isRunning, start, stop, type Started } from './processes.ts';
import { cloudEnvironment, findStrays, makeHome, purge, readState, removeState, writeState } from './state.ts';
import type { CloudAddress, StackState } from './state.ts';
import { findTemporal, type Say } from './temporal-server.ts';

/** The default folder for the state of a stack. */
export const defaultFolder = '.understudy';
/** File in the folder with variables for Azure's own clients. */
export const clientsFile = 'clients.env';

/** The addresses of a stack that is up. */
export interface Stack {
  processes: Started[];
  /** Absent if only the local Azure was started. */
  temporal?: Temporal | undefined;
  cloud: CloudAddress;
}

interface Temporal {
  address: string;
  ui?: string | undefined;
}

const startSeconds = 60;
/** How long to wait for an answer of a server that is up, in milliseconds. */
const healthMs = 3000;

/** How to start a stack. */
export interface UpOptions {
  folder: string;
  say: Say;
  /** More arguments for the local Azure's program, such as `--pace 0.5`. */
  cloudArguments?: string[];
  /** Do not start Temporal. */
  azureOnly?: boolean;
  /** Aborts the start, and leaves nothing running. */
  signal?: AbortSignal;
}

/** What starting a part of the stack needs. */
interface Starting {
  home: string;
  say: Say;
  keep: (started: Started) => Started;
  signal: AbortSignal | undefined;
}

/** Starts what is not running yet. Resolves once everything is healthy. If anything fails, nothing is left running. */
export async function stackUp(options: UpOptions): Promise<Stack> {
  const { folder, say, cloudArguments = [], azureOnly = false, signal } = options;
  const home = resolve(folder);
  const program = findAzureProgram();
  await makeHome(home);
  const before = await readState(home);
  const running = before && (await upAndHealthy(before, azureOnly));
  if (running) {
    const unheard = cloudArguments.length === 0 ? '' : `; ${cloudArguments.join(' ')} waits for the next start`;
    say(`the stack runs already (${home})${unheard}`);
    return running;
  }
  await refuseSecondStarter(home, before);
  await stopAll([...(before?.processes ?? []), ...(await findStrays(home))]);
  const starter = identify('stack up', process.pid)[0];
  const processes: Started[] = [];
  const keep = (started: Started) => {
    processes.push(started);
    writeState(home, { starter, processes });
    return started;
  };
  try {
    const starting: Starting = { home, say, keep, signal };
    // Wait for both even if one fails: a process that starts after the clean-up would be left running.
    const [temporalUp, cloudUp] = await Promise.allSettled([
      azureOnly ? undefined : startTemporal(starting),
      startCloud(starting, program, cloudArguments),
    ]);
    if (signal?.aborted === true)
      throw new UnderstudyError('Declined', 'interrupted: nothing of the stack is left running');
    const stack = { processes, temporal: valueOf(temporalUp), cloud: valueOf(cloudUp) };
    await writeFile(join(home, 'env'), environmentFile(stack), { mode: 0o600 });
    await writeFile(join(home, clientsFile), environmentFile(stack) + ofClients(stack, home), {
      mode: 0o600,
    });
    writeState(home, stack);
    return stack;
  } catch (error) {
    await stopAll(processes);
    await removeState(home);
    throw error;
  }
}

/** Returns the stack if all its processes run and its servers answer. */
async function upAndHealthy(
  { processes, temporal, cloud }: StackState,
  azureOnly: boolean,
): Promise<Stack | undefined> {
  if (!cloud || !(temporal || azureOnly) || !processes.every(isRunning)) return undefined;
  try {
    if (temporal) await askTemporal(temporal.address);
    await fetch(cloud.admin, { signal: AbortSignal.timeout(healthMs) });
    return { processes, temporal, cloud };
  } catch {
    return undefined; // it hangs: started anew
  }
}

async function refuseSecondStarter(home: string, before: StackState | undefined): Promise<void> {
  if (!before?.starter || before.starter.pid === process.pid || !isRunning(before.starter)) return;
  throw new UnderstudyError(
    'UsageError',
    `the stack in "${home}" is being started already, by process ${before.starter.pid}`,
    { next: 'Wait for it.' },
  );
}

function valueOf<T>(settled: PromiseSettledResult<T>): T {
  if (settled.status === 'rejected') throw settled.reason;
  return settled.value;
}

/** The result of ending a stack. */
export interface Down {
  /** Whether anything had to be ended. */
  ended: boolean;
  /** What `purge` did not remove, because no stack had created it. */
  left: string[];
}

/** Ends every process of the stack, even if its state is lost or broken. State is kept, unless `purge`. */
export async function stackDown(folder: string, options: { purge?: boolean } = {}): Promise<Down> {
  const home = resolve(folder);
  const state = await readState(home).catch((error: unknown) => {
    if (!isUnderstudyError(error)) throw error;
    return { processes: [] } satisfies StackState; // what works on the folder is found all the same
  });
  const processes = [...(state?.processes ?? []), ...(await findStrays(home))];
  await stopAll(processes);
  await removeState(home);
  return {
    ended: state !== undefined || processes.length > 0,
    left: options.purge === true ? await purge(home) : [],
  };
}

/** Returns the variables that any client of the stack needs, as lines for shells and --env-file. */
export function environmentOf({ temporal, cloud }: Stack): Record<string, string> {
  return { ...(temporal && { TEMPORAL_ADDRESS: temporal.address }), ...cloudEnvironment(cloud) };
}

function environmentFile(stack: Stack): string {
  return Object.entries(environmentOf(stack))
    .map(([name, value]) => `export ${name}="${value}"\n`)
    .join('');
}

/**
 * What `az` and azure-ai-ml need in addition: a configuration other than the user's, and a proxy for names below
 * `localhost`, which few machines resolve. For a shell of its own: HTTPS then goes only to the local Azure.
 */
function ofClients({ cloud }: Stack, home: string): string {
  const proxy =
    cloud.proxy === undefined ? '' : `unset https_proxy NO_PROXY no_proxy\nexport HTTPS_PROXY="${cloud.proxy}"\n`;
  return `export AZURE_CONFIG_DIR="${join(home, 'az')}"\n${proxy}`;
}

async function startTemporal({ home, say, keep, signal }: Starting): Promise<Temporal> {
  const portsFile = join(home, 'temporal-ports.json');
  const given = process.env.TEMPORAL_ADDRESS;
  // An address set by "source env" is our own, which is not up: start it at the same address.
  const own = (await readPorts(portsFile)).slice(0, 1).map((port) => `127.0.0.1:${port}`);
  if (given !== undefined && given !== '' && !own.includes(given)) {
    await temporalAnswers(given, {
      seconds: 10,
      next: 'To have one started here, unset TEMPORAL_ADDRESS.',
      signal,
    });
    say(`Temporal: using ${given} (TEMPORAL_ADDRESS)`);
    return { address: given };
  }
  const binary = await findTemporal(say, signal);
  const [port, uiPort] = await keptPorts(portsFile, 2);
  const log = join(home, 'temporal.log');
  const started = keep(
    start({
      name: 'temporal',
      command: binary,
      args: [
        ['server', 'start-dev', '--ip', '127.0.0.1', '--port', String(port), '--ui-port', String(uiPort)],
        ['--db-filename', join(home, 'temporal.db'), '--log-level', 'error'],
        ...Object.values(searchAttributes).map((name) => ['--search-attribute', `${name}=Keyword`]),
      ].flat(),
      log,
    }),
  );
  const address = `127.0.0.1:${port}`;
  await temporalAnswers(address, { seconds: startSeconds, started, next: `See ${log}.`, signal });
  say(`Temporal: ${address}`);
  return { address, ui: `http://127.0.0.1:${uiPort}` };
}

async function temporalAnswers(
  address: string,
  options: { seconds: number; started?: Started; next: string; signal: AbortSignal | undefined },
): Promise<void> {
  let last = 'no answer';
  for (const until = Date.now() + options.seconds * 1000; Date.now() < until; await delay(150)) {
    options.signal?.throwIfAborted();
    if (options.started && !isRunning(options.started)) break;
    try {
      return await askTemporal(address);
    } catch (error) {
      last = messageOf(error);
    }
  }
  throw new UnderstudyError('TemporalError', `Temporal does not answer at ${address}: ${last}`, {
    next: options.next,
  });
}

async function askTemporal(address: string): Promise<void> {
  const connection = await Connection.connect({ address, connectTimeout: 2000 });
  try {
    await connection.withDeadline(Date.now() + healthMs, () =>
      connection.workflowService.describeNamespace({ namespace: 'default' }),
    );
  } finally {
    await connection.close();
  }
}

async function startCloud(
  { home, say, keep, signal }: Starting,
  program: string,
  more: string[],
): Promise<CloudAddress> {
  const state = join(home, 'azure');
  const address = join(state, 'cloud.json');
  const log = join(home, 'azure.log');
  await mkdir(state, { recursive: true });
  await rm(address, { force: true });
  const started = keep(
    start({ name: 'azure', command: process.execPath, args: [program, '--state', state, ...more], log }),
  );
  for (const until = Date.now() + startSeconds * 1000; Date.now() < until && isRunning(started); await delay(100)) {
    signal?.throwIfAborted();
    try {
      const cloud = JSON.parse(await readFile(address, 'utf8')) as CloudAddress;
      say(`Azure (local): ${cloud.arm}`);
      return cloud;
    } catch {
      // not written, or not whole, yet
    }
  }
  throw new UnderstudyError('AzureUnavailable', `the local Azure did not start: ${await lastLine(log)}`, {
    next: `See ${log}.`,
  });
}

/**
 * Returns the last line of a log, or the error that ended the program, which Node prints before a stack trace and its
 * own version.
 */
async function lastLine(file: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch(() => '');
  const lines = text.trimEnd().split('\n');
  return lines.findLast((line) => /^(Uncaught )?\w*Error\b.*:/.test(line)) ?? lines.at(-1) ?? '';
}

async function stopAll(processes: Started[]): Promise<void> {
  await Promise.all(processes.map((each) => stop(each)));
}
