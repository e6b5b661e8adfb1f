/** The worker: executes runs. With `host`, only what that host alone can see (its config files). */
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  bundleWorkflowCode,
  DefaultLogger,
  makeTelemetryFilterString,
  NativeConnection,
  Runtime,
  Worker,
  type WorkerOptions as TemporalWorkerOptions,
} from '@temporalio/worker';
import { createActivities, type ActivityDependencies } from '../activities/index.ts';
import { temporalSettings } from './client/connect.ts';
import { UnderstudyError, messageOf } from './errors/error.ts';
import { hostQueue, taskQueue } from './plan/queues.ts';
import { namesItsStep, workerLogger } from './worker-log.ts';

/** What a worker is made of. */
export interface WorkerOptions extends ActivityDependencies {
  /** Serves this host's queue rather than the common one. */
  host?: string;
  /** Where the compiled workflows are kept between starts. */
  cacheDirectory: string;
  log: (line: string) => void;
}

const coreLogs = makeTelemetryFilterString({ core: 'WARN', other: 'ERROR' });

const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Connects, and returns the worker ready to run. TemporalError if Temporal does not answer. */
export async function makeWorker(options: WorkerOptions): Promise<Worker> {
  // Ctrl-C and SIGTERM are the caller's to handle: it stops the worker and then its own things.
  Runtime.install({
    shutdownSignals: [],
    logger: workerLogger(options.log),
    // What Temporal's core has to say comes through the same logger, and not past it.
    telemetryOptions: { logging: { forward: {}, filter: coreLogs } },
  });
  const { address, namespace, connection: settings } = temporalSettings();
  const connection = await connect({ ...settings, address }).catch((error: unknown) => {
    throw new UnderstudyError('TemporalError', `cannot reach Temporal at ${address}: ${messageOf(error)}`, {
      next: 'Start it ("understudy stack up" starts a local one), or set TEMPORAL_ADDRESS to where it is.',
    });
  });
  const activities = createActivities(options);
  const common = {
    connection,
    namespace,
    interceptors: { activity: [namesItsStep] },
    // A step killed in mid-work goes on from its last heartbeat only if that one was sent.
    maxHeartbeatThrottleInterval: '500ms',
    defaultHeartbeatThrottleInterval: '500ms',
    shutdownGraceTime: '2s',
  } satisfies Partial<TemporalWorkerOptions>;
  if (options.host !== undefined) {
    const { rewriteConfigs, undoStep, lookAtConfigs } = activities;
    return Worker.create({
      ...common,
      taskQueue: hostQueue(options.host),
      activities: { rewriteConfigs, undoStep, lookAtConfigs },
    });
  }
  return Worker.create({
    ...common,
    taskQueue,
    activities: { ...activities },
    workflowBundle: { codePath: await compiledWorkflows(options.cacheDirectory) },
    // A workflow whose worker died is taken up by another after a second, rather than ten.
    stickyQueueScheduleToStartTimeout: '1s',
  });
}

function connect(options: NonNullable<Parameters<typeof NativeConnection.connect>[0]>): Promise<NativeConnection> {
  return NativeConnection.connect(options);
}

/** What a bundle of the workflows is made with, and what it holds: each release of it makes another one. */
const bundledBy = ['@temporalio/worker', '@temporalio/workflow'];

/** Compiles the workflows once for each state of their sources and each version of Temporal's SDK; returns the file. */
async function compiledWorkflows(cacheDirectory: string): Promise<string> {
  const file = join(cacheDirectory, `workflows-${(await digestOfSources()).slice(0, 16)}.js`);
  try {
    await readFile(file);
    return file;
  } catch {
    // not compiled yet
  }
  const { code } = await bundleWorkflowCode({
    workflowsPath: join(root, 'workflows', `index.${extension}`),
    logger: new DefaultLogger('ERROR'),
  });
  await mkdir(cacheDirectory, { recursive: true });
  const temporary = `${file}.${process.pid}`;
  await writeFile(temporary, code);
  await rename(temporary, file);
  return file;
}

/** The key of the cached workflow bundle: it changes with the sources and with the versions of the SDK. */
export async function digestOfSources(versionOf = installedVersion): Promise<string> {
  const hash = createHash('sha256');
  for (const name of bundledBy) hash.update(`${name}@${versionOf(name)}\n`);
  for (const folder of ['workflows', 'src/plan', 'src/topology', 'src/run']) {
    const names = (await readdir(join(root, folder), { recursive: true })).filter((name) =>
      name.endsWith(`.${extension}`),
    );
    for (const name of names.toSorted()) hash.update(await readFile(join(root, folder, name)));
  }
  return hash.digest('hex');
}

function installedVersion(name: string): string {
  return (createRequire(import.meta.url)(`${name}/package.json`) as { version: string }).version;
}
