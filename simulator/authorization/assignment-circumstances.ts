/** What conditions ask of those who assign roles: who may give which role to whom ("delegate with conditions"). */

import { isObject, textOf } from '../resource/fields.ts';
import type { Cloud, Json, JsonObject } from '../contract/index.ts';
import { ASSIGNMENT, roleIdOf } from './access.ts';
import type { Circumstances } from './conditions.ts';

/** The role and the principal that a PUT would assign, or that a DELETE takes away; undefined for any other action. */
export function assignmentCircumstances(
  { store }: Pick<Cloud, 'store'>,
  action: string,
  id: string,
  body: Json | undefined,
): Circumstances | undefined {
  const kind = action.toLowerCase().slice(ASSIGNMENT.length + 1);
  if (!action.toLowerCase().startsWith(`${ASSIGNMENT.toLowerCase()}/`)) return undefined;
  if (kind === 'delete') {
    const held = store.get(id)?.resource.properties ?? {};
    return { attributes: attributesOf('resource', held) };
  }
  const sent = isObject(body) && isObject(body.properties) ? body.properties : {};
  return { attributes: attributesOf('request', sent) };
}

function attributesOf(source: 'request' | 'resource', properties: JsonObject): Circumstances['attributes'] {
  const name = `${source}|${ASSIGNMENT.toLowerCase()}`;
  const some = (text: string): string[] => (text === '' ? [] : [text]);
  return {
    [`${name}:roledefinitionid`]: some(roleIdOf(properties.roleDefinitionId)),
    [`${name}:principalid`]: some(textOf(properties.principalId)),
    [`${name}:principaltype`]: some(textOf(properties.principalType)),
  };
}
