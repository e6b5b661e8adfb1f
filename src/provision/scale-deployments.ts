/** Scales deployments up: each existing deployment of the standby gets as many instances as the active one had. */
import { showFindings, writeFindings, type Finding } from '../run/work/findings.ts';
import { fail, newTally, skip, toCounts } from '../run/work/tally.ts';
import { showCount } from '../topology/figures.ts';
import { apiVersions, type ArmResource, type CallOptions } from '../azure/azure.ts';
import { findSettled } from '../azure/settled.ts';
import { forEachBounded } from '../run/work/bounded.ts';
import type { EndpointSummary } from '../plan/recovery-point-summary.ts';
import type { StepResult } from '../run/work/outcome.ts';
import type { StepContext } from '../run/work/step-context.ts';
import { openPointOfRun } from '../standby/standby.ts';
import { workspaceId } from '../topology/sides.ts';
import { sideBySide } from './side-by-side.ts';

interface ScaleUndo {
  deployments: { path: string; capacity: number }[];
}

interface Wanted {
  /** `endpoint/deployment` */
  name: string;
  path: string;
  capacity: number;
}

const isMissing = 'not there yet: made when the class is configured';

/**
 * Scales deployments concurrently. If Azure refuses one, or does not finish in time, it is counted as failed and the
 * others do not wait.
 * Errors: AzureUnavailable.
 */
export async function scaleDeployments(context: StepContext): Promise<StepResult> {
  const wanted = wantedOf(context, await endpointsOf(context));
  if (wanted.length === 0) return { state: 'skipped', detail: `${context.from.region} had no deployments` };
  const undo = await context.recordUndo(() => capacitiesOf(context, wanted));
  const there = new Map(undo.deployments.map(({ path, capacity }) => [path, capacity]));
  const reasons = await sideBySide(context, {
    unit: 'deployments',
    items: wanted.filter(({ path }) => there.has(path)),
    change: (deployment, options) => scale(context, deployment, options),
  });
  const tally = newTally();
  const findings: Finding[] = [];
  let scaled = 0;
  for (const { name, path, capacity } of wanted) {
    const before = there.get(path);
    const reason = reasons.get(name);
    if (before === undefined) skip(tally, isMissing);
    else if (reason !== undefined) {
      fail(tally, reason);
      findings.push({ what: `deployment ${name}`, state: 'failed', reason });
    } else {
      tally.done += 1;
      if (capacity > before) scaled += 1;
    }
  }
  const missing = wanted.length - undo.deployments.length;
  return {
    state: 'completed',
    detail: [
      `${undo.deployments.length} of ${showCount(wanted.length, 'deployment')} there, ${scaled} scaled up`,
      ...(missing > 0 ? [`${missing} made in configure`] : []),
      ...(findings.length > 0 ? [`${findings.length} failed`] : []),
    ].join('; '),
    counts: [toCounts(tally, 'deployments to scale', wanted.length)],
    evidence: await writeFindings(context, 'list', findings),
    ...(findings.length > 0 ? { lost: showFindings(findings) } : {}),
  };
}

/** As the plan has them, or the recovery point that the run has sealed. */
async function endpointsOf(context: StepContext): Promise<EndpointSummary[]> {
  const { endpoints } = context.step.input as unknown as { endpoints?: EndpointSummary[] };
  return endpoints ?? (await openPointOfRun(context)).sealed.summary.endpoints;
}

function wantedOf({ to }: StepContext, endpoints: readonly EndpointSummary[]): Wanted[] {
  return endpoints.flatMap((endpoint) =>
    endpoint.deployments.map(({ name, instanceCount }) => ({
      name: `${endpoint.name}/${name}`,
      path: `${workspaceId(to.workspace)}/onlineEndpoints/${endpoint.name}/deployments/${name}`,
      capacity: instanceCount,
    })),
  );
}

async function capacitiesOf({ azure, signal }: StepContext, wanted: readonly Wanted[]): Promise<ScaleUndo> {
  const there = await Promise.all(
    wanted.map(({ path }) => azure.arm.find(path, apiVersions.machineLearning, { signal })),
  );
  return {
    deployments: there.flatMap((found, index) =>
      found ? [{ path: wanted[index]?.path ?? found.id, capacity: capacityOf(found) }] : [],
    ),
  };
}

/** Only scales up: a deployment with more instances is left unchanged. */
async function scale({ azure }: StepContext, { path, capacity }: Wanted, options: CallOptions): Promise<undefined> {
  const found = await findSettled(azure.arm, path, apiVersions.machineLearning, options);
  if (capacityOf(found) >= capacity && found?.properties.provisioningState !== 'Failed') return;
  const body = { sku: { name: 'Default', capacity } };
  await azure.arm.patch(path, apiVersions.machineLearning, body, options);
}

function capacityOf(deployment: ArmResource | undefined): number {
  return (deployment?.sku as { capacity?: number } | undefined)?.capacity ?? 1;
}

/** The undo of `scaleDeployments`: restores the numbers of instances. Idempotent. */
export async function scaleDeploymentsBack({ azure, signal }: StepContext, undo: unknown): Promise<string> {
  const { deployments } = undo as ScaleUndo;
  await forEachBounded(deployments, deployments.length, async ({ path, capacity }) => {
    const found = await findSettled(azure.arm, path, apiVersions.machineLearning, { signal });
    if (found && capacityOf(found) === capacity) return;
    await azure.arm.patch(path, apiVersions.machineLearning, { sku: { name: 'Default', capacity } }, { signal });
  });
  return `${showCount(deployments.length, 'deployment')} scaled back`;
}
