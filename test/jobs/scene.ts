/** Two workspaces in memory, one with unfinished jobs, and a context to act in. */
import type { Azure, ArmResource, JsonObject } from '../../src/azure/azure.ts';
import { datastoreUri, type ReferenceMapping } from '../../src/azure/ids.ts';
import type { AssetLine, PartKind } from '../../src/recovery-point/manifest.ts';
import { digestOfSeal } from '../../src/recovery-point/recovery-point-checks.ts';
import type { BringCheckpoint, Brought, CheckpointToBring } from '../../src/checkpoints/bring-checkpoint.ts';
import { checkpointFolder } from '../../src/workspace/jobs/checkpoint.ts';
import { specFolder, toLedgerEntry, type LedgerCheckpoint, type LedgerEntry } from '../../src/ledger/ledger.ts';
import { resubmitJobs } from '../../src/jobs/resubmit-jobs.ts';
import type { RecoveryPointRef, Step } from '../../src/plan/plan.ts';
import type { StepResult } from '../../src/run/work/outcome.ts';
import type { Progress, StepContext } from '../../src/run/work/step-context.ts';
import type { Standby } from '../../src/standby/standby.ts';
import { sideOf, workspaceId } from '../../src/topology/sides.ts';
import { Topology, type TopologyInput } from '../../src/topology/topology.ts';
import { fakeArm } from '../fakes/arm.ts';
import { fakeControlStore } from '../fakes/control-store.ts';
import { seal } from '../recovery-point/sealed.ts';

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
  return datastoreUri(standby, datastore, `${checkpointFolder(successor, recoveryPoint)}/`);
}

const eastStore: ArmResource = {
  id: '',
  name: 'workspaceblobstore',
  type: '',
  properties: { datastoreType: 'AzureBlob', accountName: 'east', containerName: 'c' },
};
const account = { name: 'west', endpoint: 'https://west.blob.core.windows.net/' } as Standby['account'];

export interface Scene {
  arm: ReturnType<typeof fakeArm>;
  store: ReturnType<typeof fakeControlStore>;
  ledger: LedgerEntry[];
  /** Of the recovery point. */
  assets: AssetLine[];
  readLedger: () => AsyncIterable<LedgerEntry>;
  /**
   * The action, with a sealed recovery point of what the scene holds. Checkpoints are brought by the scene's own
   * `bring`, or another.
   */
  resubmit: (context?: StepContext, bring?: BringCheckpoint) => Promise<StepResult>;
  /** Brings checkpoints as `damaged` says. */
  bring: BringCheckpoint;
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
  arm.add(westId, {
    properties: { workspaceId: 'guid-west', storageAccount: '/accounts/west' },
    location: 'westus3',
  });
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
    azure: { arm, blobAccount: () => Promise.resolve(account) } as unknown as Azure,
    store,
    bundle: { topology, templates: {} },
    signal: new AbortController().signal,
    checkpoint: (each) => {
      progress.push(each);
      return Promise.resolve();
    },
    cursor: undefined,
    outcomeOf: () => Promise.resolve(undefined),
    recordUndo: async (make) => make(),
    now: () => new Date('2026-11-21T10:12:00.000Z'),
    ...more,
  });
  const points = new Map<string, Promise<RecoveryPointRef>>();
  const sealed = (): Promise<RecoveryPointRef> => {
    const what = JSON.stringify([ledger, assets]);
    const known = points.get(what) ?? sealAt(`2026-11-21T10:00:0${points.size}.000Z`);
    points.set(what, known);
    return known;
  };
  const sealAt = async (startedAt: string): Promise<RecoveryPointRef> => {
    const of = (type: PartKind) => assets.filter((each) => each.type === type);
    const workspace = sideOf(topology, 'eastus').workspace;
    const point = await seal(store, startedAt, {
      jobs: ledger,
      more: { datastores: [eastStore], data: of('data'), components: of('components') },
      change: (content) => ({ ...content, workspace: { ...content.workspace, ...workspace } }),
    });
    return { id: point.id, digest: digestOfSeal(point), startedAt };
  };
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
    bring,
    async *readLedger() {
      yield* structuredClone(ledger);
    },
    async resubmit(given = context(), by = bring) {
      const { plan, ...rest } = given;
      return resubmitJobs({ ...rest, plan: { ...plan, recoveryPoint: await sealed() } }, () => by);
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
      [...arm.resources].filter(([key]) => key.startsWith(`${westId}/jobs/us-`.toLowerCase())).map(([, job]) => job),
  };
}
