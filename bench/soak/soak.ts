/** The history that is made, and what is measured on the way. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { apiVersions, type Azure } from '../../src/azure/azure.ts';
import { connectTemporal } from '../../src/client/connect.ts';
import { openSession } from '../../src/operations/session.ts';
import { startOperation } from '../../src/operations/runs/start-operation.ts';
import type { Stack } from '../../src/stack/stack.ts';
import { textField } from '../azure-fields.ts';
import type { ExampleStack } from '../example-stack.ts';
import { timed } from '../figures.ts';
import { inspect, type Held, type Inspector } from '../inspector.ts';
import { forgetPeak, peakBytes, residentBytes } from '../rss.ts';

export interface Settings {
  unchanged: number;
  changed: number;
  moves: number;
  /** Recovery points between two samples. */
  every: number;
  /** A folder; '': none are taken. */
  snapshots: string;
}

const measured = ['validate', 'status', 'plan', 'runs'] as const;
type Looking = (typeof measured)[number];
type Command = Looking | 'replicate';

export interface Sample {
  phase: 'unchanged' | 'changed' | 'moved';
  /** Recovery points so far. */
  points: number;
  /** Blobs in the control store. */
  blobs: number;
  /** Of a bare listing of these, page by page. */
  listSeconds: number;
  /** `replicate`: the last one. */
  seconds: Record<Command, number>;
  /** That each command made to the control store: no load of the machine changes them. */
  requests: Record<Looking, number>;
  /** `peak`: the most that was resident since the sample before. */
  worker: Held & { resident: number; peak: number };
  /** Of the local Azure. */
  azureResident: number;
}

/** `onSample` is told each as it is taken. */
export async function soak(
  on: ExampleStack,
  settings: Settings,
  onSample: (sample: Sample) => void,
): Promise<Sample[]> {
  const inspector = await inspect(on.worker.log);
  const samples: Sample[] = [];
  let points = 0;
  let replicateSeconds = 0;
  const quietly = await replicator(on);
  /** By the command where a sample is taken after it; else without what starting a program costs. */
  const replicate = async (isSampled: boolean) => {
    if (isSampled) replicateSeconds = await timed(() => on.understudy('replicate', '--reason', 'a benchmark'));
    else await quietly.replicate();
    points += 1;
  };
  const take = async (phase: Sample['phase']) => {
    const sample = await sampleNow(on, inspector, { phase, points, replicateSeconds });
    samples.push(sample);
    onSample(sample);
    forgetPeak(on.worker.pid);
    if (samples.length === 2) await keepSnapshot(inspector, settings, 'first');
  };
  for (let index = 0; index < settings.unchanged; index++) {
    const isSampled = index === 0 || (points + 1) % settings.every === 0;
    await replicate(isSampled);
    if (isSampled) await take('unchanged');
  }
  for (let index = 0; index < settings.changed; index++) {
    await changeBlobs(on, index);
    const isSampled = (points + 1) % settings.every === 0 || index === settings.changed - 1;
    await replicate(isSampled);
    if (isSampled) await take('changed');
  }
  for (let index = 0; index < settings.moves; index++) {
    const to = index % 2 === 0 ? 'westus3' : 'eastus';
    await on.understudy('failover', '--to', to, '--yes', '--even-if-healthy', '--reason', 'a benchmark');
    await replicate(true);
    await take('moved');
  }
  await keepSnapshot(inspector, settings, 'last');
  inspector.close();
  await quietly.close();
  return samples;
}

/** Recovery points by what the command calls. */
async function replicator({ file, settings }: ExampleStack) {
  // The topology names variables.
  Object.assign(process.env, settings);
  const session = await openSession(file, settings);
  const client = await connectTemporal();
  return {
    async replicate() {
      const trigger = { reason: 'a benchmark', triggeredAt: new Date() };
      const { handle } = await startOperation(session, client, { operation: 'replicate', trigger });
      const { state } = await handle.result();
      if (state !== 'completed') throw new Error(`a replicate is ${state}`);
    },
    close: () => client.connection.close(),
  };
}

async function keepSnapshot(inspector: Inspector, { snapshots }: Settings, name: string): Promise<void> {
  if (snapshots === '') return;
  writeFileSync(join(snapshots, `${name}.heapsnapshot`), await inspector.snapshot());
}

async function sampleNow(
  { azure, stack, worker, understudy }: ExampleStack,
  inspector: Inspector,
  { phase, points, replicateSeconds }: { phase: Sample['phase']; points: number; replicateSeconds: number },
): Promise<Sample> {
  const seconds = { replicate: replicateSeconds } as Record<Command, number>;
  const requests = {} as Record<Looking, number>;
  for (const command of measured) {
    const last = (await requestsSince(stack, 0)).at(-1)?.sequence ?? 0;
    seconds[command] = await timed(() => understudy(command));
    // Nobody else asks the control store while a sample is taken: the worker has nothing to do.
    const made = (await requestsSince(stack, last)).filter(({ path }) => path.startsWith('/frauddrcontrol/'));
    requests[command] = made.length;
  }
  let blobs = 0;
  const listSeconds = await timed(async () => (blobs = await countBlobs(azure, stack.cloud.subscriptionId)));
  // Before garbage is collected: that is what an operator sees.
  const [resident, peak] = [residentBytes(worker.pid), peakBytes(worker.pid)];
  return {
    phase,
    points,
    blobs,
    listSeconds,
    seconds,
    requests,
    worker: { resident, peak, ...(await inspector.held()) },
    azureResident: residentBytes(stack.processes.find(({ name }) => name === 'azure')?.pid ?? 0),
  };
}

interface Request {
  sequence: number;
  path: string;
}

async function requestsSince({ cloud }: Stack, sequence: number): Promise<Request[]> {
  const response = await fetch(`${cloud.admin}/requests?since=${sequence}`);
  if (!response.ok) throw new Error(`the requests could not be read: HTTP ${response.status}`);
  return ((await response.json()) as { value: Request[] }).value;
}

async function countBlobs(azure: Azure, subscriptionId: string): Promise<number> {
  const group = `/subscriptions/${subscriptionId}/resourceGroups/ml-control`;
  const account = await azure.blobAccount(`${group}/providers/Microsoft.Storage/storageAccounts/frauddrcontrol`);
  let count = 0;
  for await (const page of account.container('understudy').listBlobsFlat().byPage())
    count += page.segment.blobItems.length;
  return count;
}

/** Five of the further blobs, with other content each time. */
async function changeBlobs({ azure, stack }: ExampleStack, round: number): Promise<void> {
  const workspace = `/subscriptions/${stack.cloud.subscriptionId}/resourceGroups/ml-east/providers/Microsoft.MachineLearningServices/workspaces/fraud-east`;
  const resource = await azure.arm.get(workspace, apiVersions.machineLearning);
  const account = await azure.blobAccount(textField(resource, 'storageAccount'));
  const store = `${workspace}/datastores/workspaceblobstore`;
  const datastore = await azure.arm.get(store, apiVersions.machineLearning);
  const container = account.container(textField(datastore, 'containerName'));
  for (let index = 0; index < 5; index++) {
    const content = `blob ${index}, changed ${round + 1} times`;
    await container.getBlockBlobClient(`bench/part-${index}`).upload(content, content.length);
  }
}
