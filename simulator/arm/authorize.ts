/**
 * What a request at the ARM endpoint needs of its principal, and what locks forbid it: asked before anything is told of
 * what it is about, so that who may not read cannot tell what is there.
 */

import { isObject, textOf } from '../resource/fields.ts';
import { parseTarget, type Target } from '../resource/ids.ts';
import type { Answer, ArmRequest } from '../http/answer.ts';
import { ArmError, type Cloud, type Json, type Principal } from '../contract/index.ts';
import { hasAnyRole, isAllowed, requireAllowed } from '../authorization/access.ts';
import { assignmentCircumstances } from '../authorization/assignment-circumstances.ts';
import { requireUnlocked } from '../authorization/locks.ts';

/** An action in Azure's words, at a scope. */
interface Need {
  action: string;
  scope: string;
  /** The type and id that locks are asked for; absent where nothing can be locked. */
  locked?: { id: string; type: string; operation: 'write' | 'delete' };
}

const GROUP = 'Microsoft.Resources/resourceGroups';
/** Lists that ARM keeps itself: they show what their reader may see, and are refused to nobody who may see anything. */
const FILTERED = /^\/subscriptions(\/[^/]+\/(resources|resourcegroups))?$/i;
/** ARM's own, open to every principal of the tenant. */
const OPEN =
  /^\/(tenants|providers(\/[^/]+(\/operations)?)?|providers\/Microsoft\.Resources\/calculateTemplateHash|providers\/Microsoft\.Authorization\/(roleDefinitions|providerOperations)(\/[^/]+)?|providers\/Microsoft\.Network\/checkTrafficManagerNameAvailability)$/i;
/** Whoever has any role in a subscription may see these of it. */
const OF_SUBSCRIPTION = /^\/subscriptions\/[^/]+(\/(locations|providers(\/[^/]+)?|tagNames))?$/i;
/** Polling is allowed to whoever could begin the operation; its id is its secret. */
const POLLED = /^\/subscriptions\/[^/]+\/providers\/[^/]+\/locations\/[^/]+\/operation(status(es)?|results?)\/[^/]+$/i;

/** Throws ArmError 403 `AuthorizationFailed` or 409 `ScopeLocked` unless the principal may ask this now. */
export function authorize(cloud: Cloud, request: ArmRequest): void {
  const { path, principal } = request;
  if (OPEN.test(path) || POLLED.test(path)) return;
  if (request.method === 'GET' && FILTERED.test(path)) return;
  const subscription = /^\/subscriptions\/[^/]+/i.exec(path)?.[0];
  if (request.method === 'GET' && OF_SUBSCRIPTION.test(path) && subscription) {
    if (hasAnyRole(cloud, principal, subscription)) return;
    requireAllowed(cloud, principal, 'Microsoft.Resources/subscriptions/read', subscription);
  }
  const need = needOf(request);
  if (!need) return;
  meet(cloud, request, need);
}

function meet(cloud: Cloud, { principal, body }: ArmRequest, { action, scope, locked }: Need): void {
  requireAllowed(cloud, principal, action, scope, assignmentCircumstances(cloud, action, scope, body));
  if (action.endsWith('/write')) requireIdentities(cloud, principal, action, scope, body);
  if (locked) requireUnlocked(cloud, locked.id, locked.type, locked.operation);
}

/** What is left, of a list that ARM keeps itself, for this principal. Any other answer goes through as it is. */
export function onlyReadable(cloud: Cloud, request: ArmRequest, answer: Answer): Answer {
  const { body } = answer;
  if (request.method !== 'GET' || !FILTERED.test(request.path)) return answer;
  if (!isObject(body) || !Array.isArray(body.value)) return answer;
  return { ...answer, body: { ...body, value: body.value.filter((one) => maySee(cloud, request, one)) } };
}

function maySee(cloud: Cloud, { principal, path }: ArmRequest, entry: Json): boolean {
  if (!isObject(entry)) return true;
  const id = textOf(entry.id);
  if (/^\/subscriptions$/i.test(path) || /\/resourcegroups$/i.test(path)) return hasAnyRole(cloud, principal, id);
  return isAllowed(cloud, principal, `${textOf(entry.type)}/read`, id);
}

