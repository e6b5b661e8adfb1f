/** The published examples say "string" where nothing could be called so. */

import type { Json } from '../../../simulator/contract/index.ts';
import type { Operation } from './api-description.ts';

/** Values by the field they stand in, whatever the operation. */
const EVERYWHERE: Record<string, Json> = {
  expression: '0 2 * * *',
  timeZone: 'UTC',
  startTime: '2030-01-01T00:00:00',
  endTime: '2030-02-01T00:00:00',
  // No deployment is there before its endpoint.
  traffic: {},
  deploymentName: null,
};

/** Of a subscription of which nothing is known. */
const SUBNET =
  '/subscriptions/7c8f1f6e-2b5a-4b9e-9a53-4d1f0f6f2c11/resourceGroups/net/providers/Microsoft.Network/virtualNetworks/ml/subnets/train';

/** An example's value with something real for its placeholders. */
export function real(value: Json, operation: Operation, names: { subscription: string; identity: string }): Json {
  if (Array.isArray(value)) return value.map((entry) => real(entry, operation, names));
  if (typeof value === 'string') return value.replaceAll(/\/subscriptions\/[0-9a-f-]{36}/g, names.subscription);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, entry]): [string, Json] => {
      if (key === 'userAssignedIdentities') return [key, { [names.identity]: {} }];
      if (key === 'subnet') return [key, { id: SUBNET }];
      if (key === 'resourceId' && entry === 'string') return [key, names.identity];
      if (key === 'instanceType' && operation.path.includes('/onlineEndpoints/')) return [key, 'Standard_DS3_v2'];
      if (key === 'modelId' && operation.path.includes('/marketplaceSubscriptions/'))
        return [key, 'azureml://registries/partner/models/chat'];
      const known = EVERYWHERE[key];
      return [key, known === undefined ? real(entry, operation, names) : known];
    }),
  );
}
