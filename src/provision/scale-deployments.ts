/** Deployments up: each deployment that the standby has already gets as many instances as the active one had. */
import { apiVersions } from '../azure/azure.ts';
import type { EndpointSummary } from '../plan/recovery-point-summary.ts';
import type { StepResult } from '../run/outcome.ts';
import type { StepContext } from '../run/step-context.ts';
import { workspaceId } from '../topology/sides.ts';

interface ScaleUndo {
  deployments: { path: string; capacity: number }[];
}

export async function scaleDeployments(context: StepContext): Promise<StepResult> {
  const { azure, to, signal } = context;
  const { endpoints } = context.step.input as unknown as { endpoints: EndpointSummary[] };
  const wanted = endpoints.flatMap((endpoint) =>
    endpoint.deployments.map((deployment) => ({
      path: `${workspaceId(to.workspace)}/onlineEndpoints/${endpoint.name}/deployments/${deployment.name}`,
      capacity: deployment.instanceCount,
    })),
  );
  const undo = await context.keepUndo<ScaleUndo>(async () => {
    const there = await Promise.all(
      wanted.map(({ path }) => azure.arm.find(path, apiVersions.machineLearning, { signal })),
    );
    return {
      deployments: there.flatMap((found, index) => {
        const capacity = (found?.sku as { capacity?: number } | undefined)?.capacity;
        return found ? [{ path: wanted[index]?.path ?? found.id, capacity: capacity ?? 1 }] : [];
      }),
    };
  });
  let scaled = 0;
  for (const [index, { path, capacity }] of undo.deployments.entries()) {
    const target = wanted.find((each) => each.path === path)?.capacity ?? capacity;
    await context.checkpoint({ unit: 'deployments', done: index, total: undo.deployments.length });
    if (target <= capacity) continue;
    await azure.arm.patch(
      path,
      apiVersions.machineLearning,
      { sku: { name: 'Default', capacity: target } },
      { signal },
    );
    scaled += 1;
  }
  const missing = wanted.length - undo.deployments.length;
  return {
    state: 'completed',
    detail: `${undo.deployments.length} of ${wanted.length} deployments are there, ${scaled} of them scaled up${missing > 0 ? `; ${missing} are created in configure` : ''}`,
    undo,
  };
}

export async function scaleDeploymentsBack({ azure }: StepContext, undo: unknown): Promise<string> {
  const { deployments } = undo as ScaleUndo;
  for (const { path, capacity } of deployments) {
    await azure.arm.patch(path, apiVersions.machineLearning, { sku: { name: 'Default', capacity } });
  }
  return `${deployments.length} deployments scaled back`;
}
