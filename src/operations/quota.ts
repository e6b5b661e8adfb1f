/** Does the standby's quota hold what the plan will scale up? Found before the run, not in the middle of it. */
import { apiVersions } from '../azure/azure.ts';
import type { RecoveryPointSummary } from '../plan/recovery-point-summary.ts';
import { sideOf } from '../topology/sides.ts';
import type { Session } from './session.ts';

export interface QuotaProblem {
  family: string;
  /** vCPUs. */
  needed: number;
  used: number;
  limit: number;
  computes: string[];
}

interface VmSize {
  name: string;
  family: string;
  vCPUs: number;
}

interface Usage {
  name: { value: string };
  currentValue: number;
  limit: number;
}

/** Problems, and the sizes that the region does not offer at all. */
export async function checkQuota(
  { azure, topology }: Session,
  region: string,
  recoveryPoint: RecoveryPointSummary,
): Promise<{ problems: QuotaProblem[]; notOffered: { compute: string; vmSize: string }[] }> {
  const clusters = recoveryPoint.computes.filter(
    ({ type, vmSize }) => type === 'AmlCompute' && vmSize !== undefined,
  );
  if (clusters.length === 0) return { problems: [], notOffered: [] };
  const { subscriptionId } = sideOf(topology, region).workspace;
  const base = `/subscriptions/${subscriptionId}/providers/Microsoft.MachineLearningServices/locations/${region}`;
  const sizes = new Map<string, VmSize>();
  const sizeList = (await azure.arm.get(`${base}/vmSizes`, apiVersions.machineLearning)) as unknown as {
    value: VmSize[];
  };
  for (const size of sizeList.value) sizes.set(size.name.toLowerCase(), size);
  const usages: Usage[] = [];
  for await (const usage of azure.arm.list(`${base}/usages`, apiVersions.machineLearning))
    usages.push(usage as unknown as Usage);

  const notOffered: { compute: string; vmSize: string }[] = [];
  const families = new Map<string, { needed: number; computes: string[] }>();
  for (const cluster of clusters) {
    const size = sizes.get(String(cluster.vmSize).toLowerCase());
    if (!size) {
      notOffered.push({ compute: cluster.name, vmSize: String(cluster.vmSize) });
      continue;
    }
    const family = families.get(size.family) ?? { needed: 0, computes: [] };
    family.needed += size.vCPUs * (cluster.maxNodes ?? 1);
    family.computes.push(cluster.name);
    families.set(size.family, family);
  }
  const problems = [...families].flatMap(([family, { needed, computes }]) => {
    const usage = usages.find((each) => each.name.value.toLowerCase() === family.toLowerCase());
    if (!usage || usage.limit < 0 || usage.currentValue + needed <= usage.limit) return [];
    return [{ family, needed, used: usage.currentValue, limit: usage.limit, computes }];
  });
  return { problems, notOffered };
}
