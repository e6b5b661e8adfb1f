/** The action `restoreAssets`: registers containers and versions in the standby, with every URI and id rewritten. */
import { z } from 'zod';
import { isObject } from '../azure/body/json.ts';
import { withoutFreeText } from '../azure/body/free-text.ts';
import type { Counts, StepResult } from '../run/work/outcome.ts';
import type { StepContext } from '../run/work/step-context.ts';
import type { WorkspaceRef } from '../topology/topology.ts';
import { assetKey, assetTypeNames, type AssetType } from '../workspace/asset-types.ts';
import { batches, mapBounded } from '../run/work/bounded.ts';
import { createDatastores } from '../secrets/configure-datastores.ts';
import { Finding, resumeProgress, showFindings, writeFindings } from '../run/work/findings.ts';
import { startHeartbeat } from '../run/work/heartbeat.ts';
import { lostAssets, type LostAssets } from '../standby/lost-assets.ts';
import type { AssetLine } from '../recovery-point/manifest.ts';
import { assetReferences } from '../workspace/references.ts';
import { restoreAsset, type RestoredAsset } from './restore-asset.ts';
import { newestFirst } from '../inventory/select.ts';
import { requireBrought } from '../standby/require-brought.ts';
import { openStandby, type Standby } from '../standby/standby.ts';
import { fail, newTally, skip, sum, toCounts, Tally } from '../run/work/tally.ts';
import { showCount } from '../topology/figures.ts';

/** Azure allows ten writes a second for each principal. More concurrent writes would only queue. */
const sideBySide = 8;

/** Why an asset with lost blobs is not registered. */
export const notWhole = 'not whole, since blobs of it are lost';

const ByType = z.partialRecord(z.enum(assetTypeNames), Tally);
const State = z.strictObject({
  /** Lines that are done, over all types in order. */
  lines: z.int().nonnegative(),
  versions: ByType,
  containers: ByType,
  findings: z.array(Finding),
});
type State = z.infer<typeof State>;

/** Errors: AzureUnavailable, RecoveryPointError, PreconditionError. */
export async function restoreAssets(context: StepContext): Promise<StepResult> {
  const standby = await openStandby(context);
  const types = typesOfStep(context);
  const progress = await resumeProgress(context, State, {
    lines: 0,
    versions: {},
    containers: {},
    findings: [],
  });
  const { state } = progress;
  const lost = await lostAssets(context, standby.point.sealed);
  const heartbeat = startHeartbeat(context, 'assets', { done: state.lines });
  // `configureDatastores` reports which datastores cannot be created. An asset that needs one fails here with Azure's
  // reason.
  await createDatastores(context, standby, heartbeat);
  const names = new Map<AssetType, number>();
  const found = new Map<AssetType, number>();
  let index = 0;
  for (const type of types) {
    state.versions[type] ??= newTally();
    state.containers[type] ??= newTally();
    for await (const batch of batches(inOrder(standby, type), sideBySide * 4)) {
      names.set(type, (names.get(type) ?? 0) + batch.filter(isContainer).length);
      found.set(type, (found.get(type) ?? 0) + batch.filter((line) => !isContainer(line)).length);
      const todo = batch.filter(() => index++ >= state.lines);
      await restoreBatch(context, { ...standby, lost }, state, todo);
      state.lines = Math.max(state.lines, index);
      heartbeat.add(todo.length, 0);
      await heartbeat.beat();
      await progress.save(heartbeat);
    }
  }
  const counts = types.flatMap((type) => {
    const [versions, containers] = [state.versions[type] ?? newTally(), state.containers[type] ?? newTally()];
    return [
      countVersions(standby, { type, versions, found: found.get(type) ?? 0 }),
      toCounts(containers, `${type} (their names)`, names.get(type) ?? 0),
    ];
  });
  if (index === 0) return { state: 'skipped', detail: `the recovery point has no ${types.join(' and no ')}` };
  requireBrought(context, standby, state.findings);
  return {
    state: 'completed',
    detail: types.map((type) => describe(type, state.versions[type] ?? newTally())).join('; '),
    counts: counts.filter((each) => each.expected > 0),
    evidence: await writeFindings(context, 'list', state.findings),
    ...(state.findings.length > 0 ? { lost: showFindings(state.findings) } : {}),
  };
}

/**
 * What the active workspace had is expected. What the recovery point left behind counts as skipped, with the reason.
 */
function countVersions(
  { point, selection }: Standby,
  { type, versions, found }: { type: AssetType; versions: Tally; found: number },
): Counts {
  if (selection) return toCounts(versions, type, found);
  const { summary, leftBehind } = point.sealed;
  const left = leftBehind.filter(({ kind }) => kind === type);
  const tally = { ...versions, skipped: { ...versions.skipped } };
  for (const { reason, count } of left) skip(tally, reason, count);
  return toCounts(tally, type, (summary.counts[type] ?? 0) + left.reduce((all, { count }) => all + count, 0));
}

