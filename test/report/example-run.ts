/**
 * A failover as its journal has it, for the tests of the report: some of it went wrong, and every kind of record is
 * there.
 */
import type { Plan, Step } from '../../src/plan/plan.ts';
import type { ActionName } from '../../src/plan/actions.ts';
import type { ReportInput } from '../../src/report/report.ts';
import type { StepRecord } from '../../src/run/work/outcome.ts';
import { Topology } from '../../src/topology/topology.ts';
import type { Phase, ResourceClass } from '../../src/topology/words.ts';

const triggeredMs = Date.parse('2026-11-21T10:00:00.000Z');

/** ISO time so many seconds after the trigger. */
export function at(seconds: number): string {
  return new Date(triggeredMs + seconds * 1000).toISOString();
}

export const topology = Topology.parse({
  name: 'fraud-ml',
  regions: {
    eastus: { workspace: { subscriptionId: 'sub', resourceGroup: 'ml-east', name: 'fraud-east' } },
    westus3: { workspace: { subscriptionId: 'sub', resourceGroup: 'ml-west', name: 'fraud-west' } },
  },
  controlStore: { subscriptionId: 'sub', resourceGroup: 'control', storageAccount: 'frauddrcontrol' },
  objectives: {
    inference: { rto: '5m', rpo: '15m' },
    training: { rto: '3m', rpo: '1m' },
    data: { rpo: '1h' },
  },
});

function step(
  phase: Phase,
  name: ResourceClass,
  action: ActionName,
  title: string,
  needs: string[] = [],
  undoable = false,
): Step {
  return { id: `${phase}/${name}/${action}`, phase, class: name, action, title, needs, input: {}, undoable };
}

const pointer = 'fence/platform/takePointer';
export const plan: Plan = {
  operation: 'failover',
  topology: 'fraud-ml',
  bundle: 'b'.repeat(64),
  from: 'eastus',
  to: 'westus3',
  recoveryPoint: { id: '2026-11-21T09-50-00.000Z-e1', digest: 'd'.repeat(64), startedAt: at(-600) },
  madeInEpoch: 1,
  steps: [
    step('fence', 'platform', 'takePointer', 'Take the region pointer with epoch 2', [], true),
    step('fence', 'platform', 'stopOldJobs', 'Stop the jobs of fraud-east', [pointer]),
    step('provision', 'training', 'scaleComputes', 'Scale cpu-west to 4 nodes', [pointer], true),
    step('provision', 'inference', 'scaleDeployments', 'Scale fraud-scorer/blue to 3 instances', [pointer], true),
    step('restore', 'data', 'restoreBlobs', 'Copy 212 blobs into frauddrwest', [pointer]),
    step('restore', 'inference', 'restoreAssets', 'Register 7 models and 4 environments in fraud-west', [pointer]),
    step('configure', 'platform', 'configureConnections', 'Make the connections', [pointer]),
    step('verify', 'data', 'reconcileBlobs', 'List frauddrwest again and compare digests', [
      'restore/data/restoreBlobs',
    ]),
    step('verify', 'inference', 'scoreEndpoints', 'Score through fraud-scorer', [
      'provision/inference/scaleDeployments',
    ]),
    step('switch', 'data', 'switchServing', 'Serve data from westus3', ['verify/data/reconcileBlobs'], true),
    step(
      'switch',
      'inference',
      'shiftTraffic',
      'Send all traffic of fraud to west',
      ['verify/inference/scoreEndpoints'],
      true,
    ),
    step('switch', 'training', 'rewriteConfigs', 'Rewrite 2 config files on train-01', [pointer], true),
    step('resume', 'training', 'resubmitJobs', 'Resubmit 5 interrupted jobs', ['switch/training/rewriteConfigs']),
  ],
  notes: ['platform has no objective: nothing is measured for it'],
};

export function record(id: string, from: number, to: number, more: Partial<StepRecord> = {}): StepRecord {
  return {
    step: id,
    state: 'completed',
    holder: 'h',
    attempts: 1,
    startedAt: at(from),
    endedAt: at(to),
    detail: 'done',
    ...more,
  };
}

