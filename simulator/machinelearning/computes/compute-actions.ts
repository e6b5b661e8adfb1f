/** POST …/computes/{name}/{action}: nodes, keys, and the starting and stopping of compute instances. */

import type { ActionResult, Call, JsonObject, Stored } from '../../contract/index.ts';
import { objectOf, textOf, workspaceIdOf } from '../bodies/fields.ts';
import { hasStarted, lifeOf, statusAt } from '../job-life/job-life.ts';
import { JOBS, nodesInUse, reschedule } from '../job-life/job-queue.ts';
import { conflict, userError } from '../bodies/refusals.ts';

/** What each action makes of a compute instance, and the states it may be asked in. */
const TRANSITIONS = {
  Start: { during: 'Starting', after: 'Running', from: ['Stopped', 'Unknown'], milliseconds: 3000 },
  Stop: {
    during: 'Stopping',
    after: 'Stopped',
    from: ['Running', 'JobRunning', 'Unknown'],
    milliseconds: 3000,
  },
  Restart: {
    during: 'Restarting',
    after: 'Running',
    from: ['Running', 'JobRunning', 'Unknown'],
    milliseconds: 3000,
  },
} as const;

export const nodeActions: Record<string, (call: Call) => ActionResult> = {
  start: (call) => move(call, 'Start'),
  stop: (call) => move(call, 'Stop'),
  restart: (call) => move(call, 'Restart'),
  listnodes: (call) => ({ body: { nodes: listNodes(call), nextLink: null } }),
  listkeys: (call) => ({ body: listKeys(call) }),
};

/** Keeps the state of an instance once an operation on it has succeeded. */
export function settleInstance(call: Call, compute: Stored, operation: 'Create' | keyof typeof TRANSITIONS): void {
  change(call, compute, (instance) => {
    instance.state = operation === 'Create' ? 'Running' : TRANSITIONS[operation].after;
    instance.lastOperation = {
      operationName: operation,
      operationTime: new Date(call.cloud.clock.now()).toISOString(),
      operationStatus: 'Succeeded',
      operationTrigger: 'User',
    };
  });
}

function computeOf(call: Call): Stored {
  if (!call.existing) throw new Error(`no compute '${call.id.id}'`); // The envelope answers 404 before it gets here.
  return call.existing;
}

/** Errors: 400 UserError for a compute that is no instance; 409 where its state does not allow the action. */
function move(call: Call, action: keyof typeof TRANSITIONS): ActionResult {
  const compute = computeOf(call);
  const { during, from, milliseconds } = TRANSITIONS[action];
  if (compute.resource.properties.computeType !== 'ComputeInstance')
    throw userError(
      `The compute '${compute.resource.name}' is no compute instance: it cannot be asked to ${action.toLowerCase()}.`,
    );
  const state = textOf(instanceOf(compute).state) ?? 'Unknown';
  if (!call.resumed) {
    if (state === TRANSITIONS[action].after && action !== 'Restart')
      return { status: 202, longRunning: { milliseconds: 500 } };
    if (!(from as readonly string[]).includes(state))
      throw conflict(
        `The compute instance '${compute.resource.name}' is ${state} and cannot be asked to ${action.toLowerCase()}.`,
      );
    change(call, compute, (instance) => (instance.state = during));
  }
  const finish = (): undefined => {
    const now = call.cloud.store.get(compute.resource.id);
    if (!now) return;
    settleInstance(call, now, action);
    reschedule(call.cloud, compute.resource.id);
  };
  return { status: 202, longRunning: { milliseconds, finish } };
}

function instanceOf(compute: Stored): JsonObject {
  return objectOf(compute.resource.properties.properties);
}

function change(call: Call, compute: Stored, edit: (instance: JsonObject) => void): void {
  const changed = structuredClone(compute);
  const instance = instanceOf(changed);
  edit(instance);
  changed.resource.properties.properties = instance;
  call.cloud.store.put({ ...changed, changedAt: call.cloud.clock.now() });
}

/** The nodes of a cluster: those that run jobs first, then the idle ones. */
function listNodes(call: Call): JsonObject[] {
  const compute = computeOf(call);
  if (compute.resource.properties.computeType !== 'AmlCompute')
    throw userError(`The compute '${compute.resource.name}' is no cluster: it has no nodes to list.`);
  const now = call.cloud.clock.now();
  const running = call.cloud.store
    .children(workspaceIdOf(compute.resource.id), JOBS)
    .filter((job) => lifeOf(job).compute === compute.resource.id.toLowerCase() && hasStarted(lifeOf(job), now))
    .filter((job) => ['Running', 'Finalizing', 'CancelRequested'].includes(statusAt(lifeOf(job), now)))
    .flatMap((job) => Array.from({ length: lifeOf(job).nodes }, () => job.resource.name));
  return Array.from({ length: nodesInUse(call.cloud, compute) }, (_, i) => {
    const runId = running[i];
    const address = {
      nodeId: `tvmps_${compute.resource.name}_${i}`,
      privateIpAddress: `10.0.0.${i + 4}`,
      port: 50_000 + i,
    };
    return runId === undefined ? { ...address, nodeState: 'idle' } : { ...address, nodeState: 'running', runId };
  });
}

/** The secrets of attached computes. Clusters and instances have none to list. */
function listKeys(call: Call): JsonObject {
  const compute = computeOf(call);
  const kind = textOf(compute.resource.properties.computeType) ?? '';
  const hidden = (field: string): string | null => textOf(compute.hidden[`properties.properties.${field}`]) ?? null;
  switch (kind) {
    case 'Databricks':
      return { computeType: kind, databricksAccessToken: hidden('databricksAccessToken') };
    case 'VirtualMachine':
      return {
        computeType: kind,
        administratorAccount: {
          password: hidden('administratorAccount.password'),
          privateKeyData: hidden('administratorAccount.privateKeyData'),
        },
      };
    case 'AKS':
      return { computeType: kind, userKubeConfig: null, adminKubeConfig: null, imagePullSecretName: null };
    default:
      throw userError(`Keys of a compute of type ${kind} cannot be listed.`);
  }
}
