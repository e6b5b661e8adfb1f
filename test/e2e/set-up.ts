/**
 * What every scene begins with: the stack with the example in two regions and a recovery point, made by the commands
 * that a user would type.
 */
import { existsSync } from 'node:fs';
import { cp, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { parseEnv } from 'node:util';
import { Connection } from '@temporalio/client';
import { keptPorts } from '../../src/stack/ports.ts';
import { start, stop } from '../../src/stack/processes.ts';
import { environmentOf, stackDown, stackUp, type Stack } from '../../src/stack/stack.ts';
import { findTemporal } from '../../src/stack/temporal-server.ts';
import { Running, waitFor } from './processes.ts';
import { makeWorkerPrincipal } from './worker-role.ts';

export const root = dirname(dirname(import.meta.dirname));
export const program = join(root, 'bin', 'understudy.mjs');

/** Secrets that are planted. */
export const canaries = { feedToken: 'canary-3f7b1d-feed-token-9c' };

/**
 * The local Azure's clock runs faster than ours, so that jobs and operations take less of our time; its tokens do not
 * expire sooner for that.
 */
const cloudArguments = ['--pace', '0.1', '--speed', '4', '--token-seconds', '1200'];

/** The stack of a scene. */
export function up(folder: string): Promise<Stack> {
  return stackUp({ folder: join(folder, 'stack'), say: () => undefined, cloudArguments });
}

/** The folder to copy: made by the first scene of a test run, stopped since. */
export async function templateOf(home: string): Promise<string> {
  const folder = join(home, 'template');
  if (existsSync(folder)) return folder;
  const made = join(home, 'template-in-the-making');
  await rm(made, { recursive: true, force: true });
  await layOut(made);
  const stack = await up(made);
  try {
    await passNight(stack);
    await fill(made, stack);
  } finally {
    await stackDown(join(made, 'stack'));
  }
  await rename(made, folder);
  return folder;
}

/**
 * The example's nightly schedule, at 05:30 or 06:30 UTC, must not create a job in the midst of a scene: their days
 * begin after it.
 */
async function passNight({ cloud }: Stack): Promise<void> {
  const { clock } = (await (await fetch(`${cloud.admin}/state`)).json()) as { clock: { now: string } };
  const hour = new Date(clock.now).getUTCHours();
  if (hour < 2 || hour > 6) return;
  const body = JSON.stringify({ advanceSeconds: (7 - hour) * 3600 });
  const answer = await fetch(`${cloud.admin}/clock`, { method: 'POST', body });
  if (!answer.ok) throw new Error(`the clock was not driven: HTTP ${answer.status}`);
}

async function layOut(folder: string): Promise<void> {
  const example = join(root, 'examples', 'fraud-ml');
  const desk = join(folder, 'desk', 'examples', 'fraud-ml');
  for (const name of ['cli', 'worker', 'train-01']) await mkdir(join(folder, name), { recursive: true });
  for (const name of ['understudy.yaml', 'parameters']) {
    await cp(join(example, name), join(desk, name), { recursive: true });
  }
  await cp(join(root, 'templates'), join(folder, 'desk', 'templates'), { recursive: true });
}

async function fill(folder: string, stack: Stack): Promise<void> {
  const environment = {
    PATH: process.env.PATH ?? '',
    NO_COLOR: '1',
    XDG_CACHE_HOME: join(dirname(folder), 'cache'),
    FRAUD_PYTHON_FEED_PAT: canaries.feedToken,
    ...environmentOf(stack),
  };
  const begin = (file: string, args: string[], more: NodeJS.Dict<string> = {}) =>
    new Running(file, args, {
      folder,
      environment: { ...environment, ...more },
      log: join(folder, 'set-up.log'),
    });
  const typed = async (file: string, args: string[], more: NodeJS.Dict<string> = {}) => {
    const running = begin(file, args, more);
    if ((await running.ended) !== 0) throw new Error(`the set-up failed:\n${running.output}`);
  };
  const makeData = join(root, 'examples', 'fraud-ml', 'data', 'make-data.ts');
  await typed(makeData, ['--out', 'data', '--megabytes', '0.5', '--small-files', '12']);
  const clients = join('train-01', 'clients');
  await typed(join(root, 'examples', 'set-up.ts'), [
    '--clients',
    clients,
    '--environment',
    'made.env',
    '--data',
    'data',
  ]);
  const made = parseEnv(await readFile(join(folder, 'made.env'), 'utf8'));

  const worker = begin(program, ['worker']);
  try {
    await worker.says('ready');
    const topology = join(folder, 'desk', 'examples', 'fraud-ml', 'understudy.yaml');
    await typed(program, ['-t', topology, 'replicate', '--reason', 'before any test'], made);
  } finally {
    await worker.kill('SIGTERM');
  }
  await writeSettings(folder, stack, made);
}

/** What the topology asks of the environment, and a principal of its own for the worker. */
async function writeSettings(folder: string, { cloud }: Stack, made: NodeJS.Dict<string>): Promise<void> {
  const groups = ['ml-east', 'ml-west', 'ml-control', 'ml-front'];
  const worker = await makeWorkerPrincipal(cloud, groups);
  const settings = {
    SCORE_URL: made.SCORE_URL,
    EAST_VAULT: made.EAST_VAULT,
    WEST_VAULT: made.WEST_VAULT,
    WORKER_CLIENT_ID: worker.clientId,
    WORKER_CLIENT_SECRET: worker.clientSecret,
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name}="${value}"\n`);
  await writeFile(join(folder, 'settings.env'), lines.join(''));
}

/** A Temporal server that knows nothing of any run. */
export async function otherTemporal(folder: string): Promise<{ address: string; stop: () => Promise<void> }> {
  const [port, uiPort] = await keptPorts(join(folder, 'ports.json'), 2);
  const args = [
    'server',
    'start-dev',
    '--ip',
    '127.0.0.1',
    '--port',
    String(port),
    '--ui-port',
    String(uiPort),
    '--log-level',
    'error',
  ];
  const started = start({
    name: 'temporal',
    command: await findTemporal(() => undefined),
    args,
    log: join(folder, 'temporal.log'),
  });
  const address = `127.0.0.1:${port}`;
  await waitFor(`Temporal at ${address}`, () =>
    Connection.connect({ address, connectTimeout: 1000 }).then(
      (connection) => connection.close().then(() => true),
      () => false,
    ),
  );
  return { address, stop: () => stop(started) };
}
