/**
 * Scales computes up: each cluster of the standby gets the active one's maximum size. Its own limits are kept for the
 * undo.
 */
import { recoveryPointOf } from '../run/work/recovery-point-of.ts';
import { showFindings, writeFindings, type Finding } from '../run/work/findings.ts';
import { readPart } from '../recovery-point/recovery-point.ts';
import { openPointOfRun } from '../standby/standby.ts';
import { fail, newTally, skip, sum, toCounts } from '../run/work/tally.ts';
import { apiVersions, type ArmResource, type CallOptions, type JsonObject } from '../azure/azure.ts';
import { findSettled } from '../azure/settled.ts';
import type { ComputeSummary } from '../plan/recovery-point-summary.ts';
import type { StepResult } from '../run/work/outcome.ts';
import type { StepContext } from '../run/work/step-context.ts';
import { workspaceId } from '../topology/sides.ts';
import { clusterBody } from './compute-body.ts';
import { notACluster } from './compute-kinds.ts';
import { sideBySide } from './side-by-side.ts';

interface Input {
  /** Absent: those of the recovery point that the run has sealed. */
  computes?: ComputeSummary[];
  /** Active name → standby name, where they differ. */
  names: Record<string, string>;
}

interface ScaleUndo {
  scaled: {
    name: string;
    minNodeCount: number;
    maxNodeCount: number;
    nodeIdleTimeBeforeScaleDown?: string;
  }[];
  created: string[];
}

/**
 * Scales clusters concurrently. If Azure refuses one, or does not finish in time, it is counted as failed and the
 * others do not wait.
 * Errors: AzureUnavailable.
 */
export async function scaleComputes(context: StepContext): Promise<StepResult> {
  const { names, ...planned } = context.step.input as unknown as Input;
  const computes = planned.computes ?? (await openPointOfRun(context)).sealed.summary.computes;
  if (computes.length === 0) return { state: 'skipped', detail: `${context.from.region} had no computes` };
  const clusters = computes.filter((compute) => compute.type === 'AmlCompute');
  const undo = await context.recordUndo(() =>
    limitsOf(
      context,
      clusters.map(({ name }) => names[name] ?? name),
    ),
  );
  const tally = newTally();
  let created = 0;
  const findings: Finding[] = [];
  const leave = (name: string, state: Finding['state'], reason: string) => {
    (state === 'skipped' ? skip : fail)(tally, reason);
    findings.push({ what: `compute ${name}`, state, reason });
  };
  for (const { name, type } of computes) if (type !== 'AmlCompute') leave(name, 'skipped', notACluster(type));
  const sources = undo.created.length === 0 ? new Map<string, ArmResource>() : await sourcesOf(context);
  const standbyName = ({ name }: ComputeSummary) => names[name] ?? name;
  const reasons = await sideBySide(context, {
    unit: 'computes',
    items: clusters,
    change: (cluster, options) =>
      scale(context, { wanted: cluster, name: standbyName(cluster), source: sources.get(cluster.name) }, options),
  });
  for (const cluster of clusters) {
    const reason = reasons.get(cluster.name);
    if (reason === undefined) {
      tally.done += 1;
      if (undo.created.includes(standbyName(cluster))) created += 1;
    } else leave(cluster.name, 'failed', reason);
  }
  const failed = sum(tally.failed);
  return {
    state: 'completed',
    detail: `${tally.done} clusters may grow as far as they could in ${context.from.region}${created > 0 ? `, ${created} of them created` : ''}${failed > 0 ? `; ${failed} failed` : ''}`,
    counts: [toCounts(tally, 'computes', computes.length)],
    evidence: await writeFindings(context, 'list', findings),
    ...(findings.length > 0 ? { lost: showFindings(findings) } : {}),
  };
}

/** The clusters by name, as the recovery point has them. */
async function sourcesOf(context: StepContext): Promise<Map<string, ArmResource>> {
  if (!(await recoveryPointOf(context))) return new Map();
  const { sealed } = await openPointOfRun(context);
  const all = await Array.fromAsync(readPart(context.store, sealed, 'computes'));
  return new Map(all.map((each) => [each.name, each]));
}

const pathOf = (context: StepContext, name: string) => `${workspaceId(context.to.workspace)}/computes/${name}`;

async function limitsOf(context: StepContext, names: string[]): Promise<ScaleUndo> {
  const undo: ScaleUndo = { scaled: [], created: [] };
  for (const name of names) {
    const found = await context.azure.arm.find(pathOf(context, name), apiVersions.machineLearning, {
      signal: context.signal,
    });
    const settings = (found?.properties.properties as JsonObject | undefined)?.scaleSettings as JsonObject | undefined;
    if (!found) undo.created.push(name);
    else {
      const idle = settings?.nodeIdleTimeBeforeScaleDown;
      undo.scaled.push({
        name,
        minNodeCount: Number(settings?.minNodeCount ?? 0),
        maxNodeCount: Number(settings?.maxNodeCount ?? 0),
        ...(typeof idle === 'string' ? { nodeIdleTimeBeforeScaleDown: idle } : {}),
      });
    }
  }
  return undo;
}

interface Scaling {
  wanted: ComputeSummary;
  /** Name in the standby. */
  name: string;
  /** As the recovery point has it. */
  source: ArmResource | undefined;
}

/** Returns why it cannot be done, or undefined once it is done. */
async function scale(
  context: StepContext,
  { wanted, name, source }: Scaling,
  options: CallOptions,
): Promise<string | undefined> {
  const { azure, to } = context;
  const path = pathOf(context, name);
  const found = await findSettled(azure.arm, path, apiVersions.machineLearning, options);
  const before = (found?.properties.properties ?? {}) as JsonObject;
  const settings = (before.scaleSettings ?? {}) as JsonObject;
  const maxNodeCount = Math.max(Number(settings.maxNodeCount ?? 0), wanted.maxNodes ?? 1);
  if (found && Number(settings.maxNodeCount) === maxNodeCount) return undefined;
  if (found) {
    const scaleSettings = {
      minNodeCount: 0,
      nodeIdleTimeBeforeScaleDown: 'PT120S',
      ...settings,
      maxNodeCount,
    };
    const body = { properties: { properties: { scaleSettings } } };
    await azure.arm.patch(path, apiVersions.machineLearning, body, options);
    return undefined;
  }
  const made = clusterBody(wanted, source, {
    location: to.region,
    scaleSettings: { minNodeCount: wanted.minNodes ?? 0, maxNodeCount },
  });
  if ('reason' in made) return made.reason;
  await azure.arm.put(path, apiVersions.machineLearning, made.body, options);
  return undefined;
}

/** The undo of `scaleComputes`: restores limits, and removes clusters that it created. Idempotent. */
export async function scaleComputesBack(context: StepContext, undo: unknown): Promise<string> {
  const { scaled, created } = undo as ScaleUndo;
  for (const { name, ...scaleSettings } of scaled) {
    await context.azure.arm.patch(pathOf(context, name), apiVersions.machineLearning, {
      properties: { properties: { scaleSettings } },
    });
  }
  for (const name of created) {
    await context.azure.arm.remove(
      `${pathOf(context, name)}?underlyingResourceAction=Delete`,
      apiVersions.machineLearning,
    );
  }
  return `${scaled.length} clusters scaled back, ${created.length} removed`;
}
