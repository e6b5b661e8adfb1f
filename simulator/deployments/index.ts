/**
 * Deployments of ARM templates at resource groups and subscriptions: validate, what-if, create, operations, cancel,
 * export.
 */

import { randomUUID } from 'node:crypto';
import { textOfBody } from '../http/body.ts';
import { isObject, textOf } from '../resource/fields.ts';
import {
  ArmError,
  type ActionResult,
  type Call,
  type Cloud,
  type Json,
  type JsonObject,
  type Provider,
  type ResourceType,
  type Stored,
} from '../contract/index.ts';
import { normalizeRegion } from '../resource/regions.ts';
import { locatedIn, planDeployment, type DeploymentInput, type DeploymentPlan } from '../template/index.ts';
import { environmentFor, inputOf, requireOneSource, withLinks, type DeploymentParts } from './input.ts';
import { debuggedOf, duration, OPERATION } from './notes.ts';
import { cancel, removeOthers, type Run, runPlan } from './run.ts';
import { legacyOperations } from './operations.ts';
import { busy, deploymentsListed, keepHistoryShort } from './list.ts';
import { invalidDeployment, requirePossible } from './preflight.ts';
import { expand } from './nested.ts';
import { describePlan, madeBy } from './shown.ts';
import { predictChanges } from './what-if.ts';
import { rollbackOf, rollbackTarget } from './rollback.ts';
import { requireDeployable } from '../authorization/preflight.ts';
import { requireSecrets } from './secrets.ts';
import { withoutSystemData } from '../groups/index.ts';
import { DEPLOYMENT, row } from '../resource/table.ts';

/** What-if takes its time, so that clients poll for it. */
const WHAT_IF_MS = 1500;

interface Prepared {
  input: DeploymentInput;
  plan: DeploymentPlan;
  /** The ids of what it would make, at any depth; of a nested deployment itself where nobody knows yet. */
  made: string[];
}

/** The provider. It is a second one of Microsoft.Resources; the other holds groups and lists. */
export function deployments(parts: DeploymentParts): Provider {
  // A plan is kept from the PUT to the run: `newGuid()` and `utcNow()` in it must not change in between.
  const plans = new Map<string, Prepared>();
  const type: ResourceType = row(DEPLOYMENT, {
    verbs: ['get', 'head', 'put', 'delete', 'list'],
    provisioningState: false,
    longRunning: { delete: 500 },
    show: withoutSystemData,
    list: deploymentsListed,
    busy,
    async beforePut(call, next) {
      requireSameLocation(call);
      keepHistoryShort(call);
      const prepared = await prepare(parts, call);
      plans.set(call.id.key, prepared);
      accept(call, next, prepared);
    },
    beforeDelete({ cloud }, { resource, ...stored }) {
      const properties = { ...resource.properties, provisioningState: 'Deleting' };
      cloud.store.put({ ...stored, resource: { ...resource, properties } });
    },
    runs: (call, stored) => run(parts, plans, call, stored),
    actions: {
      validate: (call) => validate(parts, call),
      whatif: (call) => predict(parts, call),
      cancel,
      exporttemplate: ({ existing }) => ({ body: { template: existing?.hidden.template ?? {} } }),
    },
    actionsWithoutResource: ['validate', 'whatif'],
  });
  return {
    namespace: 'Microsoft.Resources',
    types: [
      type,
      row(OPERATION, {
        verbs: ['get', 'list'],
        pageSize: 25,
        show: (_cloud, stored) => ({ ...stored.resource, operationId: stored.resource.name }),
      }),
    ],
    route: (request) => Promise.resolve(legacyOperations(request)),
  };
}

/** A subscription's deployment stays where its name was first used. Throws ArmError 409 `InvalidDeploymentLocation`. */
function requireSameLocation({ id, body, existing }: Call): void {
  const place = existing?.resource.location;
  if (id.resourceGroup !== undefined || place === undefined || typeof body.location !== 'string') return;
  if (normalizeRegion(place) === normalizeRegion(body.location)) return;
  throw new ArmError(
    409,
    'InvalidDeploymentLocation',
    `Invalid deployment location '${body.location}'. The deployment '${id.name}' already exists in location '${place}'.`,
  );
}

