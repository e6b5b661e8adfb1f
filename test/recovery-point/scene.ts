/**
 * Two workspaces on a local Azure, the product's own connection to it, and a harness that carries out steps as a run
 * would.
 */
import { readFileSync } from 'node:fs';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { apiVersions, type Azure, type BlobAccount } from '../../src/azure/azure.ts';
import { cloudFrom, credentialFrom } from '../../src/azure/cloud.ts';
import { connectAzure } from '../../src/azure/connect.ts';
import type { ActionName } from '../../src/plan/actions.ts';
import type { Plan, RecoveryPointRef, Step } from '../../src/plan/plan.ts';
import type { StepResult } from '../../src/run/work/outcome.ts';
import type { Action, Progress, StepContext } from '../../src/run/work/step-context.ts';
import { copyBlobs } from '../../src/blobs/copy-blobs.ts';
import { escrowSecrets } from '../../src/secrets/escrow-secrets.ts';
import { listActive } from '../../src/inventory/list-active.ts';
import { sealRecoveryPoint } from '../../src/inventory/seal-recovery-point.ts';
import { sideOf } from '../../src/topology/sides.ts';
import { Topology, type TopologyInput } from '../../src/topology/topology.ts';
import { cloudEnvironment } from '../../src/stack/state.ts';
import { fakeControlStore, type FakeControlStore } from '../fakes/control-store.ts';
import { makeWorkspace, startFixture, type Fixture } from '../simulator/machinelearning/fixture.ts';

export interface Scene {
  fixture: Fixture;
  azure: Azure;
  store: FakeControlStore;
  topology: Topology;
  /** ARM ids of the workspaces. */
  east: string;
  west: string;
  eastAccount: BlobAccount;
  westAccount: BlobAccount;
  /** The container behind `workspaceblobstore`. */
  eastContainer: string;
  westContainer: string;
  vaults: { eastus: string; westus3: string };
  run(options?: RunOptions): TestRun;
  close(): Promise<void>;
}

interface RunOptions {
  operation?: Plan['operation'];
  /** From westus3 to eastus. */
  back?: boolean;
  recoveryPoint?: RecoveryPointRef;
  epoch?: number;
  topology?: Partial<TopologyInput>;
  /** Called at each checkpoint. */
  onCheckpoint?: (progress: Progress) => void | Promise<void>;
  steps?: Step[];
  runId?: string;
}

export interface TestRun {
  runId: string;
  outcomes: Map<string, StepResult>;
  /** What the last `checkpoint` of a step was given. */
  cursors: Map<string, unknown>;
  undos: Map<string, unknown>;
  context(step: Step): StepContext;
  /** Carries out one step and records its outcome. */
  step(id: string, action: ActionName, implementation: Action, input?: Record<string, unknown>): Promise<StepResult>;
}

/** A step that belongs to no plan. */
export function stepOf(id: string, action: ActionName, more: Partial<Step> = {}): Step {
  return { id, class: 'platform', action, title: id, needs: [], input: {}, undoable: false, ...more };
}

let runs = 0;

export async function startScene(): Promise<Scene> {
  const ordinary = getCACertificates('default');
  const fixture = await startFixture();
  const { address } = fixture.running;
  setDefaultCACertificates([...ordinary, readFileSync(address.ca, 'utf8')]);
  const environment = cloudEnvironment(address);
  const azure = connectAzure({
    credential: credentialFrom(environment),
    cloud: cloudFrom(environment),
    requestTimeoutMs: 3000,
  });
  const east = await makeWorkspace(fixture, 'eastus', 'fraud-east');
  const west = await makeWorkspace(fixture, 'westus3', 'fraud-west');
  const [eastSide, westSide] = await Promise.all([sideFacts(azure, east), sideFacts(azure, west)]);
  const workspace = (region: string, name: string) => ({
    workspace: { subscriptionId: address.subscriptionId, resourceGroup: `ml-${region}`, name },
  });
  const vaults = { eastus: eastSide.vault, westus3: westSide.vault };
  const base: TopologyInput = {
    name: 'fraud',
    regions: { eastus: workspace('eastus', 'fraud-east'), westus3: workspace('westus3', 'fraud-west') },
    controlStore: {
      subscriptionId: address.subscriptionId,
      resourceGroup: 'control',
      storageAccount: 'frauddrcontrol',
    },
    escrow: { vaults },
  };
  const store = fakeControlStore();
  return {
    fixture,
    azure,
    store,
    topology: Topology.parse(base),
    east,
    west,
    eastAccount: eastSide.account,
    westAccount: westSide.account,
    eastContainer: eastSide.container,
    westContainer: westSide.container,
    vaults,
    run: (options = {}) => startRun(azure, store, Topology.parse({ ...base, ...options.topology }), options),
    async close() {
      setDefaultCACertificates(ordinary);
      await fixture.close();
    },
  };
}

