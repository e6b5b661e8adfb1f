/** Finds the managed identity that a job or a pipeline node names. Pure. */
import type { JsonObject } from '../../azure/azure.ts';
import { textAt } from '../../azure/body/json.ts';

/** Pipeline nodes use the spelling of the command line. */
const kinds = ['identityType', 'identity_type', 'type'];
const ids = ['resourceId', 'resource_id', 'msi_resource_id', 'clientId', 'client_id', 'objectId', 'object_id'];

/**
 * Returns the id that names it. Undefined if it is not a managed identity, or has no ids: then it is the compute's own.
 */
export function namedIdentity(value: JsonObject): string | undefined {
  const kind = kinds.map((key) => textAt(value, key)).find((each) => each !== undefined) ?? '';
  if (!/^managed(_?identity)?$/i.test(kind)) return undefined;
  return ids.map((key) => textAt(value, key)).find((id) => id !== undefined && id !== '');
}