function needOf(request: ArmRequest): Need | undefined {
  const { method, path } = request;
  if (method === 'POST') return needOfPost(path);
  const target = parseTarget(path);
  if (target.kind === 'other') {
    const scope = /^\/subscriptions\/[^/]+(\/resourcegroups\/[^/]+)?/i.exec(path)?.[0];
    return scope === undefined ? undefined : { action: 'Microsoft.Resources/subscriptions/read', scope };
  }
  if (target.kind === 'collection') return { action: `${ofArm(target.type)}/read`, scope: scopeOf(target) };
  const { id } = target;
  const read = { action: `${ofArm(id.type)}/read`, scope: id.id };
  switch (method) {
    case 'PUT':
    case 'PATCH':
      return {
        action: `${ofArm(id.type)}/write`,
        scope: id.id,
        locked: { id: id.id, type: id.type, operation: 'write' },
      };
    case 'DELETE':
      return {
        action: `${ofArm(id.type)}/delete`,
        scope: id.id,
        locked: { id: id.id, type: id.type, operation: 'delete' },
      };
    default:
      return read;
  }
}

/** A POST is an action of what its path names before its last word; a question about a name changes nothing. */
function needOfPost(path: string): Need | undefined {
  const slash = path.lastIndexOf('/');
  const name = path.slice(slash + 1);
  const above = parseTarget(path.slice(0, slash));
  if (above.kind === 'resource') {
    const { id, type } = above.id;
    const action = `${ofArm(type)}/${name}/action`;
    return { action, scope: id, locked: { id, type, operation: 'write' } };
  }
  const bare = /^(.*)\/providers\/([^/]+)\/([^/]+)$/i.exec(path);
  if (!bare) return undefined;
  const [, scope = '', namespace = ''] = bare;
  const kind = /^check.*availability$/i.test(name) ? 'read' : 'action';
  return { action: `${namespace}/${name}/${kind}`, scope: scope || '/' };
}

/** The scope that a list is asked of. */
function scopeOf(target: Extract<Target, { kind: 'collection' }>): string {
  const location = /^(.*)\/providers\/[^/]+\/locations\/[^/]+$/i.exec(target.parent ?? '')?.[1];
  return location ?? target.parent ?? (target.scope || '/');
}

/** Groups are called otherwise in actions than in their own type. */
function ofArm(type: string): string {
  return type.toLowerCase() === GROUP.toLowerCase() ? 'Microsoft.Resources/subscriptions/resourceGroups' : type;
}

const ASSIGN = 'Microsoft.ManagedIdentity/userAssignedIdentities/assign/action';

/** Who gives an identity to a resource must be allowed to assign it, or could do whatever the identity may. */
function requireIdentities(
  cloud: Cloud,
  principal: Principal,
  action: string,
  scope: string,
  body: Json | undefined,
): void {
  const identity = isObject(body) ? body.identity : undefined;
  const assigned = isObject(identity) ? identity.userAssignedIdentities : undefined;
  if (!isObject(assigned)) return;
  const refused = Object.keys(assigned).filter(
    (id) => assigned[id] !== null && !isAllowed(cloud, principal, ASSIGN, id),
  );
  if (refused.length === 0) return;
  const { clientId, objectId } = principal;
  throw new ArmError(
    403,
    'LinkedAuthorizationFailed',
    `The client '${clientId}' with object id '${objectId}' has permission to perform action '${action}' on scope '${scope}'; however, it does not have permission to perform action(s) '${ASSIGN}' on the linked scope(s) '${refused.join(',')}' (respectively) or the linked scope(s) are invalid.`,
  );
}

/** The same for one who is inside the cloud and acts for a principal: a deployment makes what its deployer may. */
export function authorizeWithin(
  cloud: Cloud,
  principal: Principal,
  method: 'GET' | 'PUT' | 'DELETE' | 'POST',
  path: string,
  body?: Json,
): void {
  const request = {
    method,
    path,
    principal,
    body,
    query: new URLSearchParams(),
    headers: {},
    apiVersion: '',
  };
  const need = needOf(request);
  if (!need) throw new ArmError(400, 'InvalidResourceId', `'${path}' is not the id of a resource.`);
  meet(cloud, request, need);
}