async function sideFacts(
  azure: Azure,
  id: string,
): Promise<{ account: BlobAccount; container: string; vault: string }> {
  const { properties } = await azure.arm.get(id, apiVersions.machineLearning);
  const vault = await azure.arm.get(textField(properties, 'keyVault'), apiVersions.keyVault);
  const datastore = await azure.arm.get(`${id}/datastores/workspaceblobstore`, apiVersions.machineLearning);
  return {
    account: await azure.blobAccount(textField(properties, 'storageAccount')),
    container: textField(datastore.properties, 'containerName'),
    vault: textField(vault.properties, 'vaultUri'),
  };
}

function startRun(azure: Azure, store: FakeControlStore, topology: Topology, options: RunOptions): TestRun {
  const runId = options.runId ?? `run-${++runs}`;
  const steps = options.steps ?? [];
  const plan: Plan = {
    operation: options.operation ?? 'replicate',
    topology: topology.name,
    bundle: 'b',
    from: options.back ? 'westus3' : 'eastus',
    to: options.back ? 'eastus' : 'westus3',
    madeInEpoch: options.epoch ?? 1,
    steps,
    notes: [],
    ...(options.recoveryPoint ? { recoveryPoint: options.recoveryPoint } : {}),
  };
  const self: TestRun = {
    runId,
    outcomes: new Map(),
    cursors: new Map(),
    undos: new Map(),
    context: (step) => ({
      run: {
        runId,
        topology: topology.name,
        operation: plan.operation,
        from: plan.from,
        to: plan.to,
        plan: 'p',
        bundle: 'b',
        reason: 'a test',
        triggeredBy: 'a test',
        state: 'running',
        triggeredAt: new Date().toISOString(),
      },
      plan,
      step,
      topology,
      from: sideOf(topology, plan.from),
      to: sideOf(topology, plan.to),
      azure,
      store,
      bundle: { topology, templates: {} },
      signal: new AbortController().signal,
      cursor: self.cursors.get(step.id),
      async checkpoint(progress) {
        if (progress.cursor !== undefined) self.cursors.set(step.id, progress.cursor);
        await options.onCheckpoint?.(progress);
      },
      outcomeOf: ({ id }) => Promise.resolve(self.outcomes.get(id)),
      async recordUndo<T>(make: () => T | Promise<T>) {
        if (!self.undos.has(step.id)) self.undos.set(step.id, await make());
        return self.undos.get(step.id) as T;
      },
      now: () => new Date(),
    }),
    async step(id, action, implementation, input = {}) {
      const step = stepOf(id, action, { class: 'data', input });
      if (!steps.some((each) => each.id === id)) steps.push(step);
      const result = await implementation(self.context(step));
      self.outcomes.set(id, result);
      return result;
    },
  };
  return self;
}

/**
 * A whole `replicate`, as its plan would run it. Answers the reference of the recovery point, and each step's result.
 */
export async function replicate(run: TestRun): Promise<{
  ref: RecoveryPointRef;
  list: StepResult;
  copy: StepResult;
  escrow: StepResult;
  seal: StepResult;
}> {
  const list = await run.step('list', 'listActive', listActive);
  const copy = await run.step('copy', 'copyBlobs', copyBlobs);
  const escrow = await run.step('escrow', 'escrowSecrets', escrowSecrets);
  const seal = await run.step('seal', 'sealRecoveryPoint', sealRecoveryPoint);
  const { recoveryPoint, digest, startedAt } = seal.facts ?? {};
  return {
    ref: { id: String(recoveryPoint), digest: String(digest), startedAt: String(startedAt) },
    list,
    copy,
    escrow,
    seal,
  };
}

export async function upload(account: BlobAccount, container: string, path: string, content: string): Promise<void> {
  const client = account.container(container);
  await client.createIfNotExists();
  await client.getBlockBlobClient(path).upload(content, Buffer.byteLength(content), {
    blobHTTPHeaders: { blobContentType: 'text/plain' },
    metadata: { origin: 'test' },
  });
}

export async function textOf(account: BlobAccount, container: string, path: string): Promise<string | undefined> {
  const client = account.container(container).getBlobClient(path);
  if (!(await client.exists())) return undefined;
  return (await client.downloadToBuffer()).toString();
}

/** A field that must be text. */
export function textField(properties: Record<string, unknown>, name: string): string {
  const value = properties[name];
  if (typeof value !== 'string') throw new Error(`${name}: expected text, got ${JSON.stringify(value)}`);
  return value;
}
