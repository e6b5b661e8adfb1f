/**
 * Who may do what with a vault's secrets: by roles where the vault is so set, else by its access policies. Azure's
 * management roles open neither. Source: Key Vault, "Azure RBAC permissions for secrets", "Assign an access policy".
 */

import { isNamed } from '../resource/address-rules.ts';
import { isObject, textOf } from '../resource/fields.ts';
import {
  ArmError,
  type Call,
  type Cloud,
  type Json,
  type JsonObject,
  type Principal,
  type Stored,
} from '../contract/index.ts';
import { isAllowed } from '../authorization/access.ts';
import { readPolicies } from './settings.ts';

/** What a request does, as access policies call it and as roles do. */
interface SecretOperation {
  permission: string;
  action: string;
}

const OPERATIONS = {
  get: { permission: 'get', action: 'getSecret' },
  list: { permission: 'list', action: 'readMetadata' },
  getDeleted: { permission: 'get', action: 'readMetadata' },
  set: { permission: 'set', action: 'setSecret' },
  update: { permission: 'set', action: 'update' },
  delete: { permission: 'delete', action: 'delete' },
  recover: { permission: 'recover', action: 'recover' },
  purge: { permission: 'purge', action: 'purge' },
  backup: { permission: 'backup', action: 'backup' },
  restore: { permission: 'restore', action: 'restore' },
} satisfies Record<string, SecretOperation>;

/** An error of a vault, with its inner code. */
export class VaultError extends ArmError {
  readonly inner: string;
  constructor(status: number, code: string, message: string, inner: string) {
    super(status, code, message);
    this.inner = inner;
  }
}

/**
 * Throws VaultError 403 `Forbidden` (`ForbiddenByRbac`, `ForbiddenByPolicy`) unless the principal may ask this of the
 * vault.
 */
export function requireSecretAccess(
  cloud: Cloud,
  vault: Stored,
  principal: Principal,
  asked: { method: string; collection: string; name: string | undefined; rest: string[] },
): void {
  const operation = operationOf(asked);
  const caller = `appid=${principal.clientId};oid=${principal.objectId};iss=https://sts.windows.net/${principal.tenantId}/`;
  const place = `${vault.resource.name};location=${vault.region ?? ''}`;
  if (vault.resource.properties.enableRbacAuthorization === true) {
    const scope = asked.name === undefined ? vault.resource.id : `${vault.resource.id}/secrets/${asked.name}`;
    const verb = operation.action === 'delete' ? 'delete' : `${operation.action}/action`;
    const action = `Microsoft.KeyVault/vaults/secrets/${verb}`;
    if (isAllowed(cloud, principal, action, scope, 'data')) return;
    throw new VaultError(
      403,
      'Forbidden',
      `Caller is not authorized to perform action on resource.\r\nIf role assignments, deny assignments or role definitions were changed recently, please observe propagation time.\r\nCaller: ${caller}\r\nAction: '${action}'\r\nResource: '${scope.toLowerCase()}'\r\nAssignment: (not found)\r\nDenyAssignmentId: null\r\nDecisionReason: null \r\nVault: ${place}\r\n`,
      'ForbiddenByRbac',
    );
  }
  if (hasPolicy(vault, principal, operation.permission)) return;
  throw new VaultError(
    403,
    'Forbidden',
    `The user, group or application '${caller}' does not have secrets ${operation.permission} permission on key vault '${place}'. For help resolving this issue, please see https://go.microsoft.com/fwlink/?linkid=2125287`,
    'ForbiddenByPolicy',
  );
}

/** Throws VaultError 403 unless the vault's network rules let in a caller of this address. */
export function requireNetwork({ resource, region }: Stored, caller: string | undefined): void {
  const { publicNetworkAccess, networkAcls } = resource.properties;
  if (/^(disabled|securedbyperimeter)$/i.test(textOf(publicNetworkAccess)))
    throw new VaultError(
      403,
      'Forbidden',
      'Public network access is disabled and request is not from a trusted service nor via an approved private link.',
      'ForbiddenByConnection',
    );
  if (!isObject(networkAcls) || textOf(networkAcls.defaultAction).toLowerCase() !== 'deny') return;
  if (isNamed(networkAcls.ipRules, caller)) return;
  throw new VaultError(
    403,
    'Forbidden',
    `Client address is not authorized and caller is not a trusted service.\r\nClient address: ${caller ?? ''}\r\nVault: ${resource.name};location=${region ?? ''}`,
    'ForbiddenByFirewall',
  );
}

