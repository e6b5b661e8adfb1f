/** Service principals of a test's cloud, and requests in their name. */

import { randomUUID } from 'node:crypto';
import { builtInRoleNamed } from '../../simulator/authorization/index.ts';
import type { Principal } from '../../simulator/contract/index.ts';
import type { Ask, HttpAnswer, TestCloud } from './running-cloud.ts';

const API = 'api-version=2022-04-01';

export interface TestPrincipal extends Principal {
  /** A request at ARM, or at any address of the cloud with a token for `audience`. */
  arm(path: string, ask?: Ask): Promise<HttpAnswer>;
  token(audience: string): Promise<string>;
}

/** Makes a principal, with roles that it has at once. */
export async function addPrincipal(cloud: TestCloud, roles: string[] = [], scope?: string): Promise<TestPrincipal> {
  const body = { displayName: 'test', roles, ...(scope === undefined ? {} : { scope }) };
  const made = (await cloud.admin('POST', '/principals', body)).json as Record<string, string>;
  const { clientId = '', clientSecret = '', objectId = '', tenantId = '' } = made;
  const token = async (audience: string): Promise<string> => {
    const form = new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: clientId,
      client_secret: clientSecret,
      scope: `${audience}/.default`,
    });
    const answer = await cloud.ask(`${cloud.at.address.authority}/${tenantId}/oauth2/v2.0/token`, {
      method: 'POST',
      raw: form.toString(),
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    });
    return (answer.json as { access_token: string }).access_token;
  };
  let own: string | undefined;
  const arm = async (path: string, ask: Ask = {}): Promise<HttpAnswer> => {
    own ??= await token(cloud.at.address.arm);
    return cloud.arm(path, { ...ask, token: own });
  };
  return { objectId, clientId, tenantId, arm, token };
}

/** Assigns a built-in role as an owner does; answers the assignment's id. */
export async function assign(cloud: TestCloud, principal: Principal, roleName: string, scope: string): Promise<string> {
  const id = `${scope}/providers/Microsoft.Authorization/roleAssignments/${randomUUID()}`;
  const role = builtInRoleNamed(roleName);
  if (!role) throw new Error(`there is no role '${roleName}'`);
  const roleDefinitionId = `${cloud.subscription}/providers/Microsoft.Authorization/roleDefinitions/${role.id}`;
  const body = {
    properties: { roleDefinitionId, principalId: principal.objectId, principalType: 'ServicePrincipal' },
  };
  const answer = await cloud.arm(`${id}?${API}`, { method: 'PUT', body });
  if (answer.status !== 201) throw new Error(`${roleName} at ${scope}: ${answer.status} ${answer.text}`);
  return id;
}

export function codeOf(answer: HttpAnswer): string {
  return ((answer.json.error ?? {}) as { code?: string }).code ?? `none (${answer.status})`;
}

export function messageOf(answer: HttpAnswer): string {
  return ((answer.json.error ?? {}) as { message?: string }).message ?? '';
}
