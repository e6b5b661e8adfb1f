/** What the read-only fields of a type are made from. */

import { isObject } from '../resource/fields.ts';
import type { Json, JsonObject } from '../contract/index.ts';

export interface Place {
  name: string;
  id: string;
  /** 'eastus'; 'global' where there is none. */
  location: string;
  properties: JsonObject;
  /** The same for the same resource, whenever it is asked. */
  guid: (salt: string) => string;
  /** An address of the private range 10/8, the same for the same resource. */
  address: () => string;
}

export type Fields = (place: Place) => JsonObject;

/** The value, if it is an object; an empty one if not. */
export function object(value: Json | undefined): JsonObject {
  return isObject(value) ? value : {};
}
