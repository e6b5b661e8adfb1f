/** Fields of a resource that are texts, or the benchmark cannot go on. */
import type { ArmResource } from '../src/azure/azure.ts';

/** Throws an Error naming the resource and the field. */
export function textField({ id, properties }: ArmResource, field: string): string {
  const value = properties[field];
  if (typeof value === 'string') return value;
  throw new Error(`${id}: ${field}: expected a text, got ${JSON.stringify(value)}`);
}
