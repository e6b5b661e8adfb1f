/** Gives an endpoint's deployments in the standby their shares of traffic in the active workspace. */
import { apiVersions, type ArmResource, type Json, type JsonObject } from '../azure/azure.ts';
import { identityBody } from '../azure/identity.ts';
import type { StepContext } from '../run/work/step-context.ts';

type Shares = Record<string, number>;

/**
 * Sets the traffic. `serving`: deployments that exist. Returns how the traffic differs from that of the active
 * workspace, if it does: a deployment that could not be created gets no share, and the one with the largest share gets
 * it instead.
 */
export async function setTraffic(
  { azure, signal, to }: StepContext,
  path: string,
  source: ArmResource,
  serving: readonly string[],
): Promise<string | undefined> {
  const there = await azure.arm.get(path, apiVersions.machineLearning, { signal });
  const had = sharesOf(source.properties.traffic);
  const traffic = takenOver(had, serving);
  const mirrored = sharesOf(source.properties.mirrorTraffic);
  const mirrorTraffic = Object.fromEntries(
    Object.entries(mirrored).filter(([name]) => serving.includes(name) && !traffic[name]),
  );
  if (
    !same(traffic, sharesOf(there.properties.traffic)) ||
    !same(mirrorTraffic, sharesOf(there.properties.mirrorTraffic))
  ) {
    const { provisioningState: _, scoringUri: __, swaggerUri: ___, ...properties } = there.properties;
    const body: JsonObject = {
      location: there.location ?? to.region,
      identity: identityBody(there, 'SystemAssigned'),
      properties: { ...properties, traffic, mirrorTraffic },
    };
    for (const field of ['tags', 'kind', 'sku'])
      if (there[field] !== undefined && there[field] !== null) body[field] = there[field] as Json;
    await azure.arm.put(path, apiVersions.machineLearning, body, { signal });
  }
  if (same(traffic, had) && same(mirrorTraffic, mirrored)) return undefined;
  return `its traffic is ${show(traffic)}, and was ${show(had)}`;
}

function takenOver(had: Shares, serving: readonly string[]): Shares {
  const left = Object.fromEntries(Object.entries(had).filter(([name]) => serving.includes(name)));
  const wanting = total(had) - total(left);
  const [largest] = Object.entries(left).toSorted(([, a], [, b]) => b - a);
  if (wanting === 0 || !largest) return left;
  return { ...left, [largest[0]]: largest[1] + wanting };
}

function total(shares: Shares): number {
  return Object.values(shares).reduce((sum, share) => sum + share, 0);
}

/** No share and a share of zero are the same. */
function same(a: Shares, b: Shares): boolean {
  return [...Object.keys(a), ...Object.keys(b)].every((name) => (a[name] ?? 0) === (b[name] ?? 0));
}

function sharesOf(value: Json | undefined): Shares {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return {};
  return Object.fromEntries(
    Object.entries(value).filter((entry): entry is [string, number] => typeof entry[1] === 'number'),
  );
}

function show(shares: Shares): string {
  const parts = Object.entries(shares).map(([name, share]) => `${name} ${share}%`);
  return parts.length === 0 ? 'none' : parts.join(', ');
}