/** The asset types in a step's input. */
export function typesOfStep({ step }: StepContext): AssetType[] {
  const { types } = step.input;
  return assetTypeNames.filter((type) => !Array.isArray(types) || types.includes(type));
}

/**
 * Registers containers before versions, and versions of an asset one after another: the last one becomes its `@latest`.
 */
async function restoreBatch(
  context: StepContext,
  standby: Standby & { lost: LostAssets },
  state: State,
  lines: readonly AssetLine[],
): Promise<void> {
  const { azure, signal } = context;
  const restore = async (line: AssetLine): Promise<RestoredAsset> => {
    const why = standby.lost.get(assetKey(line.type, line.name, line.version));
    if (why !== undefined)
      return { state: 'failed', reason: `it is not registered, since it is not whole: ${why}`, lost: true };
    return restoreAsset({
      line,
      arm: azure.arm,
      workspace: standby.workspace.id,
      mapping: standby.mappingOf(line),
      replaceable: standby.replaceable.asset(assetKey(line.type, line.name, line.version)),
      signal,
    });
  };
  for (const group of [lines.filter(isContainer), lines.filter((line) => !isContainer(line))]) {
    const plain = group.filter((line) => !isPipeline(line));
    const results = new Map<AssetLine, RestoredAsset>();
    const ofOneName = [...Map.groupBy(plain, ({ name }) => name).values()];
    await mapBounded(ofOneName, sideBySide, async (lines) => {
      for (const line of lines) results.set(line, await restore(line));
    });
    for (const line of group.filter(isPipeline)) results.set(line, await restore(line));
    for (const line of group) {
      const result = results.get(line);
      if (result) record(state, line, result);
    }
  }
}

function record(state: State, line: AssetLine, result: RestoredAsset): void {
  const tally = (isContainer(line) ? state.containers : state.versions)[line.type] ?? newTally();
  if (result.state === 'failed') {
    if (result.lost) skip(tally, notWhole);
    else fail(tally, result.reason);
    state.findings.push({
      what: assetKey(line.type, line.name, line.version),
      state: 'failed',
      reason: result.reason,
    });
    return;
  }
  tally.done += 1;
  if (result.state === 'already') tally.already += 1;
}

function isContainer(line: AssetLine): boolean {
  return line.version === undefined;
}

/** A pipeline component names other components, which must come first. */
function isPipeline({ type, resource }: AssetLine): boolean {
  if (type !== 'components') return false;
  const spec = resource.properties['componentSpec'];
  return isObject(spec) && spec['type'] === 'pipeline';
}

/**
 * Yields the oldest version of every asset, then the next one of each, and so on. `@latest` then means the same in the
 * standby, and assets that are registered concurrently have different names. Pipelines come last, after the components
 * that they name.
 */
async function* inOrder({ point, read }: Standby, type: AssetType): AsyncIterable<AssetLine> {
  const lines = await Array.fromAsync(read(type));
  yield* lines.filter(isContainer);
  const versions = lines.filter((line) => !isContainer(line) && !isPipeline(line));
  const ofOneName = [...Map.groupBy(versions, ({ name }) => name).values()].map(oldestFirst);
  const rounds = Math.max(0, ...ofOneName.map(({ length }) => length));
  for (let round = 0; round < rounds; round++) {
    for (const line of ofOneName.map((of) => of[round])) if (line) yield line;
  }
  yield* dependenciesFirst(oldestFirst(lines.filter(isPipeline)), point.sealed.workspace);
}

function oldestFirst(lines: readonly AssetLine[]): AssetLine[] {
  return lines.toSorted((a, b) => newestFirst(b.resource, a.resource));
}

/**
 * Sorts components after those that they name. Components that name each other in a cycle keep their order: Azure would
 * refuse them anyway.
 */
export function dependenciesFirst(lines: readonly AssetLine[], workspace: WorkspaceRef): AssetLine[] {
  const byKey = new Map(lines.map((line) => [`${line.name}/${line.version}`, line]));
  const ordered = new Set<AssetLine>();
  const entered = new Set<AssetLine>();
  const visit = (line: AssetLine) => {
    if (entered.has(line)) return;
    entered.add(line);
    for (const { name, version } of assetReferences(withoutFreeText(line.resource.properties), workspace)) {
      const other = byKey.get(`${name}/${version}`);
      if (other) visit(other);
    }
    ordered.add(line);
  };
  lines.forEach(visit);
  return [...ordered];
}

function describe(type: AssetType, tally: Tally): string {
  const failed = sum(tally.failed);
  const made = tally.done - tally.already;
  return `${showCount(made, `of ${type} registered`, `of ${type} registered`)}, ${tally.already} already there${failed > 0 ? `, ${failed} failed` : ''}`;
}