export const records: StepRecord[] = [
  record(pointer, 1, 3.2, { detail: 'epoch 2 taken; the old writer lease ran out after 1.9s' }),
  record('fence/platform/stopOldJobs', 3.2, 23.4, {
    detail: 'fraud-east did not answer within 20s',
    owed: [
      {
        kind: 'jobs',
        region: 'eastus',
        what: 'stop 5 unfinished jobs of fraud-east',
        reason: 'management.azure.com: connection refused',
        step: 'fence/platform/stopOldJobs',
      },
    ],
  }),
  record('provision/training/scaleComputes', 3.3, 41, { detail: 'cpu-west may have 4 nodes' }),
  record('provision/inference/scaleDeployments', 3.3, 96, { detail: '3 instances answer', attempts: 3 }),
  record('restore/data/restoreBlobs', 3.4, 78, {
    detail: '210 of 212 blobs copied (24.1 MB)',
    counts: [
      {
        kind: 'blobs',
        expected: 212,
        done: 210,
        skipped: [{ reason: 'newer in the standby', count: 1 }],
        failed: [{ reason: 'sealed as fuzzy', count: 1 }],
      },
    ],
    lost: ['blob raw/2026-11-21.csv: only an older version is in the recovery point'],
  }),
  record('restore/inference/restoreAssets', 3.4, 52, {
    detail: '11 of 11 assets registered',
    counts: [
      { kind: 'models', expected: 7, done: 7, skipped: [], failed: [] },
      { kind: 'environments', expected: 4, done: 4, skipped: [], failed: [] },
    ],
  }),
  record('configure/platform/configureConnections', 52, 52.4, {
    state: 'skipped',
    detail: 'the workspace has no connections',
  }),
  record('verify/data/reconcileBlobs', 78, 95, {
    detail: '211 of 211 blobs compared',
    counts: [{ kind: 'blobs', expected: 211, done: 211, skipped: [], failed: [] }],
  }),
  record('verify/inference/scoreEndpoints', 96, 104, { detail: '3 of 3 requests answered 200' }),
  record('switch/data/switchServing', 95, 96, { detail: 'data is served from westus3' }),
  record('switch/inference/shiftTraffic', 104, 171, {
    detail: 'west has all weight; the probe passes',
    waitedForPersonMs: 42_000,
  }),
  record('switch/training/rewriteConfigs', 41, 42.3, {
    detail: '2 of 2 config files rewritten',
    evidence: [{ kind: 'configs', blob: 'runs/r/evidence/configs.json', digest: 'c'.repeat(64) }],
  }),
  record('resume/training/resubmitJobs', 42.3, 214, {
    detail: '3 of 5 jobs resubmitted',
    counts: [
      {
        kind: 'jobs',
        expected: 5,
        done: 3,
        skipped: [{ reason: 'interactive: its owner starts it again', count: 1 }],
        failed: [{ reason: 'compute gpu-east has no counterpart', count: 1 }],
      },
    ],
    lost: ['job tune-lr-44: compute gpu-east has no counterpart in fraud-west'],
    evidence: [{ kind: 'jobs', blob: 'runs/r/evidence/jobs.json', digest: 'e'.repeat(64) }],
  }),
];

export const jobsEvidence = [
  {
    old: 'train-fraud-17',
    new: 'us-k3v9q1m0',
    class: 'resubmit',
    reason: 'was Running; its last checkpoint is copied',
    priority: 'high',
    checkpoint: 'azureml://datastores/workspaceblobstore/paths/checkpoints/train-fraud-17/epoch-12.pt',
    changes: [
      {
        place: 'properties.computeId',
        from: '/…/fraud-east/computes/cpu-east',
        to: '/…/fraud-west/computes/cpu-west',
      },
      { place: 'properties.inputs.resume_from', from: undefined, to: { uri: 'azureml://…/epoch-12.pt' } },
    ],
  },
  {
    old: 'nightly-features',
    new: 'us-p0c7t2aa',
    class: 'restart',
    reason: 'has no checkpoint',
    priority: 'low',
  },
  { old: 'sweep-depth', new: 'us-w8e1z5bb', class: 'resubmit', reason: 'was Queued' },
  { old: '<script>alert(1)</script>', class: 'manual', reason: 'interactive: its owner starts it again' },
  {
    old: 'tune-lr-44',
    class: 'manual',
    reason: 'compute gpu-east has no counterpart',
    unmapped: [{ place: 'properties.computeId', value: 'gpu-east', reason: 'not in jobs.compute' }],
  },
];

export const configsEvidence = [
  {
    host: 'train-01',
    file: '/etc/ml/config.json',
    status: 'changed',
    diff: '--- a/etc/ml/config.json\n+++ b/etc/ml/config.json\n@@ -1,5 +1,5 @@\n {\n   "subscription_id": "sub",\n-  "resource_group": "ml-east",\n-  "workspace_name": "fraud-east"\n+  "resource_group": "ml-west",\n+  "workspace_name": "fraud-west"\n }\n',
    changes: [
      { place: 'resource_group', line: 3, from: 'ml-east', to: 'ml-west' },
      { place: 'workspace_name', line: 4, from: 'fraud-east', to: 'fraud-west' },
    ],
    warnings: [{ place: 'note', line: 5, text: 'names fraud-east in a text that is left as it is' }],
    commit: '4f2a91c',
  },
  { host: 'train-01', file: '/etc/ml/.env', status: 'unchanged', diff: '', changes: [] },
];

/** A run that completed, with losses. Tests change a copy of it. */
export function exampleInput(): ReportInput {
  const evidence = (kind: 'jobs' | 'configs', step: string, content: unknown) => ({
    ...(records.find((each) => each.step === step)?.evidence?.[0] ?? { kind, blob: '', digest: '' }),
    step,
    content,
  });
  return structuredClone({
    header: {
      runId: 'failover-20261121-100000-a1',
      topology: 'fraud-ml',
      operation: 'failover',
      from: 'eastus',
      to: 'westus3',
      plan: 'a'.repeat(64),
      bundle: 'b'.repeat(64),
      reason: 'East US is down: INC-4711',
      triggeredBy: 'kim@fraud.example',
      state: 'completed',
      triggeredAt: at(0),
      outageBeganAt: at(-75),
      outageSource: 'first failed probe of https://score.fraud.example',
      recoveryPoint: '2026-11-21T09-50-00.000Z-e1',
    },
    plan,
    records,
    state: 'completed',
    endedAt: at(215),
    topology,
    evidence: [
      evidence('configs', 'switch/training/rewriteConfigs', configsEvidence),
      evidence('jobs', 'resume/training/resubmitJobs', jobsEvidence),
    ],
    recoveryPoint: {
      ...plan.recoveryPoint!,
      made: false,
      counts: { blobs: 212, models: 7, environments: 4 },
    },
    now: new Date(triggeredMs + 216_000),
  } satisfies ReportInput);
}
