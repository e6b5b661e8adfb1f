/** The parts of a region that can fail apart from each other, and what belongs to which. */

/**
 * 'arm': management of anything in the region; 'blob': the blob fronts; 'storage': blobs and the management of
 * accounts; 'ml', 'keyvault': management and data plane of that service.
 */
export const PARTS = ['arm', 'blob', 'storage', 'ml', 'keyvault'] as const;
export type Part = (typeof PARTS)[number];

/** What is known of a request where faults are decided. `path` without the query. */
export interface Asked {
  method: string;
  path: string;
}

const SERVICES: Record<string, Part> = {
  'microsoft.machinelearningservices': 'ml',
  'microsoft.storage': 'storage',
  'microsoft.keyvault': 'keyvault',
};

/** The parts that a management request belongs to. */
export function managementParts(namespace: string): Part[] {
  const service = SERVICES[namespace.toLowerCase()];
  return service ? ['arm', service] : ['arm'];
}

/** The part of a data plane below `/_/{prefix}/`: the vaults' own, all others are Azure Machine Learning's. */
export function dataPlaneParts(prefix: string): Part[] {
  return prefix === 'vault' ? ['keyvault'] : ['ml'];
}

/** Actions of ARM that read, though they are sent as POST. */
const READING_ACTION = /\/(list|check|validate|whatif|get|query|diagnose|export|calculate)[^/]*\/?$/i;

/** Would the request change anything? What is posted to a data plane (scoring, queries) reads. */
export function isWrite({ method, path }: Asked): boolean {
  if (method === 'POST') return /^\/(subscriptions|providers)\//i.test(path) && !READING_ACTION.test(path);
  return method === 'PUT' || method === 'PATCH' || method === 'DELETE';
}
