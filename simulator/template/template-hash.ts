/** The hash by which Azure's clients see that a template has changed. */

import { createHash } from 'node:crypto';
import type { JsonObject } from '../contract/index.ts';

/** A number for a template, the same for the same content. */
export function templateHash(template: JsonObject): string {
  return createHash('sha256').update(JSON.stringify(template)).digest().readBigUInt64BE().toString();
}
