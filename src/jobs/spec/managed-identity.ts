/** The managed identity that a job or a node of a pipeline names. Pure. */
import type { JsonObject } from '../../azure/azure.ts';
import { textAt } from '../../azure/body/json.ts';

/** Nodes of a pipeline are spelt as the command line spells them. */
const kinds = ['identityType', 'identity_type', 'type'];
const ids = [
  'resourceId',
  'resource_id',
  'msi_resource_id',
  'clientId',
  'client_id',
  'objectId',
  'object_id',
];

/** The id by which it is named; undefined for what is no managed identity, and for one without ids: that is the compute's own. */
export function namedIdentity(value: JsonObject): string | undefined {
  const kind = kinds.map((key) => textAt(value, key)).find((each) => each !== undefined) ?? '';
  if (!/^managed(_?identity)?$/i.test(kind)) return undefined;
  return ids.map((key) => textAt(value, key)).find((id) => id !== undefined && id !== '');
}
