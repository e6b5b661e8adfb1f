/**
 * The action `applyMerge`: what both sides have, and have otherwise, becomes as the merge decided. On the writer's side
 * it takes over what was changed in the returning region; there, later, what the writer's side keeps. Only the fields
 * that differ are written.
 */
import { apiVersions, type ArmResource, type Json, type JsonObject } from '../azure/azure.ts';
import { differences } from '../azure/body/compare.ts';
import { isObject } from '../azure/body/json.ts';
import { identityBody } from '../azure/identity.ts';
import { rewriteReferences } from '../azure/ids.ts';
import { findSettled } from '../azure/settled.ts';
import { canonical } from '../control-store/store.ts';
import { isUnderstudyError, messageOf, UnderstudyError } from '../errors/error.ts';
import { mergeOfRun } from '../merge/decide-merge.ts';
import type { DecidedItem } from '../merge/decisions.ts';
import { recordMerged, type DecidedMerge } from '../merge/merge-record.ts';
import { isJob, isWhole, leaveBehind } from '../merge/selection.ts';
import { readPart } from '../recovery-point/recovery-point.ts';
import { showFindings, writeFindings, type Finding } from '../run/work/findings.ts';
import { startHeartbeat } from '../run/work/heartbeat.ts';
import type { StepResult } from '../run/work/outcome.ts';
import type { StepContext } from '../run/work/step-context.ts';
import { fail, newTally, sum, toCounts } from '../run/work/tally.ts';
import { showCount } from '../topology/figures.ts';
import { assetKey, assetPath, assetTypeNames, isAssetType, writableAsset } from '../workspace/asset-types.ts';
import { schedulePath } from '../workspace/schedules.ts';
import { belowEndpoint } from '../workspace/workspace.ts';
import { requireBrought } from './require-brought.ts';
import { openStandby, type Standby } from './standby.ts';

/** Kinds whose restore leaves what differs: assets and schedules are restored as the recovery point has them. */
const keptByRestore = ['endpoints', 'deployments'];

/** Errors: ReconciliationError if something could not be brought to the writer; AzureUnavailable; RecoveryPointError. */
export async function applyMerge(context: StepContext): Promise<StepResult> {
  const merge = await mergeOfRun(context);
  if (!merge) throw new UnderstudyError('ControlStoreError', 'the run has decided no merge');
  const standby = await openStandby(context);
  const items = merge.items.filter((each) => isToChange(each, standby));
  if (items.length === 0) {
    await endMerge(context, merge, standby);
    return { state: 'skipped', detail: `nothing to change in ${context.to.region}` };
  }
  const sources = await readSources(context, standby, new Set(items.map(({ item }) => item)));
  const heartbeat = startHeartbeat(context, 'items');
  const tally = newTally();
  const findings: Finding[] = [];
  for (const item of items) {
    const reason = await unlessRefused(() => change(context, standby, item, sources.get(item.item)));
    if (reason === undefined || reason === 'already') tally.done += 1;
    else {
      fail(tally, reason);
      findings.push({ what: item.item, state: 'failed', reason });
    }
    if (reason === 'already') tally.already += 1;
    heartbeat.add(1, 0);
    await heartbeat.beat();
  }
  requireBrought(context, standby, findings);
  await endMerge(context, merge, standby);
  const failed = sum(tally.failed);
  return {
    state: 'completed',
    detail: `${showCount(tally.done, 'item')} in ${context.to.region} as the merge decided, ${tally.already} of them already${failed > 0 ? `; ${failed} failed` : ''}`,
    counts: [toCounts(tally, 'items to change', items.length)],
    evidence: await writeFindings(context, 'list', findings),
    ...(findings.length > 0 ? { lost: showFindings(findings) } : {}),
  };
}

/** What was brought is brought, whatever becomes of the run. */
async function endMerge({ store, run }: StepContext, merge: DecidedMerge, { selection }: Standby): Promise<void> {
  if (!selection) return;
  await recordMerged(store, { run: run.runId, divergence: merge.divergence.id, items: merge.items });
}

function isToChange(item: DecidedItem, { selection }: Standby): boolean {
  if (isJob(item) || isWhole(item) || item.case === 'removed there' || item.by === 'kind') return false;
  if (selection) return !leaveBehind(item);
  return leaveBehind(item) && keptByRestore.includes(kindOf(item.item));
}

function kindOf(item: string): string {
  return item.split('/')[0] ?? '';
}

