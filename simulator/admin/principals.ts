/** Service principals and subscriptions, made by the admin API where Azure has Entra and billing. */

import type { Answer } from '../http/answer.ts';
import { ArmError, type JsonObject } from '../contract/index.ts';
import { builtInRoleNamed, builtInRoles, giveOwner, grant, setRoleDelay } from '../authorization/index.ts';
import { numberField, requireKnown, stringField } from './bodies.ts';
import type { AdminParts } from './route.ts';

/** Another subscription; the cloud's first principal owns it, too. */
export function addSubscription({ cloud, directory }: AdminParts, body: JsonObject): Answer {
  const subscription = directory.addSubscription(stringField(body, 'displayName'));
  giveOwner(cloud, directory, subscription.subscriptionId);
  return { status: 201, body: { ...subscription } };
}

/**
 * Another service principal. `roles`: names of built-in roles that it has at once, at `scope` (the first subscription
 * unless said); without them it may do nothing until a role is assigned to it.
 */
export function addPrincipal({ cloud, directory }: AdminParts, body: JsonObject): Answer {
  requireKnown(body, ['displayName', 'roles', 'scope']);
  const name = stringField(body, 'displayName');
  const roles = readRoles(body);
  const scope = readScope(body) ?? `/subscriptions/${directory.subscriptions()[0]?.subscriptionId ?? ''}`;
  const { displayName, clientId, objectId, tenantId, secrets } = directory.addPrincipal(name);
  for (const role of roles) grant(cloud, objectId, role, scope);
  return { status: 201, body: { displayName, clientId, objectId, tenantId, clientSecret: secrets[0] ?? '' } };
}

export function removePrincipal({ directory }: AdminParts, clientId: string): Answer {
  if (!directory.removePrincipal(clientId))
    throw new ArmError(404, 'NotFound', `There is no service principal '${clientId}'.`);
  return { status: 204 };
}

/** How long changes of role assignments take to have their effect, from now on; null: as at the start. */
export function delayRoles({ cloud }: AdminParts, body: JsonObject): Answer {
  requireKnown(body, ['delaySeconds']);
  if (body.delaySeconds === null) setRoleDelay(cloud, undefined);
  else {
    const seconds = numberField(body, 'delaySeconds');
    if (seconds === undefined)
      throw new ArmError(400, 'BadRequest', "'delaySeconds': expected a number from 0 on, or null");
    setRoleDelay(cloud, seconds * 1000);
  }
  return { status: 204 };
}

function readRoles({ roles = [] }: JsonObject): string[] {
  if (!Array.isArray(roles) || !roles.every((one) => typeof one === 'string'))
    throw new ArmError(400, 'BadRequest', `'roles': expected a list of names, got ${JSON.stringify(roles)}`);
  return roles.map((name) => {
    const role = builtInRoleNamed(name);
    if (role) return role.id;
    const known = builtInRoles().map(({ roleName }) => roleName);
    throw new ArmError(400, 'BadRequest', `'roles': there is no built-in role '${name}': expected ${known.join(', ')}`);
  });
}

function readScope(body: JsonObject): string | undefined {
  if (body.scope === undefined) return undefined;
  const scope = stringField(body, 'scope');
  if (/^\/subscriptions\/[^/]+(\/.+)?[^/]$/i.test(scope)) return scope;
  throw new ArmError(
    400,
    'BadRequest',
    `'scope': expected the id of a subscription, a group or a resource, got '${scope}'`,
  );
}
