/** Deployments up: each deployment that the standby has already gets as many instances as the active one had. */
import { showFindings, writeFindings, type Finding } from '../run/work/findings.ts';
import { fail, newTally, showCount, skip, toCounts } from '../run/work/tally.ts';
import { apiVersions } from '../azure/azure.ts';
import { isUnderstudyError, messageOf } from '../errors/error.ts';
import type { EndpointSummary } from '../plan/recovery-point-summary.ts';
import type { StepResult } from '../run/work/outcome.ts';
import type { StepContext } from '../run/work/step-context.ts';
import { workspaceId } from '../topology/sides.ts';

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

/** Errors: AzureUnavailable. What Azure refuses of one deployment is counted as failed: the others must not wait for it. */
export async function scaleDeployments(context: StepContext): Promise<StepResult> {
  const wanted = wantedOf(context);
  const undo = await context.keepUndo(() => capacitiesOf(context, wanted));
  const tally = newTally();
  const findings: Finding[] = [];
  let scaled = 0;
  for (const [index, deployment] of wanted.entries()) {
    await context.checkpoint({ unit: 'deployments', done: index, total: wanted.length });
    const found = undo.deployments.find(({ path }) => path === deployment.path);
    if (!found) {
      skip(tally, isMissing);
      continue;
    }
    const reason = deployment.capacity > found.capacity ? await scale(context, deployment) : undefined;
    if (reason === undefined) {
      tally.done += 1;
      if (deployment.capacity > found.capacity) scaled += 1;
    } else {
      fail(tally, reason);
      findings.push({ what: `deployment ${deployment.name}`, state: 'failed', reason });
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

function wantedOf({ step, to }: StepContext): Wanted[] {
  const { endpoints } = step.input as unknown as { endpoints: EndpointSummary[] };
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
    deployments: there.flatMap((found, index) => {
      const capacity = (found?.sku as { capacity?: number } | undefined)?.capacity;
      return found ? [{ path: wanted[index]?.path ?? found.id, capacity: capacity ?? 1 }] : [];
    }),
  };
}

/** Why it could not be done; undefined if it was. */
async function scale(
  { azure, signal }: StepContext,
  { path, capacity }: Wanted,
): Promise<string | undefined> {
  try {
    const body = { sku: { name: 'Default', capacity } };
    await azure.arm.patch(path, apiVersions.machineLearning, body, { signal });
    return undefined;
  } catch (error) {
    if (!isUnderstudyError(error, 'AzureError')) throw error;
    return messageOf(error);
  }
}

export async function scaleDeploymentsBack({ azure }: StepContext, undo: unknown): Promise<string> {
  const { deployments } = undo as ScaleUndo;
  for (const { path, capacity } of deployments) {
    await azure.arm.patch(path, apiVersions.machineLearning, { sku: { name: 'Default', capacity } });
  }
  return `${showCount(deployments.length, 'deployment')} scaled back`;
}