async function prepare(
  parts: DeploymentParts,
  { cloud, id, body, principal, within }: Pick<Call, 'cloud' | 'id' | 'body' | 'principal' | 'within'>,
): Promise<Prepared> {
  // Of one that is nested it is ignored: many templates that are deployed in Azure every day have it.
  if (!within && id.resourceGroup !== undefined && typeof body.location === 'string')
    throw invalidDeployment(
      `The 'location' property is not allowed for '${id.name}' at resource group scope. Please see https://aka.ms/arm-deployment-subscription for usage details.`,
    );
  if (!isObject(body.properties))
    throw new ArmError(400, 'InvalidRequestContent', "The request content was invalid: 'properties' is missing.");
  if (!within) requireOneSource(body.properties);
  const properties = await withLinks(parts, body.properties);
  const location = typeof body.location === 'string' ? body.location : undefined;
  const { objectId, tenantId } = principal;
  const text = textOfBody(body);
  const input: DeploymentInput = {
    ...locatedIn(
      () => text ?? JSON.stringify(body),
      () => inputOf(cloud, parts, id, properties, location, new Date(cloud.clock.now())),
    ),
    deployer: { objectId, tenantId },
    ...(text === undefined ? {} : { text }),
  };
  requireSecrets(cloud, input.parameters);
  const plan = planDeployment(input);
  requirePossible(cloud, plan, input.scope, parts.providers());
  requireDeployable(cloud, principal, plan.resources);
  if (within) return { input, plan, made: [] };
  const { previewed, unsupported } = await expand(cloud.as(principal), parts, input, plan, () => false);
  const made = [...previewed.map(({ resource }) => resource.id), ...unsupported.map((one) => one.resourceId)];
  return { input, plan, made };
}

function accept(call: Call, next: Stored, { input, plan }: Prepared): void {
  // The template may hold secrets of its parameters' defaults: it is shown by exportTemplate only, as in Azure.
  next.hidden = { template: input.template, parameters: input.parameters };
  const properties = isObject(call.body.properties) ? call.body.properties : {};
  const rollback = rollbackOf(call.cloud, call.id.id, properties);
  debuggedOf(properties);
  next.resource.properties = {
    ...describePlan(input, plan),
    ...(isObject(properties.debugSetting) ? { debugSetting: properties.debugSetting } : {}),
    ...(rollback ? { onErrorDeployment: { ...rollback, provisioningState: 'NotStarted' } } : {}),
    provisioningState: 'Accepted',
    timestamp: new Date(next.changedAt).toISOString(),
    duration: duration(0),
    correlationId: call.headers['x-ms-correlation-request-id'] ?? randomUUID(),
  };
}

async function run(parts: DeploymentParts, plans: Map<string, Prepared>, call: Call, stored: Stored): Promise<void> {
  const { id } = call;
  const cloud = call.cloud.as(call.principal);
  const deploymentId = stored.resource.id;
  const started = stored.changedAt;
  const show = (state: string, more: JsonObject = {}): void => showState(cloud, deploymentId, started, state, more);
  show('Running');
  try {
    const { plan, input } = plans.get(id.key) ?? (await prepare(parts, call));
    plans.delete(id.key);
    const run: Run = { cloud, deploymentId, debugged: debuggedOf(call.body.properties) };
    const outputs = await runPlan(run, plan, environmentFor(cloud, parts));
    if (input.mode === 'Complete' && input.scope.resourceGroup)
      await removeOthers(run, input.scope.resourceGroup.id, plan);
    const outputResources = madeBy(cloud, plan);
    show('Succeeded', { outputs, outputResources });
  } catch (error) {
    if (!(error instanceof ArmError)) throw error;
    const { code, message, details = [] } = error;
    const shown = {
      error: { code, target: deploymentId, message, details: details.map((one) => ({ ...one })) },
    };
    if (code === 'DeploymentCanceled') show('Canceled', shown);
    else show('Failed', { ...shown, ...(await rollBack(parts, call, cloud, deploymentId)) });
    throw error;
  }
}

