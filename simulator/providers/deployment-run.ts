/** The run of a deployment: resources in the order of their dependencies, side by side where they have none between them. */

import { createHash, randomUUID } from 'node:crypto';
import { isObject } from '../http/fields.ts';
import { ArmError, type Cloud, type JsonObject, type Stored } from '../provider.ts';
import type { DeploymentPlan, Environment, PlannedResource } from '../template/index.ts';

export const DEPLOYMENT = 'Microsoft.Resources/deployments';
export const OPERATION = `${DEPLOYMENT}/operations`;
const GROUP_LEVEL = /^\/subscriptions\/[^/]+\/resourceGroups\/[^/]+\/providers\/[^/]+\/[^/]+\/[^/]+$/i;

interface Failure {
  code: string;
  message: string;
  target: string;
  /** What failed within a nested deployment. */
  details?: { code: string; message: string }[];
}

/** Makes every resource of the plan, then the outputs. Resolves with them; rejects with ArmError `DeploymentFailed` or `DeploymentCanceled`. */
export async function runPlan(
  cloud: Cloud,
  deploymentId: string,
  plan: DeploymentPlan,
  environment: Environment,
): Promise<JsonObject> {
  const made = new Map<string, Promise<boolean>>();
  const failures: Failure[] = [];
  const planned = new Map(
    plan.resources
      .filter(({ existing }) => !existing)
      .map((resource) => [resource.id.toLowerCase(), resource]),
  );
  const make = (resource: PlannedResource): Promise<boolean> => {
    const key = resource.id.toLowerCase();
    const running = made.get(key) ?? afterDependencies(resource);
    made.set(key, running);
    return running;
  };
  const afterDependencies = async (resource: PlannedResource): Promise<boolean> => {
    const before = resource.dependsOn
      .map((id) => planned.get(id.toLowerCase()))
      .filter((one) => one !== undefined);
    const ready = await Promise.all(before.map(make));
    if (ready.includes(false) || isCanceled(cloud, deploymentId)) return false;
    const failure = await makeOne(cloud, deploymentId, plan, resource, environment);
    if (failure) failures.push(failure);
    return failure === undefined;
  };
  await Promise.all([...planned.values()].map(make));
  if (isCanceled(cloud, deploymentId))
    throw new ArmError(409, 'DeploymentCanceled', `The deployment '${deploymentId}' was canceled.`);
  if (failures.length > 0) throw failed(failures);
  return plan.evaluateOutputs(environment);
}

function isCanceled(cloud: Cloud, deploymentId: string): boolean {
  return cloud.store.get(deploymentId)?.hidden.canceled === true;
}

/**
 * Deletes, at the end of a deployment in complete mode, the group's resources that its template does not have. What its
 * nested deployments have just made is the template's, too.
 */
export async function removeOthers(cloud: Cloud, groupId: string, plan: DeploymentPlan): Promise<void> {
  const kept = new Set(plan.resources.map(({ id }) => id.toLowerCase()));
  for (const { id, nested } of plan.resources) if (nested) keepMade(cloud, id, kept);
  const others = cloud.store
    .below(groupId)
    .map(({ resource }) => resource)
    .filter(({ id, type }) => GROUP_LEVEL.test(id) && type !== DEPLOYMENT && !kept.has(id.toLowerCase()));
  await Promise.all(others.map(({ id }) => cloud.deleteResource(id, '2024-04-01')));
}

/** Adds what a nested deployment made, and those nested in it. */
function keepMade(cloud: Cloud, deploymentId: string, kept: Set<string>): void {
  const made = cloud.store.get(deploymentId)?.resource.properties.outputResources;
  if (!Array.isArray(made)) return;
  for (const one of made) {
    if (!isObject(one) || typeof one.id !== 'string') continue;
    const id = one.id.toLowerCase();
    if (kept.has(id)) continue;
    kept.add(id);
    keepMade(cloud, id, kept);
  }
}

/** A number for a template, the same for the same content. */
export function templateHash(template: JsonObject): string {
  return createHash('sha256').update(JSON.stringify(template)).digest().readBigUInt64BE().toString();
}

/** An ISO 8601 duration, as deployments show theirs. */
export function duration(milliseconds: number): string {
  return `PT${(milliseconds / 1000).toFixed(3)}S`;
}

async function makeOne(
  cloud: Cloud,
  deploymentId: string,
  plan: DeploymentPlan,
  resource: PlannedResource,
  environment: Environment,
): Promise<Failure | undefined> {
  const note = operationNotes(cloud, deploymentId, resource);
  note('Running', 'OK');
  try {
    const body = await plan.evaluateBody(resource, environment);
    await cloud.createResource(resource.id, body, resource.apiVersion);
    note('Succeeded', 'OK');
    return undefined;
  } catch (error) {
    if (!(error instanceof ArmError)) throw error;
    const message: JsonObject = { code: error.code, message: error.message };
    if (error.details) message.details = error.details.map((detail) => ({ ...detail }));
    note('Failed', error.status === 409 ? 'Conflict' : error.status === 404 ? 'NotFound' : 'BadRequest', {
      error: message,
    });
    const details = error.details === undefined ? {} : { details: error.details };
    return { code: error.code, message: error.message, target: resource.id, ...details };
  }
}

/** Writes the operation of one resource as `deployments/operations` lists it. Its id is the same in a run that is taken up again. */
function operationNotes(
  cloud: Cloud,
  deploymentId: string,
  resource: PlannedResource,
): (state: string, code: string, message?: JsonObject) => void {
  const name = createHash('sha256')
    .update(`${deploymentId}|${resource.id}`.toLowerCase())
    .digest('hex')
    .slice(0, 16)
    .toUpperCase();
  const started = cloud.clock.now();
  return (state, code, message) => {
    const now = cloud.clock.now();
    const id = `${deploymentId}/operations/${name}`;
    const properties: JsonObject = {
      provisioningOperation: 'Create',
      provisioningState: state,
      timestamp: new Date(now).toISOString(),
      duration: duration(now - started),
      trackingId: randomUUID(),
      statusCode: code,
      targetResource: { id: resource.id, resourceType: resource.type, resourceName: resource.name },
    };
    if (message) properties.statusMessage = message;
    const deployment = cloud.store.get(deploymentId);
    if (!deployment) return; // Deleted while it ran: there is nothing to list.
    const stored: Stored = {
      resource: { id, name, type: OPERATION, properties },
      hidden: {},
      etag: `"${randomUUID()}"`,
      region: deployment.region,
      createdAt: started,
      changedAt: now,
    };
    cloud.store.put(stored);
  };
}

function failed(failures: Failure[]): ArmError {
  const message =
    'At least one resource deployment operation failed. Please list deployment operations for details. Please see https://aka.ms/arm-deployment-operations for usage details.';
  return new ArmError(400, 'DeploymentFailed', message, { details: failures.map((one) => ({ ...one })) });
}
