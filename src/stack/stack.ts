/**
 * The embedded stack: a real Temporal server on a file, and a local Azure in front of Azurite, on free ports, with all
 * state under one folder. What was there before is used again. This is the product's one door to the local Azure, and it
 * only starts it as a program.
 */
import { mkdir, open, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Connection } from '@temporalio/client';
import { UnderstudyError, messageOf } from '../errors/error.ts';
import { searchAttributes } from '../plan/search-attributes.ts';
import { isRunning, start, stop, type Started } from './processes.ts';
import { findTemporal, type Say } from './temporal-server.ts';

export const defaultFolder = '.understudy';

export interface Stack {
  processes: Started[];
  temporal: { address: string; ui?: string };
  cloud: CloudAddress;
}

interface CloudAddress {
  arm: string;
  authority: string;
  admin: string;
  front: string;
  ca: string;
  tenantId: string;
  subscriptionId: string;
  clientId: string;
  clientSecret: string;
}

const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const startSeconds = 60;

export interface UpOptions {
  folder: string;
  say: Say;
  /** More arguments of the local Azure's program, such as `--pace 0.5`. */
  cloudArguments?: string[];
}

/** Starts what does not run yet; answers when all of it is healthy. Nothing is left running if anything fails. */
export async function stackUp({ folder, say, cloudArguments = [] }: UpOptions): Promise<Stack> {
  const home = resolve(folder);
  await mkdir(home, { recursive: true, mode: 0o700 });
  const before = await readStack(home);
  if (before?.processes.every(isRunning) === true) {
    say(`the stack runs already (${home})`);
    return before;
  }
  if (before) await stopAll(before.processes);
  const processes: Started[] = [];
  const keep = (started: Started) => {
    processes.push(started);
    return started;
  };
  try {
    // Both are waited for, even if one fails: a process that is started after the clean-up would be left running.
    const [temporalUp, cloudUp] = await Promise.allSettled([
      startTemporal(home, say, keep),
      startCloud(home, say, keep, cloudArguments),
    ]);
    const temporal = valueOf(temporalUp);
    const cloud = valueOf(cloudUp);
    const stack = { processes, temporal, cloud };
    await writeFile(join(home, 'stack.json'), JSON.stringify(stack, null, 2), { mode: 0o600 });
    await writeFile(join(home, 'env'), environmentFile(stack), { mode: 0o600 });
    return stack;
  } catch (error) {
    await stopAll(processes);
    throw error;
  }
}

function valueOf<T>(settled: PromiseSettledResult<T>): T {
  if (settled.status === 'rejected') throw settled.reason;
  return settled.value;
}

/** Ends every process of the stack; its state stays, unless `purge`. Answers whether there was one. */
export async function stackDown(folder: string, purge = false): Promise<boolean> {
  const home = resolve(folder);
  const stack = await readStack(home);
  if (stack) await stopAll(stack.processes);
  await rm(join(home, 'stack.json'), { force: true });
  if (purge) await rm(home, { recursive: true, force: true });
  return stack !== undefined;
}

async function readStack(home: string): Promise<Stack | undefined> {
  try {
    return JSON.parse(await readFile(join(resolve(home), 'stack.json'), 'utf8')) as Stack;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new UnderstudyError(
      'UsageError',
      `cannot read the stack's state in "${home}": ${messageOf(error)}`,
      {
        next: `Remove "${home}" and start again.`,
      },
    );
  }
}

/** The variables that any client of the stack needs, in the form that shells and --env-file read. */
export function environmentOf({ temporal, cloud }: Stack): Record<string, string> {
  return {
    TEMPORAL_ADDRESS: temporal.address,
    AZURE_TENANT_ID: cloud.tenantId,
    AZURE_CLIENT_ID: cloud.clientId,
    AZURE_CLIENT_SECRET: cloud.clientSecret,
    AZURE_AUTHORITY_HOST: cloud.authority,
    AZURE_RESOURCE_MANAGER_ENDPOINT: cloud.arm,
    AZURE_SUBSCRIPTION_ID: cloud.subscriptionId,
    NODE_EXTRA_CA_CERTS: cloud.ca,
    REQUESTS_CA_BUNDLE: cloud.ca,
  };
}