function operationOf({
  method,
  collection,
  name,
  rest,
}: {
  method: string;
  collection: string;
  name: string | undefined;
  rest: string[];
}): SecretOperation {
  const word = rest[0]?.toLowerCase();
  if (name === undefined) return OPERATIONS.list;
  if (collection.toLowerCase() === 'deletedsecrets') {
    if (method === 'GET') return OPERATIONS.getDeleted;
    return method === 'DELETE' ? OPERATIONS.purge : OPERATIONS.recover;
  }
  switch (method) {
    case 'PUT':
      return OPERATIONS.set;
    case 'PATCH':
      return OPERATIONS.update;
    case 'DELETE':
      return OPERATIONS.delete;
    case 'POST':
      return word === 'backup' ? OPERATIONS.backup : OPERATIONS.restore;
    default:
      return word === 'versions' ? OPERATIONS.list : OPERATIONS.get;
  }
}

function hasPolicy({ resource }: Stored, principal: Principal, permission: string): boolean {
  const { accessPolicies } = resource.properties;
  if (!Array.isArray(accessPolicies)) return false;
  return accessPolicies.filter(isObject).some(({ objectId, permissions }) => {
    if (textOf(objectId).toLowerCase() !== principal.objectId.toLowerCase()) return false;
    const secrets = isObject(permissions) ? permissions.secrets : undefined;
    const held = Array.isArray(secrets) ? secrets.map((one) => textOf(one).toLowerCase()) : [];
    return held.includes(permission) || held.includes('all');
  });
}

/** PUT `…/accessPolicies/{add|replace|remove}`: changes the vault's own list; there is no such resource to be kept. */
export function changePolicies({ cloud, id }: Call, next: Stored): void {
  const vault = id.parent === undefined ? undefined : cloud.store.get(id.parent);
  if (!vault) return; // The envelope has refused a vault that is not there.
  const sent = readPolicies(next.resource.properties.accessPolicies);
  const held = readPolicies(vault.resource.properties.accessPolicies);
  const changed = combined(id.name, held, sent);
  const properties = { ...vault.resource.properties, accessPolicies: changed };
  const { resource } = vault;
  cloud.store.put({ ...vault, resource: { ...resource, properties }, changedAt: next.changedAt });
  next.resource.properties = { accessPolicies: changed };
}

function combined(kind: string, held: JsonObject[], sent: JsonObject[]): JsonObject[] {
  const key = ({ objectId }: JsonObject): string => textOf(objectId).toLowerCase();
  const others = held.filter((one) => !sent.some((other) => key(other) === key(one)));
  switch (kind.toLowerCase()) {
    case 'replace':
      return sent;
    case 'remove':
      return [...others, ...sent.flatMap((one) => joined(held, one, (a, b) => a.filter((x) => !b.includes(x))))];
    case 'add':
      return [
        ...others,
        ...sent.flatMap((one) => {
          const both = joined(held, one, (a, b) => [...new Set([...a, ...b])]);
          return both.length > 0 ? both : [one];
        }),
      ];
    default:
      throw new ArmError(
        400,
        'BadRequest',
        `The access policy operation '${kind}' is not valid: expected add, replace or remove.`,
      );
  }
}

/** The policy that is held for the same principal, each of its lists combined with that of the other. */
function joined(held: JsonObject[], sent: JsonObject, combine: (held: Json[], sent: Json[]) => Json[]): JsonObject[] {
  const same = held.find(({ objectId }) => textOf(objectId).toLowerCase() === textOf(sent.objectId).toLowerCase());
  if (!same || !isObject(same.permissions) || !isObject(sent.permissions)) return [];
  const permissions: JsonObject = {};
  for (const kind of new Set([...Object.keys(same.permissions), ...Object.keys(sent.permissions)])) {
    const list = (value: Json | undefined): Json[] => (Array.isArray(value) ? value : []);
    permissions[kind] = combine(list(same.permissions[kind]), list(sent.permissions[kind]));
  }
  return [{ ...same, permissions }];
}
