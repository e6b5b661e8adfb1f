/** Two workspaces in memory, one with unfinished jobs, and a context to act in. */
import type { Azure, ArmResource, JsonObject } from '../../src/azure/azure.ts';
import { datastoreUri, type ReferenceMapping } from '../../src/azure/ids.ts';
import type { AssetLine } from '../../src/recovery-point/manifest.ts';
import type { Brought, CheckpointToBring } from '../../src/checkpoints/bring-checkpoint.ts';
import { resumeFolder } from '../../src/workspace/checkpoint.ts';
import {
  specFolder,
  toLedgerEntry,
  type LedgerCheckpoint,
  type LedgerEntry,
} from '../../src/ledger/ledger.ts';
import type { ResubmitSources } from '../../src/jobs/resubmit.ts';
import type { RecoveryPointRef, Step } from '../../src/plan/plan.ts';
import type { Progress, StepContext } from '../../src/run/work/step-context.ts';
import { sideOf, workspaceId } from '../../src/topology/sides.ts';
import { Topology, type TopologyInput } from '../../src/topology/topology.ts';
import { fakeArm } from '../fakes/arm.ts';
import { fakeControlStore } from '../fakes/control-store.ts';

export const east = { subscriptionId: 'sub-1', resourceGroup: 'ml-east', name: 'fraud-east' };
export const west = { subscriptionId: 'sub-1', resourceGroup: 'ml-west', name: 'fraud-west' };
export const eastId = workspaceId(east);
export const westId = workspaceId(west);
const recoveryPoint: RecoveryPointRef = {
  id: '2026-11-21T10-00-00.000Z-e1',
  digest: 'd',
  startedAt: '2026-11-21T10:00:00.000Z',
};

export const mapping: ReferenceMapping = {
  from: { ...east, location: 'eastus' },
  to: { ...west, location: 'westus3' },
  compute: { 'gpu-east': 'gpu-west' },
  storage: [],
};

export function topologyWith(more: Partial<TopologyInput> = {}): Topology {
  return Topology.parse({
    name: 'fraud',
    regions: { eastus: { workspace: east }, westus3: { workspace: west } },
    controlStore: { subscriptionId: 'sub-1', resourceGroup: 'control', storageAccount: 'frauddrcontrol' },
    jobs: { priority: ['high', 'normal', 'low'], compute: { 'gpu-east': 'gpu-west' } },
    policies: { fenceDeadline: '2s', probeDeadline: '5s', smokeDeadline: '5s', jobBatch: 2 },
    ...more,
  });
}

export function command(more: JsonObject = {}): JsonObject {
  return {
    jobType: 'Command',
    status: 'Running',
    displayName: 'Train',
    experimentName: 'fraud',
    command: 'python train.py --resume ${{inputs.resume_from}}',
    codeId: `${eastId}/codes/c/versions/1`,
    environmentId: `${eastId}/environments/e/versions/1`,
    computeId: `${eastId}/computes/gpu-east`,
    inputs: { data: { jobInputType: 'uri_folder', mode: 'Download', uri: `${eastId}/data/d/versions/2` } },
    outputs: { checkpoints: { jobOutputType: 'uri_folder', mode: 'ReadWriteMount', uri: null } },
    tags: { owner: 'ana', priority: 'normal' },
    properties: { 'mlflow.runid': 'x', kept: 'yes' },
    ...more,
  };
}

/** Where the copy of a checkpoint is that was brought for `successor`. */
export function resumeUri(
  successor: string,
  { datastore, recoveryPoint }: Pick<LedgerCheckpoint, 'datastore' | 'recoveryPoint'>,
  standby = west,
): string {
  return datastoreUri(standby, datastore, `${resumeFolder(successor, recoveryPoint)}/`);
}

export interface Scene {
  arm: ReturnType<typeof fakeArm>;
  store: ReturnType<typeof fakeControlStore>;
  ledger: LedgerEntry[];
  /** Of the recovery point. */
  assets: AssetLine[];
  sources: ResubmitSources;
  /** Names of those for whom a checkpoint was brought, in order. */
  brought: string[];
  /** Why a checkpoint cannot be brought, by the path it was written to. */
  damaged: Map<string, string>;
  progress: Progress[];
  addJob(name: string, properties: JsonObject, checkpoint?: LedgerCheckpoint): Promise<LedgerEntry>;
  context(more?: Partial<StepContext>): StepContext;
  /** A context whose plan stops the old jobs: their resumption waits for what that says of them. */
  fencing(more?: Partial<StepContext>): StepContext;
  /** Successors in the standby. */
  successors(): ArmResource[];
}