function environmentFile(stack: Stack): string {
  return Object.entries(environmentOf(stack))
    .map(([name, value]) => `export ${name}="${value}"\n`)
    .join('');
}

async function startTemporal(
  home: string,
  say: Say,
  keep: (started: Started) => Started,
): Promise<Stack['temporal']> {
  const given = process.env.TEMPORAL_ADDRESS;
  if (given !== undefined && given !== '') {
    await temporalAnswers(given, () => true);
    say(`Temporal: using ${given} (TEMPORAL_ADDRESS)`);
    return { address: given };
  }
  const binary = await findTemporal(say);
  const [port, uiPort] = await keptPorts(join(home, 'temporal-ports.json'), 2);
  const started = keep(
    start({
      name: 'temporal',
      command: binary,
      args: [
        ['server', 'start-dev', '--ip', '127.0.0.1', '--port', String(port), '--ui-port', String(uiPort)],
        ['--db-filename', join(home, 'temporal.db'), '--log-level', 'error'],
        ...Object.values(searchAttributes).map((name) => ['--search-attribute', `${name}=Keyword`]),
      ].flat(),
      log: join(home, 'temporal.log'),
    }),
  );
  const address = `127.0.0.1:${port}`;
  await temporalAnswers(address, () => isRunning(started), join(home, 'temporal.log'));
  say(`Temporal: ${address}`);
  return { address, ui: `http://127.0.0.1:${uiPort}` };
}

async function temporalAnswers(address: string, alive: () => boolean, log?: string): Promise<void> {
  let last = 'no answer';
  for (const until = Date.now() + startSeconds * 1000; Date.now() < until && alive(); await delay(150)) {
    try {
      const connection = await Connection.connect({ address, connectTimeout: 2000 });
      try {
        await connection.workflowService.describeNamespace({ namespace: 'default' });
        return;
      } finally {
        await connection.close();
      }
    } catch (error) {
      last = messageOf(error);
    }
  }
  throw new UnderstudyError(
    'TemporalError',
    `Temporal does not answer at ${address}: ${last}`,
    log === undefined ? {} : { next: `See ${log}.` },
  );
}

async function startCloud(
  home: string,
  say: Say,
  keep: (started: Started) => Started,
  more: string[],
): Promise<CloudAddress> {
  const state = join(home, 'azure');
  const address = join(state, 'cloud.json');
  const log = join(home, 'azure.log');
  await mkdir(state, { recursive: true });
  await rm(address, { force: true });
  const program = join(root, 'simulator', `main.${extension}`);
  const started = keep(
    start({ name: 'azure', command: process.execPath, args: [program, '--state', state, ...more], log }),
  );
  for (
    const until = Date.now() + startSeconds * 1000;
    Date.now() < until && isRunning(started);
    await delay(100)
  ) {
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

async function lastLine(file: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return text.trimEnd().split('\n').at(-1) ?? '';
}

/** Free ports, chosen once and kept, so that addresses stay the same after a restart. */
async function keptPorts(file: string, count: number): Promise<number[]> {
  try {
    const ports = JSON.parse(await readFile(file, 'utf8')) as number[];
    if (ports.length === count && (await Promise.all(ports.map(isFree))).every(Boolean)) return ports;
  } catch {
    // none kept yet
  }
  const ports: number[] = [];
  while (ports.length < count) ports.push(await freePort());
  const handle = await open(file, 'w', 0o600);
  await handle.writeFile(JSON.stringify(ports));
  await handle.close();
  return ports;
}

function freePort(): Promise<number> {
  return new Promise((resolvePort, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() =>
        address !== null && typeof address === 'object'
          ? resolvePort(address.port)
          : reject(new Error('no port')),
      );
    });
  });
}

function isFree(port: number): Promise<boolean> {
  return new Promise((answer) => {
    const server = createServer();
    server.once('error', () => answer(false));
    server.listen(port, '127.0.0.1', () => server.close(() => answer(true)));
  });
}

async function stopAll(processes: Started[]): Promise<void> {
  await Promise.all(processes.map((each) => stop(each)));
}
