/** The operations at paths that are no resource: usages, quotas and sizes of a region, and the list of operations. */

import type { Cloud, Json, Provider } from '../../contract/index.ts';
import { ArmError } from '../../contract/index.ts';
import { NAMESPACE } from '../bodies/fields.ts';
import { listQuotas, listUsages, updateQuotas } from './quota.ts';
import { offeredSizes, showSize } from './sizes.ts';

const LOCATION =
  /^\/subscriptions\/([^/]+)\/providers\/microsoft\.machinelearningservices\/locations\/([^/]+)\/([a-z]+)$/i;

/** The operations below, as method and path end: what is offered beside the rows. */
export const OFFERED_BESIDE_ROWS: readonly RegExp[] = [
  /^GET \/providers\/[^/]+\/operations$/,
  /^GET .*\/locations\/[^/]+\/(usages|quotas|vmSizes)$/,
  /^POST .*\/locations\/[^/]+\/updateQuotas$/,
];

/** Answers what stands below `…/locations/{region}/`; undefined for any other path. */
export const routeLocations: NonNullable<Provider['route']> = ({ cloud, method, path, body }) => {
  if (/^\/providers\/microsoft\.machinelearningservices\/operations$/i.test(path) && method === 'GET')
    return Promise.resolve({ status: 200, body: { value: listOperations() } });
  const [, subscriptionId = '', location = '', last = ''] = LOCATION.exec(path) ?? [];
  if (last === '') return Promise.resolve(undefined);
  const region = location.toLowerCase().replaceAll(' ', '');
  const value = answer(cloud, `${method} ${last.toLowerCase()}`, subscriptionId, region, body);
  return Promise.resolve(value && { status: 200, body: { value } });
};

function answer(
  cloud: Cloud,
  operation: string,
  subscriptionId: string,
  region: string,
  body: { [key: string]: Json },
): Json[] | undefined {
  const known: Record<string, () => Json[]> = {
    'GET usages': () => listUsages(cloud, subscriptionId, region),
    'GET quotas': () => listQuotas(cloud, subscriptionId, region),
    'GET vmsizes': () => offeredSizes(cloud, region).map(showSize),
    'POST updatequotas': () => updateQuotas(cloud, region, body),
  };
  const found = known[operation];
  if (!found) return undefined;
  if (!cloud.regions.includes(region))
    throw new ArmError(
      400,
      'NoRegisteredProviderFound',
      `No registered resource provider found for location '${region}'. The supported locations are '${cloud.regions.join(', ')}'.`,
    );
  return found();
}

function listOperations(): Json[] {
  const types = [
    'workspaces',
    'workspaces/computes',
    'workspaces/jobs',
    'workspaces/models',
    'workspaces/onlineEndpoints',
  ];
  return types.flatMap((type) =>
    ['read', 'write', 'delete'].map((verb) => ({
      name: `${NAMESPACE}/${type}/${verb}`,
      display: {
        provider: 'Microsoft Machine Learning Services',
        resource: type,
        operation: verb,
        description: `${verb} ${type}`,
      },
    })),
  );
}
