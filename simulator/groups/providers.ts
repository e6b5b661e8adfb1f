/** The resource providers of a subscription as ARM lists them: namespaces, their types, and who may register them. */

import { LISTED_VERSIONS } from '../resource/api-version.ts';
import { ArmError, type Cloud, type JsonObject, type Provider } from '../contract/index.ts';
import { displayName } from '../resource/regions.ts';
import { type ListedType, typesByNamespace } from '../resource/registered-types.ts';

type RouteRequest = Parameters<NonNullable<Provider['route']>>[0];
type RouteAnswer = Awaited<ReturnType<NonNullable<Provider['route']>>>;

const PATH =
  /^(?<scope>\/subscriptions\/[^/]+)?\/providers(?:\/(?<namespace>[^/]+)(?:\/(?<verb>register|unregister|resourceTypes|providerPermissions))?)?$/i;

/** Answers a request about providers; undefined: it is none. */
export function routeProviders({ cloud, method, path }: RouteRequest, providers: readonly Provider[]): RouteAnswer {
  const { scope = '', namespace, verb } = PATH.exec(path)?.groups ?? {};
  const asked = verb?.toLowerCase() ?? '';
  if (!PATH.test(path) || method !== (asked.endsWith('register') ? 'POST' : 'GET')) return undefined;
  if (asked !== '' && scope === '') return undefined;
  const all = listed(cloud, providers, scope);
  if (namespace === undefined) return { status: 200, body: { value: all } };
  const found = all.find((one) => one.namespace.toLowerCase() === namespace.toLowerCase());
  if (!found) throw new ArmError(404, 'InvalidResourceNamespace', `The resource namespace '${namespace}' is invalid.`);
  if (asked === 'resourcetypes') return { status: 200, body: { value: found.resourceTypes } };
  if (asked === 'providerpermissions') return { status: 200, body: { value: [] } };
  return { status: 200, body: found };
}

function listed(
  cloud: Cloud,
  providers: readonly Provider[],
  scope: string,
): { id: string; namespace: string; resourceTypes: JsonObject[]; [field: string]: string | JsonObject[] }[] {
  return [...typesByNamespace(providers.flatMap((provider) => provider.types))].map(([namespace, types]) => ({
    id: `${scope}/providers/${namespace}`,
    namespace,
    registrationState: 'Registered',
    registrationPolicy: 'RegistrationRequired',
    resourceTypes: types.map((one) => describeType(cloud, one)),
  }));
}

function describeType(cloud: Cloud, { name, isGlobal, isTracked }: ListedType): JsonObject {
  return {
    resourceType: name,
    locations: isGlobal ? ['global'] : cloud.regions.map(displayName),
    apiVersions: LISTED_VERSIONS,
    capabilities: isTracked ? 'SupportsTags, SupportsLocation' : 'None',
  };
}
