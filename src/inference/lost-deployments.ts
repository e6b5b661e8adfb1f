/**
 * Finds deployments that serve something incomplete. Verification found that after they were created. They get no
 * traffic.
 */
import { lostAssets, whyLost } from '../standby/lost-assets.ts';
import { readPart } from '../recovery-point/recovery-point.ts';
import { openPointOfRun } from '../standby/standby.ts';
import { apiVersions, type ArmResource } from '../azure/azure.ts';
import { recoveryPointOf } from '../run/work/recovery-point-of.ts';
import type { StepContext } from '../run/work/step-context.ts';
import { workspaceId } from '../topology/sides.ts';
import { parentName } from './configure-endpoints.ts';
import { setTraffic } from './endpoint-traffic.ts';

/** The deployments of one endpoint. */
export interface SetAside {
  endpoint: ArmResource;
  /** Complete deployments. */
  serving: string[];
  /** Why another deployment is incomplete. */
  why: string;
}

/** Returns lost deployments by endpoint name in lower case. Reads nothing if nothing is lost. */
export async function lostDeployments(context: StepContext): Promise<ReadonlyMap<string, SetAside>> {
  const found = new Map<string, SetAside>();
  if (!(await recoveryPointOf(context))) return found;
  const { sealed } = await openPointOfRun(context);
  const lost = await lostAssets(context, sealed);
  if (lost.size === 0) return found;
  const deployments = await Array.fromAsync(readPart(context.store, sealed, 'deployments'));
  for await (const endpoint of readPart(context.store, sealed, 'endpoints')) {
    const own = deployments
      .filter((each) => parentName(each) === endpoint.name.toLowerCase())
      .map(({ name, properties }) => {
        const place = { name: `deployments/${name}`, json: properties, workspace: sealed.workspace };
        return { name, why: whyLost(lost, place) };
      });
    const broken = own.find(({ why }) => why !== undefined);
    if (broken?.why === undefined) continue;
    found.set(endpoint.name.toLowerCase(), {
      endpoint,
      serving: own.filter(({ why }) => why === undefined).map(({ name }) => name),
      why: `what deployment ${broken.name} serves is not whole: ${broken.why}`,
    });
  }
  return found;
}

/** Gives all traffic of an endpoint to its complete deployments. */
export async function takeTraffic(context: StepContext, { endpoint, serving }: SetAside): Promise<void> {
  const path = `${workspaceId(context.to.workspace)}/onlineEndpoints/${endpoint.name}`;
  const options = { signal: context.signal };
  if (await context.azure.arm.find(path, apiVersions.machineLearning, options))
    await setTraffic(context, path, endpoint, serving);
}