export function scene(topology: Topology = topologyWith()): Scene {
  const arm = fakeArm();
  const store = fakeControlStore();
  const ledger: LedgerEntry[] = [];
  const assets: AssetLine[] = [];
  const progress: Progress[] = [];
  const brought: string[] = [];
  const damaged = new Map<string, string>();
  const bring = ({ checkpoint, successor }: CheckpointToBring): Promise<Brought> => {
    brought.push(successor);
    const missing = damaged.get(checkpoint.path);
    if (missing !== undefined) return Promise.resolve({ missing, files: checkpoint.files - 1 });
    const standby = sideOf(topology, 'westus3').workspace;
    return Promise.resolve({ uri: resumeUri(successor, checkpoint, standby), files: checkpoint.files });
  };
  for (const compute of ['gpu-west', 'cpu']) {
    arm.add(`${westId}/computes/${compute}`, {
      properties: { computeType: 'AmlCompute', provisioningState: 'Succeeded' },
    });
  }
  const store1 = { properties: { datastoreType: 'AzureBlob', accountName: 'west', containerName: 'c' } };
  arm.add(`${westId}/datastores/workspaceblobstore`, store1);
  const context = (more: Partial<StepContext> = {}): StepContext => ({
    run: {
      runId: 'run-1',
      topology: 'fraud',
      operation: 'failover',
      from: 'eastus',
      to: 'westus3',
      plan: 'p',
      bundle: 'b',
      reason: 'test',
      triggeredBy: 'ana',
      state: 'running',
      triggeredAt: '2026-11-21T10:10:00.000Z',
    },
    plan: {
      operation: 'failover',
      topology: 'fraud',
      bundle: 'b',
      from: 'eastus',
      to: 'westus3',
      recoveryPoint,
      madeInEpoch: 1,
      steps: [],
      notes: [],
    },
    step: {
      id: 'resume/training/jobs',
      phase: 'resume',
      class: 'training',
      action: 'resubmitJobs',
      title: '',
      needs: [],
      input: {},
      undoable: false,
    },
    topology,
    from: sideOf(topology, 'eastus'),
    to: sideOf(topology, 'westus3'),
    azure: { arm } as unknown as Azure,
    store,
    bundle: { topology, templates: {} },
    signal: new AbortController().signal,
    checkpoint: (each) => {
      progress.push(each);
      return Promise.resolve();
    },
    cursor: undefined,
    outcomeOf: () => Promise.resolve(undefined),
    keepUndo: async (make) => make(),
    now: () => new Date('2026-11-21T10:12:00.000Z'),
    ...more,
  });
  return {
    arm,
    store,
    ledger,
    assets,
    progress,
    brought,
    damaged,
    context,
    fencing: (more) => {
      const { plan, step, ...rest } = context(more);
      const stop: Step = { ...step, id: 'fence/platform/jobs', phase: 'fence', action: 'stopOldJobs' };
      return { ...rest, step, plan: { ...plan, steps: [stop, step] } };
    },
    sources: {
      async *readLedger() {
        yield* structuredClone(ledger);
      },
      mapping: () => Promise.resolve(mapping),
      async *datastores() {
        yield {
          id: '',
          name: 'workspaceblobstore',
          type: '',
          properties: { accountName: 'east', containerName: 'c' },
        };
      },
      lost: () => Promise.resolve(new Map()),
      async *assets() {
        yield* assets;
      },
      checkpoints: () => bring,
    },
    async addJob(name, properties, checkpoint) {
      const id = `${eastId}/jobs/${name}`;
      const job = arm.add(id, {
        properties,
        systemData: { createdAt: '2026-11-21T08:00:00.000Z', createdBy: 'ana' },
      });
      const entry = toLedgerEntry({
        job,
        side: sideOf(topology, 'eastus'),
        lastSeenAt: '2026-11-21T10:00:05.000Z',
        spec: await store.seal(specFolder, job),
        ...(checkpoint ? { checkpoint } : {}),
      });
      ledger.push(entry);
      return entry;
    },
    successors: () =>
      [...arm.resources]
        .filter(([key]) => key.startsWith(`${westId}/jobs/us-`.toLowerCase()))
        .map(([, job]) => job),
  };
}