/** Deploys what the deployment named for its failure. Answers how that went, as the deployment shows it. */
async function rollBack(parts: DeploymentParts, call: Call, cloud: Cloud, deploymentId: string): Promise<JsonObject> {
  const { onErrorDeployment: asked, mode = null } = cloud.store.get(deploymentId)?.resource.properties ?? {};
  if (!isObject(asked)) return {};
  const rollback = rollbackOf(cloud, deploymentId, { onErrorDeployment: { ...asked } });
  const target = rollback && rollbackTarget(cloud, deploymentId, rollback);
  const done = (provisioningState: string): JsonObject => ({
    onErrorDeployment: {
      ...asked,
      provisioningState,
      ...(target ? { deploymentName: target.resource.name } : {}),
    },
  });
  if (!target) return done('Failed');
  try {
    const { template = null, parameters = null } = target.hidden;
    const properties = { mode, template, parameters };
    const earlier = await prepare(parts, { ...call, body: { ...call.body, properties } });
    const debugged = { requestContent: false, responseContent: false };
    await runPlan({ cloud, deploymentId, debugged }, earlier.plan, environmentFor(cloud, parts));
    return done('Succeeded');
  } catch (error) {
    if (!(error instanceof ArmError)) throw error;
    return done('Failed');
  }
}

function showState(cloud: Cloud, deploymentId: string, started: number, state: string, more: JsonObject): void {
  const now = cloud.clock.now();
  const stored = cloud.store.get(deploymentId);
  if (!stored) return; // Deleted while it ran.
  const { error: _error, ...before } = stored.resource.properties;
  const properties = {
    ...before,
    provisioningState: state,
    timestamp: new Date(now).toISOString(),
    duration: duration(now - started),
    ...more,
  };
  cloud.store.put({ ...stored, changedAt: now, resource: { ...stored.resource, properties } });
}

async function validate(parts: DeploymentParts, call: Call): Promise<ActionResult> {
  const { input, plan, made } = await prepare(parts, call);
  const validatedResources = [...new Set(made)].map((id) => ({ id }));
  const now = new Date(call.cloud.clock.now()).toISOString();
  const properties = {
    ...describePlan(input, plan),
    provisioningState: 'Succeeded',
    timestamp: now,
    duration: duration(0),
    correlationId: randomUUID(),
    validatedResources,
  };
  return { status: 200, body: { id: call.id.id, name: call.id.name, type: DEPLOYMENT, properties } };
}

async function predict(parts: DeploymentParts, call: Call): Promise<ActionResult> {
  const { input, plan } = await prepare(parts, call);
  const { cloud, body } = call;
  const settings =
    isObject(body.properties) && isObject(body.properties.whatIfSettings) ? body.properties.whatIfSettings : {};
  const format = formatOf(settings.resultFormat);
  const finish = async (): Promise<Json> => {
    const changes = await predictChanges(cloud, call.principal, parts, input, plan, format);
    return { status: 'Succeeded', properties: { changes: changes as unknown as Json } };
  };
  return { longRunning: { milliseconds: WHAT_IF_MS, finish } };
}

function formatOf(asked: Json = 'FullResourcePayloads'): 'ResourceIdOnly' | 'FullResourcePayloads' {
  const known = (['ResourceIdOnly', 'FullResourcePayloads'] as const).find(
    (one) => one.toLowerCase() === textOf(asked).toLowerCase(),
  );
  if (known) return known;
  throw new ArmError(
    400,
    'InvalidRequestContent',
    `The request content was invalid: the value '${textOf(asked)}' of 'properties.whatIfSettings.resultFormat' is invalid: expected 'ResourceIdOnly' or 'FullResourcePayloads'.`,
  );
}
