/**
 * Endpoints and deployments that the standby lacks are created there from the recovery point; every endpoint is given the
 * active one's keys (from escrow, so that clients need not change theirs) and the active one's traffic.
 */
import { openStandby, type Standby } from '../artifacts/standby.ts';
import { readPart } from '../artifacts/recovery-point.ts';
import { apiVersions, type ArmResource, type JsonObject } from '../azure/azure.ts';
import { rewriteReferences } from '../azure/ids.ts';
import { UnderstudyError } from '../errors/error.ts';
import type { StepResult } from '../run/outcome.ts';
import type { StepContext } from '../run/step-context.ts';

/** What Azure fills in and refuses or ignores in a PUT. */
const readOnly = new Set(['provisioningState', 'scoringUri', 'swaggerUri', 'traffic', 'mirrorTraffic']);

export async function configureEndpoints(context: StepContext): Promise<StepResult> {
  const standby = await openStandby(context);
  const endpoints = await Array.fromAsync(readPart(context.store, standby.point.sealed, 'endpoints'));
  const deployments = await Array.fromAsync(readPart(context.store, standby.point.sealed, 'deployments'));
  let created = 0;
  const lost: string[] = [];
  for (const [index, endpoint] of endpoints.entries()) {
    await context.checkpoint({ unit: 'endpoints', done: index, total: endpoints.length });
    const path = `${standby.workspace.id}/onlineEndpoints/${endpoint.name}`;
    const keys = await escrowedKeys(context, standby, endpoint, lost);
    created += await ensure(context, standby, path, endpoint, keys ? { keys } : {});
    const own = deployments.filter((deployment) => parentName(deployment) === endpoint.name.toLowerCase());
    for (const deployment of own) {
      created += await ensure(context, standby, `${path}/deployments/${deployment.name}`, deployment, {});
      await context.checkpoint({ unit: 'endpoints', done: index, total: endpoints.length });
    }
    if (keys) await giveKeys(context, path, keys);
    await setTraffic(context, path, endpoint);
  }
  const expected = endpoints.length + deployments.length;
  return {
    state: endpoints.length === 0 ? 'skipped' : 'completed',
    detail: endpoints.length === 0 ? 'the recovery point has no endpoints' : `${endpoints.length} endpoints, ${deployments.length} deployments serve in ${context.to.region}; ${created} of them created`,
    counts: [{ kind: 'endpoints and deployments', expected, done: expected, skipped: [], failed: [] }],
    ...(lost.length > 0 ? { lost } : {}),
  };
}

/** `…/onlineEndpoints/{endpoint}/deployments/{name}` */
function parentName({ id }: ArmResource): string | undefined {
  return id.split('/').at(-3)?.toLowerCase();
}

/** Creates what is not there; 1 if it did. */
async function ensure(
  { azure, signal }: StepContext,
  standby: Standby,
  path: string,
  source: ArmResource,
  more: JsonObject,
): Promise<0 | 1> {
  const there = await azure.arm.find(path, apiVersions.machineLearning, { signal });
  if (there && there.properties.provisioningState !== 'Failed') return 0;
  const kept = Object.fromEntries(Object.entries(source.properties).filter(([name]) => !readOnly.has(name)));
  const { value: moved, unmapped } = rewriteReferences<JsonObject>(kept, standby.mapping);
  if (unmapped.length > 0) {
    const first = unmapped[0];
    throw new UnderstudyError('PreconditionError', `${path}: ${first?.place}: ${first?.reason}`);
  }
  const body: JsonObject = { location: standby.workspace.location, properties: { ...moved, ...more } };
  for (const field of ['tags', 'sku', 'kind'] as const) {
    if (source[field] !== undefined && source[field] !== null) body[field] = source[field] as JsonObject;
  }
  body.identity = { type: 'SystemAssigned' };
  await azure.arm.put(path, apiVersions.machineLearning, body, { signal });
  return 1;
}

interface Keys {
  [name: string]: string;
  primaryKey: string;
  secondaryKey: string;
}

async function escrowedKeys(
  { azure, topology, to }: StepContext,
  { point }: Standby,
  endpoint: ArmResource,
  lost: string[],
): Promise<Keys | undefined> {
  if (endpoint.properties.authMode !== 'Key') return undefined;
  const secret = point.sealed.secrets.find((each) => each.kind === 'endpoint' && each.name === endpoint.name);
  const uri = topology.escrow?.vaults[to.region];
  const value = secret && uri !== undefined ? await azure.vault(uri).get(secret.secret) : undefined;
  if (value !== undefined) return JSON.parse(value) as Keys;
  lost.push(`endpoint ${endpoint.name}: its keys are not in escrow: clients must take the standby's own`);
  return undefined;
}

/** A key is set, not only made anew: `keyValue` of RegenerateEndpointKeysRequest. */
async function giveKeys({ azure, signal }: StepContext, path: string, keys: Keys): Promise<void> {
  const now = (await azure.arm.post(`${path}/listKeys`, apiVersions.machineLearning, undefined, { signal })) as Partial<Keys> | null;
  for (const [keyType, keyValue] of [
    ['Primary', keys.primaryKey],
    ['Secondary', keys.secondaryKey],
  ] as const) {
    const current = keyType === 'Primary' ? now?.primaryKey : now?.secondaryKey;
    if (current === keyValue) continue;
    await azure.arm.post(`${path}/regenerateKeys`, apiVersions.machineLearning, { keyType, keyValue }, { signal });
  }
}

async function setTraffic({ azure, signal, to }: StepContext, path: string, source: ArmResource): Promise<void> {
  const there = await azure.arm.get(path, apiVersions.machineLearning, { signal });
  const wanted = (source.properties.traffic ?? {}) as JsonObject;
  if (JSON.stringify(there.properties.traffic ?? {}) === JSON.stringify(wanted)) return;
  const kept = Object.fromEntries(Object.entries(there.properties).filter(([name]) => !readOnly.has(name) || name === 'traffic'));
  await azure.arm.put(
    path,
    apiVersions.machineLearning,
    {
      location: there.location ?? to.region,
      ...(there.tags ? { tags: there.tags } : {}),
      ...(there.identity ? { identity: { type: 'SystemAssigned' } } : {}),
      properties: { ...kept, traffic: wanted },
    },
    { signal },
  );
}
