/**
 * `/_/discovery`: where the other services of a region's workspaces are, in the shape that Azure's own clients read.
 */

import type { Cloud } from '../../contract/index.ts';

const SERVICES = [
  'api',
  'catalog',
  'experimentation',
  'gallery',
  'history',
  'hyperdrive',
  'labeling',
  'modelmanagement',
  'pipelines',
  'studio',
];

export function serveDiscovery(cloud: Cloud): void {
  cloud.onDataPlane('discovery', ({ region, method }) => {
    if (method !== 'GET')
      return {
        status: 405,
        body: { error: { code: 'MethodNotAllowed', message: `Send a GET, not a ${method}.` } },
      };
    const base = `${cloud.dataPlane(region)}/_/aml`;
    return { status: 200, body: Object.fromEntries(SERVICES.map((service) => [service, base])) };
  });
}
