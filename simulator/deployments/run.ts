/**
 * The run of a deployment: resources in the order of their dependencies, side by side where they have none between
 * them.
 */

import { isObject, textOf } from '../resource/fields.ts';
import {
  type ActionResult,
  ArmError,
  type Call,
  type Cloud,
  type JsonObject,
  type Resource,
  type Stored,
} from '../contract/index.ts';
import type { DeploymentPlan, Environment, PlannedResource } from '../template/index.ts';
import { begin, type Debugged, deploymentFailed, type Failure, failureOf, type Note, OPERATION } from './notes.ts';
import { madeBy } from './shown.ts';
import { DEPLOYMENT } from '../resource/table.ts';

const GROUP_LEVEL = /^\/subscriptions\/[^/]+\/resourceGroups\/[^/]+\/providers\/[^/]+\/[^/]+\/[^/]+$/i;

/** A deployment that runs. */
export interface Run {
  cloud: Cloud;
  deploymentId: string;
  debugged: Debugged;
}

/**
 * Makes every resource of the plan, then the outputs. Resolves with them; rejects with ArmError `DeploymentFailed`,
 * `DeploymentOutputEvaluationFailed` or `DeploymentCanceled`.
 */
export async function runPlan(run: Run, plan: DeploymentPlan, environment: Environment): Promise<JsonObject> {
  const { cloud, deploymentId } = run;
  const made = new Map<string, Promise<boolean>>();
  const failures: Failure[] = [];
  const planned = new Map(
    plan.resources.filter(({ existing }) => !existing).map((resource) => [resource.id.toLowerCase(), resource]),
  );
  const make = (resource: PlannedResource): Promise<boolean> => {
    const key = resource.id.toLowerCase();
    const running = made.get(key) ?? afterDependencies(resource);
    made.set(key, running);
    return running;
  };
  const afterDependencies = async (resource: PlannedResource): Promise<boolean> => {
    const before = resource.dependsOn.map((id) => planned.get(id.toLowerCase())).filter((one) => one !== undefined);
    const ready = await Promise.all(before.map(make));
    if (ready.includes(false) || isCanceled(cloud, deploymentId)) return false;
    const failure = await makeOne(run, plan, resource, environment);
    if (failure) failures.push(failure);
    return failure === undefined;
  };
  await Promise.all([...planned.values()].map(make));
  if (isCanceled(cloud, deploymentId))
    throw new ArmError(409, 'DeploymentCanceled', `The deployment '${deploymentId}' was canceled.`, {
      target: deploymentId,
    });
  if (failures.length > 0) throw deploymentFailed(deploymentId, failures);
  return evaluateOutputs(run, plan, environment);
}

/**
 * Begins nothing more, here and in the deployments nested in it; what has begun is finished. Throws ArmError 409 for
 * one that has ended.
 */
export function cancel({ cloud, existing }: Call): ActionResult {
  if (!existing || !isUnderWay(existing))
    throw new ArmError(
      409,
      'DeploymentCannotBeCancelled',
      `The deployment '${existing?.resource.name ?? ''}' cannot be cancelled since its provisioning state is '${textOf(existing?.resource.properties.provisioningState)}'. Only running deployments can be cancelled.`,
    );
  stop(cloud, existing);
  return { status: 204 };
}

function stop(cloud: Cloud, deployment: Stored): void {
  cloud.store.put({ ...deployment, hidden: { ...deployment.hidden, canceled: true } });
  for (const { resource } of cloud.store.children(deployment.resource.id, OPERATION)) {
    const target = resource.properties.targetResource;
    const nested = isObject(target) ? cloud.store.get(textOf(target.id)) : undefined;
    if (nested?.resource.type === DEPLOYMENT && isUnderWay(nested)) stop(cloud, nested);
  }
}

function isUnderWay({ resource }: Stored): boolean {
  return ['Accepted', 'Running'].includes(textOf(resource.properties.provisioningState));
}

function isCanceled(cloud: Cloud, deploymentId: string): boolean {
  return cloud.store.get(deploymentId)?.hidden.canceled === true;
}

/**
 * Deletes, at the end of a deployment in complete mode, the group's resources that its template does not have. What its
 * nested deployments have just made is the template's, too.
 */
export async function removeOthers({ cloud, deploymentId }: Run, groupId: string, plan: DeploymentPlan): Promise<void> {
  const ids = [...plan.resources, ...madeBy(cloud, plan)].map(({ id }) => textOf(id).toLowerCase());
  const kept = new Set(ids);
  const others = cloud.store
    .below(groupId)
    .map(({ resource }) => resource)
    .filter(({ id, type }) => GROUP_LEVEL.test(id) && type !== DEPLOYMENT && !kept.has(id.toLowerCase()));
  const failures = await Promise.all(others.map((one) => removeOne(cloud, deploymentId, one)));
  const failed = failures.filter((one) => one !== undefined);
  if (failed.length > 0) throw deploymentFailed(deploymentId, failed);
}

async function removeOne(cloud: Cloud, deploymentId: string, target: Resource): Promise<Failure | undefined> {
  const note = begin(cloud, deploymentId, { does: 'Delete', target });
  try {
    await cloud.deleteResource(target.id, '2024-04-01');
    note({ state: 'Succeeded', code: 'OK' });
    return undefined;
  } catch (error) {
    if (!(error instanceof ArmError)) throw error;
    const failed = failureOf(error, target.id, 'delete');
    note(failed.note);
    return failed.failure;
  }
}

async function makeOne(
  { cloud, deploymentId, debugged }: Run,
  plan: DeploymentPlan,
  resource: PlannedResource,
  environment: Environment,
): Promise<Failure | undefined> {
  const note = begin(cloud, deploymentId, { does: 'Create', target: resource });
  let request: JsonObject | undefined;
  try {
    const body = await plan.evaluateBody(resource, environment);
    if (debugged.requestContent) request = body;
    const isNew = cloud.store.get(resource.id) === undefined;
    const { resource: made } = await cloud.createResource(resource.id, body, resource.apiVersion);
    const response = debugged.responseContent ? (cloud.showResource(made.id) ?? made) : undefined;
    note({ state: 'Succeeded', code: isNew ? 'Created' : 'OK', ...bodies(request, response) });
    return undefined;
  } catch (error) {
    if (!(error instanceof ArmError)) throw error;
    const failed = failureOf(error, resource.id, 'write');
    note({ ...failed.note, ...bodies(request, undefined) });
    return failed.failure;
  }
}

function bodies(request: JsonObject | undefined, response: JsonObject | undefined): Partial<Note> {
  return { ...(request ? { request } : {}), ...(response ? { response } : {}) };
}

async function evaluateOutputs(
  { cloud, deploymentId }: Run,
  plan: DeploymentPlan,
  environment: Environment,
): Promise<JsonObject> {
  const note = begin(cloud, deploymentId, { does: 'EvaluateDeploymentOutput' });
  try {
    const outputs = await plan.evaluateOutputs(environment);
    note({ state: 'Succeeded', code: 'OK' });
    return outputs;
  } catch (error) {
    if (error instanceof ArmError) note(failureOf(error, deploymentId, 'write').note);
    throw error;
  }
}
