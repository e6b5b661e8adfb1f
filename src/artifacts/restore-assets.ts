/** The action `restoreAssets`: registers containers and versions in the standby, every uri and id rewritten. */
import type { StepResult } from '../run/outcome.ts';
import type { StepContext } from '../run/step-context.ts';
import type { WorkspaceRef } from '../topology/topology.ts';
import { assetKey, assetTypeNames, type AssetType } from './asset-types.ts';
import { batches, mapBounded } from './bounded.ts';
import { createDatastores } from './configure-datastores.ts';
import { resumeProgress, showFindings, writeFindings, type Finding } from './evidence.ts';
import { startHeartbeat } from './heartbeat.ts';
import type { AssetLine } from './manifest.ts';
import { readPart } from './recovery-point.ts';
import { assetReferences } from './references.ts';
import { restoreAsset } from './restore-asset.ts';
import { openStandby, type Standby } from './standby.ts';
import { fail, newTally, seen, showCount, sum, toCounts, type Tally } from './tally.ts';

/** Azure takes ten writes a second of one principal: more side by side only queue up. */
const sideBySide = 8;

interface State {
  /** Lines that are done, over all types in their order. */
  lines: number;
  versions: Partial<Record<AssetType, Tally>>;
  containers: Partial<Record<AssetType, Tally>>;
  findings: Finding[];
}

/** Errors: AzureUnavailable, RecoveryPointError, PreconditionError. */
export async function restoreAssets(context: StepContext): Promise<StepResult> {
  const standby = await openStandby(context);
  const types = typesOfStep(context);
  const progress = await resumeProgress<State>(context, {
    lines: 0,
    versions: {},
    containers: {},
    findings: [],
  });
  const { state } = progress;
  const heartbeat = startHeartbeat(context, 'assets', { done: state.lines });
  // What cannot be created is said by configureDatastores; an asset that needs it fails here, with Azure's own reason.
  await createDatastores(context, standby, heartbeat);
  let index = 0;
  for (const type of types) {
    state.versions[type] ??= newTally();
    state.containers[type] ??= newTally();
    for await (const batch of batches(inOrder(context, standby, type), sideBySide * 4)) {
      const todo = batch.filter(() => index++ >= state.lines);
      await restoreBatch(context, standby, state, todo);
      state.lines = Math.max(state.lines, index);
      heartbeat.add(todo.length, 0);
      await heartbeat.beat();
      await progress.settle(heartbeat);
    }
  }
  const counts = types.flatMap((type) => {
    const [versions, containers] = [state.versions[type] ?? newTally(), state.containers[type] ?? newTally()];
    const expected = standby.point.sealed.summary.counts[type] ?? 0;
    return [toCounts(versions, type, expected), toCounts(containers, `names of ${type}`, seen(containers))];
  });
  if (index === 0) return { state: 'skipped', detail: `the recovery point has no ${types.join(' and no ')}` };
  return {
    state: 'completed',
    detail: types.map((type) => describe(type, state.versions[type] ?? newTally())).join('; '),
    counts: counts.filter((each) => each.expected > 0),
    evidence: await writeFindings(context, 'list', state.findings),
    ...(state.findings.length > 0 ? { lost: showFindings(state.findings) } : {}),
  };
}

export function typesOfStep({ step }: StepContext): AssetType[] {
  const { types } = step.input;
  return assetTypeNames.filter((type) => !Array.isArray(types) || types.includes(type));
}

/** Containers before versions; and within versions no order, since `inOrder` gives what depends on another one in a later batch. */
async function restoreBatch(
  context: StepContext,
  standby: Standby,
  state: State,
  lines: readonly AssetLine[],
): Promise<void> {
  const { azure, signal } = context;
  const restore = async (line: AssetLine) =>
    restoreAsset({ line, arm: azure.arm, workspace: standby.workspace.id, mapping: standby.mapping, signal });
  for (const group of [lines.filter(isContainer), lines.filter((line) => !isContainer(line))]) {
    const plain = group.filter((line) => !isPipeline(line));
    const results = new Map<AssetLine, Awaited<ReturnType<typeof restore>>>();
    const restored = await mapBounded(plain, sideBySide, restore);
    for (const [index, result] of restored.entries()) results.set(plain[index] as AssetLine, result);
    for (const line of group.filter(isPipeline)) results.set(line, await restore(line));
    for (const [line, result] of results) record(state, line, result);
  }
}

function record(state: State, line: AssetLine, result: Awaited<ReturnType<typeof restoreAsset>>): void {
  const tally = (isContainer(line) ? state.containers : state.versions)[line.type] ?? newTally();
  if (result.state === 'failed') {
    fail(tally, result.reason);
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

/** A pipeline component names other components: those come first. */
function isPipeline({ type, resource }: AssetLine): boolean {
  if (type !== 'components') return false;
  const spec = resource.properties['componentSpec'];
  return spec !== null && typeof spec === 'object' && !Array.isArray(spec) && spec?.['type'] === 'pipeline';
}

async function* inOrder(
  { store }: StepContext,
  { point }: Standby,
  type: AssetType,
): AsyncIterable<AssetLine> {
  const pipelines: AssetLine[] = [];
  for await (const line of readPart(store, point.sealed, type)) {
    if (isPipeline(line)) pipelines.push(line);
    else yield line;
  }
  yield* dependenciesFirst(pipelines, point.sealed.workspace);
}

/** Of pipelines that name each other in a circle, which Azure would refuse anyway, the order stays as it is. */
export function dependenciesFirst(lines: readonly AssetLine[], workspace: WorkspaceRef): AssetLine[] {
  const byKey = new Map(lines.map((line) => [`${line.name}/${line.version}`, line]));
  const ordered = new Set<AssetLine>();
  const entered = new Set<AssetLine>();
  const visit = (line: AssetLine) => {
    if (entered.has(line)) return;
    entered.add(line);
    for (const { name, version } of assetReferences(line.resource.properties, workspace)) {
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
