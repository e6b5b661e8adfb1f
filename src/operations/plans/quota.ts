/**
 * Does the standby's quota suffice for what the plan will scale up? Checked before the run, not in the middle of it.
 */
import { apiVersions, type ArmResource, type Azure } from '../../azure/azure.ts';
import { isUnderstudyError } from '../../errors/error.ts';
import type { RecoveryPointSummary } from '../../plan/recovery-point-summary.ts';
import { sideOf, workspaceId } from '../../topology/sides.ts';
import type { Topology } from '../../topology/topology.ts';

/** A quota that the plan would exceed. */
export interface QuotaProblem {
  family: string;
  /** vCPUs that the standby needs on top of those in use. */
  needed: number;
  used: number;
  limit: number;
  /** Clusters by name, deployments as 'endpoint/deployment'. */
  users: string[];
}

/** What the quota of the standby lacks. */
export interface QuotaFindings {
  problems: QuotaProblem[];
  /** Sizes that the region does not offer at all. */
  notOffered: { user: string; vmSize: string }[];
}

interface VmSize {
  name: string;
  family: string;
  vCPUs: number;
}

/** https://learn.microsoft.com/rest/api/azureml/usages/list */
export interface Usage {
  type: string;
  name: { value: string };
  currentValue: number;
  limit: number;
}

/** Machines of one size that the standby needs, or has. */
export interface Machines {
  user: string;
  vmSize: string;
  count: number;
}

/** Errors: those of Azure in the region. A workspace that does not exist yet is no error: it uses nothing. */
export async function checkQuota(
  { azure, topology }: { azure: Azure; topology: Topology },
  region: string,
  recoveryPoint: RecoveryPointSummary,
): Promise<QuotaFindings> {
  const wanted = machinesOf(recoveryPoint);
  if (wanted.length === 0) return { problems: [], notOffered: [] };
  const { workspace } = sideOf(topology, region);
  const base = `/subscriptions/${workspace.subscriptionId}/providers/Microsoft.MachineLearningServices/locations/${region}`;
  const sizes = (await azure.arm.get(`${base}/vmSizes`, apiVersions.machineLearning)) as unknown as {
    value: VmSize[];
  };
  const usages = (await Array.fromAsync(azure.arm.list(`${base}/usages`, apiVersions.machineLearning))) as unknown[];
  const present = await machinesIn(azure, workspaceId(workspace), recoveryPoint);
  return compareQuota({ wanted, present, sizes: sizes.value, usages: usages as Usage[] });
}

/**
 * What does not fit. A cluster counts with its maximum of nodes, less those that it has. Clusters of low priority use
 * another quota, which Azure does not publish by family; `machinesOf` leaves them out.
 */
export function compareQuota({
  wanted,
  present,
  sizes,
  usages,
}: {
  wanted: readonly Machines[];
  present: readonly Machines[];
  sizes: readonly VmSize[];
  usages: readonly Usage[];
}): QuotaFindings {
  const sizeOf = (name: string) => sizes.find((size) => size.name.toLowerCase() === name.toLowerCase());
  const notOffered: QuotaFindings['notOffered'] = [];
  const families = new Map<string, { needed: number; users: string[] }>();
  for (const { user, vmSize, count } of wanted) {
    const size = sizeOf(vmSize);
    if (!size) {
      notOffered.push({ user, vmSize });
      continue;
    }
    const has = present.find((each) => each.user === user && sizeOf(each.vmSize)?.family === size.family);
    const missing = Math.max(0, count - (has?.count ?? 0));
    if (missing === 0) continue;
    const family = families.get(size.family) ?? { needed: 0, users: [] };
    family.needed += size.vCPUs * missing;
    family.users.push(user);
    families.set(size.family, family);
  }
  const problems = [...families].flatMap(([family, { needed, users }]) => {
    const usage = usages.find(
      ({ type, name }) => !type.includes('/workspaces/') && familyKey(name.value) === familyKey(family),
    );
    if (!usage || usage.limit < 0 || usage.currentValue + needed <= usage.limit) return [];
    return [{ family: usage.name.value, needed, used: usage.currentValue, limit: usage.limit, users }];
  });
  return { problems, notOffered };
}

/** Sizes say 'standardDSv2Family', usages 'Standard DSv2 Family Cluster Dedicated vCPUs'. */
function familyKey(name: string): string {
  return name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]/g, '')
    .replace(/clusterdedicatedvcpus$/, '');
}

function machinesOf({ computes, endpoints }: RecoveryPointSummary): Machines[] {
  const clusters = computes.flatMap(({ name, type, vmSize, vmPriority, maxNodes }) =>
    type === 'AmlCompute' && vmSize !== undefined && vmPriority !== 'LowPriority'
      ? [{ user: name, vmSize, count: maxNodes ?? 1 }]
      : [],
  );
  const deployments = endpoints.flatMap(({ name: endpoint, deployments: all }) =>
    all.flatMap(({ name, instanceType, instanceCount }) =>
      instanceType === undefined ? [] : [{ user: `${endpoint}/${name}`, vmSize: instanceType, count: instanceCount }],
    ),
  );
  return [...clusters, ...deployments];
}

/** The clusters and deployments of the recovery point that the workspace has already. */
async function machinesIn({ arm }: Azure, workspace: string, { endpoints }: RecoveryPointSummary): Promise<Machines[]> {
  const list = async (path: string): Promise<ArmResource[]> => {
    try {
      return await Array.fromAsync(arm.list(`${workspace}/${path}`, apiVersions.machineLearning));
    } catch (error) {
      if (isUnderstudyError(error) && error.details.azure?.status === 404) return [];
      throw error;
    }
  };
  const clusters = (await list('computes')).flatMap(({ name, properties }) => {
    const { vmSize, currentNodeCount } = (properties.properties ?? {}) as {
      vmSize?: string;
      currentNodeCount?: number;
    };
    return vmSize === undefined ? [] : [{ user: name, vmSize, count: currentNodeCount ?? 0 }];
  });
  const deployments: Machines[] = [];
  for (const { name: endpoint } of endpoints)
    for (const { name, properties, sku } of await list(`onlineEndpoints/${endpoint}/deployments`)) {
      const { capacity } = (sku ?? {}) as { capacity?: number };
      const { instanceType } = properties as { instanceType?: string };
      if (instanceType !== undefined)
        deployments.push({ user: `${endpoint}/${name}`, vmSize: instanceType, count: capacity ?? 1 });
    }
  return [...clusters, ...deployments];
}