/** The items as the recovery point of the step has them. */
async function readSources(
  { store }: StepContext,
  { point }: Standby,
  items: ReadonlySet<string>,
): Promise<Map<string, ArmResource>> {
  const found = new Map<string, ArmResource>();
  const add = (item: string, resource: ArmResource) => void (items.has(item) && found.set(item, resource));
  for (const type of assetTypeNames)
    for await (const { name, version, resource } of readPart(store, point.sealed, type))
      add(assetKey(type, name, version), resource);
  for (const kind of ['schedules', 'endpoints'] as const)
    for await (const resource of readPart(store, point.sealed, kind)) add(`${kind}/${resource.name}`, resource);
  for await (const resource of readPart(store, point.sealed, 'deployments'))
    add(`deployments/${belowEndpoint(resource.id)}`, resource);
  return found;
}

async function unlessRefused(work: () => Promise<string | undefined>): Promise<string | undefined> {
  try {
    return await work();
  } catch (error) {
    if (!isUnderstudyError(error, 'AzureError')) throw error;
    return messageOf(error);
  }
}

/** Returns `already`, or why it is impossible; undefined once it is done. */
async function change(
  { azure, signal }: StepContext,
  { workspace, mapping }: Standby,
  { item, fields }: DecidedItem,
  source: ArmResource | undefined,
): Promise<string | undefined> {
  const path = pathOf(workspace.id, item);
  const held =
    path === undefined ? undefined : await findSettled(azure.arm, path, apiVersions.machineLearning, { signal });
  if (path === undefined || !held) return 'it is not there';
  const before = writableOf(item, held);
  let properties = before;
  for (const { field } of fields) {
    const keys = keysOf(source?.properties ?? {}, held.properties, field.split('.').slice(1).join('.'));
    const { value, unmapped } = rewriteReferences<JsonObject>({ value: valueAt(source?.properties, keys) }, mapping);
    if (unmapped[0]) return `${field}: ${unmapped[0].reason}`;
    properties = withValue(properties, keys, value['value'] ?? null);
  }
  if (canonical(properties) === canonical(before)) return 'already';
  await azure.arm.put(path, apiVersions.machineLearning, bodyOf(item, held, properties), { signal });
  const now = await azure.arm.get(path, apiVersions.machineLearning, { signal });
  const different = [
    ...differences(properties, now.properties, ''),
    ...differences(writableOf(item, now), properties, ''),
  ];
  return different[0] && `Azure stored it differently: ${different.map(({ place }) => place.slice(1)).join(', ')}`;
}

function pathOf(workspace: string, item: string): string | undefined {
  const [kind = '', name = '', last] = item.split('/');
  if (isAssetType(kind)) return assetPath(workspace, { type: kind, name, version: last });
  if (kind === 'schedules') return schedulePath(workspace, name);
  if (kind === 'endpoints') return `${workspace}/onlineEndpoints/${name}`;
  if (kind === 'deployments') return `${workspace}/onlineEndpoints/${name}/deployments/${last}`;
  return undefined;
}

function writableOf(item: string, { properties }: ArmResource): JsonObject {
  const kind = kindOf(item);
  if (isAssetType(kind)) return writableAsset(kind, properties);
  const { provisioningState: _state, scoringUri: _scoring, swaggerUri: _swagger, ...own } = properties;
  return own;
}

function bodyOf(item: string, held: ArmResource, properties: JsonObject): JsonObject {
  if (!keptByRestore.includes(kindOf(item))) return { properties };
  const own = ['location', 'tags', 'sku', 'kind'].flatMap((name) => {
    const value = held[name] as Json | undefined;
    return value === undefined || value === null ? [] : [[name, value] as const];
  });
  return { ...Object.fromEntries(own), identity: identityBody(held, 'SystemAssigned'), properties };
}

/** The keys of a field, whose own names may have dots: as either of the two has them. */
function keysOf(a: Json, b: Json, field: string): string[] {
  return findKeys(a, field) ?? findKeys(b, field) ?? [field];
}

function findKeys(json: Json | undefined, field: string): string[] | undefined {
  if (field === '') return [];
  if (!isObject(json)) return undefined;
  for (const [key, value] of Object.entries(json)) {
    if (field === key) return [key];
    if (!field.startsWith(`${key}.`)) continue;
    const below = findKeys(value, field.slice(key.length + 1));
    if (below) return [key, ...below];
  }
  return undefined;
}

function valueAt(json: Json | undefined, keys: readonly string[]): Json {
  let value: Json | undefined = json;
  for (const key of keys) value = isObject(value) ? value[key] : undefined;
  return value ?? null;
}

/** Null removes it. */
function withValue(json: JsonObject, [key = '', ...below]: readonly string[], value: Json): JsonObject {
  if (below.length === 0) {
    const { [key]: _, ...rest } = json;
    return value === null ? rest : { ...rest, [key]: value };
  }
  const inner = json[key];
  return { ...json, [key]: withValue(isObject(inner) ? inner : {}, below, value) };
}
