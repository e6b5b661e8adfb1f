/** Computes up: each cluster of the standby may grow as far as the active one could; its own limits are kept for the undo. */
import { apiVersions, type JsonObject } from '../azure/azure.ts';
import type { ComputeSummary } from '../plan/recovery-point-summary.ts';
import type { StepResult } from '../run/outcome.ts';
import type { StepContext } from '../run/step-context.ts';
import { workspaceId } from '../topology/sides.ts';

interface Input {
  computes: ComputeSummary[];
  /** Active name → standby name, where they differ. */
  names: Record<string, string>;
}

interface ScaleUndo {
  scaled: { name: string; minNodeCount: number; maxNodeCount: number }[];
  created: string[];
}

export async function scaleComputes(context: StepContext): Promise<StepResult> {
  const { computes, names } = context.step.input as unknown as Input;
  const clusters = computes.filter((compute) => compute.type === 'AmlCompute');
  const skipped = computes.length - clusters.length;
  const undo = await context.keepUndo(() =>
    limitsOf(
      context,
      clusters.map(({ name }) => names[name] ?? name),
    ),
  );
  for (const [index, cluster] of clusters.entries()) {
    await context.checkpoint({ unit: 'computes', done: index, total: clusters.length });
    await scale(context, cluster, names[cluster.name] ?? cluster.name);
  }
  return {
    state: 'completed',
    detail: `${clusters.length} clusters scaled up${undo.created.length > 0 ? `, ${undo.created.length} of them created` : ''}`,
    counts: [
      {
        kind: 'computes',
        expected: computes.length,
        done: clusters.length,
        skipped:
          skipped > 0
            ? [{ reason: 'not a cluster: belongs to a person, who makes one anew', count: skipped }]
            : [],
        failed: [],
      },
    ],
    undo,
  };
}

const pathOf = (context: StepContext, name: string) =>
  `${workspaceId(context.to.workspace)}/computes/${name}`;

async function limitsOf(context: StepContext, names: string[]): Promise<ScaleUndo> {
  const undo: ScaleUndo = { scaled: [], created: [] };
  for (const name of names) {
    const found = await context.azure.arm.find(pathOf(context, name), apiVersions.machineLearning, {
      signal: context.signal,
    });
    const settings = (found?.properties.properties as JsonObject | undefined)?.scaleSettings as
      | JsonObject
      | undefined;
    if (!found) undo.created.push(name);
    else
      undo.scaled.push({
        name,
        minNodeCount: Number(settings?.minNodeCount ?? 0),
        maxNodeCount: Number(settings?.maxNodeCount ?? 0),
      });
  }
  return undo;
}

async function scale(context: StepContext, wanted: ComputeSummary, name: string): Promise<void> {
  const { azure, signal, to } = context;
  const path = pathOf(context, name);
  const found = await azure.arm.find(path, apiVersions.machineLearning, { signal });
  const before = (found?.properties.properties ?? {}) as JsonObject;
  const settings = (before.scaleSettings ?? {}) as JsonObject;
  const maxNodeCount = Math.max(Number(settings.maxNodeCount ?? 0), wanted.maxNodes ?? 1);
  const scaleSettings = { minNodeCount: 0, nodeIdleTimeBeforeScaleDown: 'PT120S', ...settings, maxNodeCount };
  if (found && Number(settings.maxNodeCount) === maxNodeCount) return;
  if (found) {
    await azure.arm.patch(
      path,
      apiVersions.machineLearning,
      { properties: { properties: { scaleSettings } } },
      { signal },
    );
    return;
  }
  await azure.arm.put(
    path,
    apiVersions.machineLearning,
    {
      location: to.region,
      properties: {
        computeType: 'AmlCompute',
        properties: { vmSize: wanted.vmSize ?? 'STANDARD_DS3_V2', scaleSettings },
      },
    },
    { signal },
  );
}

export async function scaleComputesBack(context: StepContext, undo: unknown): Promise<string> {
  const { scaled, created } = undo as ScaleUndo;
  for (const { name, minNodeCount, maxNodeCount } of scaled) {
    await context.azure.arm.patch(pathOf(context, name), apiVersions.machineLearning, {
      properties: { properties: { scaleSettings: { minNodeCount, maxNodeCount } } },
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
