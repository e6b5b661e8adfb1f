import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isAllowed } from '../../simulator/authorization/access.ts';
import { grant } from '../../simulator/authorization/index.ts';
import { builtInRoleNamed } from '../../simulator/authorization/built-in-roles.ts';
import type { JsonObject } from '../../simulator/contract/index.ts';
import { addPrincipal, assign, codeOf, messageOf } from './principals.ts';
import { TestCloud } from './running-cloud.ts';

const API = 'api-version=2024-03-01';
const DELAY_MS = 600_000;
let cloud: TestCloud;
let group: string;

beforeAll(async () => {
  cloud = await TestCloud.start({ roleDelaySeconds: DELAY_MS / 1000 });
  group = await cloud.group('roles', 'eastus');
}, 60_000);
afterAll(() => cloud.stop());

const identity = (name: string): string =>
  `${group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/${name}`;
const put = { method: 'PUT', body: { location: 'eastus', properties: {} } };

describe('a principal without a role', () => {
  it('is refused with AuthorizationFailed, which tells not whether anything is there', async () => {
    const nobody = await addPrincipal(cloud);
    const refused = await nobody.arm(`${group}?${API}`);
    expect(refused.status).toBe(403);
    expect(refused.json.error).toEqual({
      code: 'AuthorizationFailed',
      message: `The client '${nobody.clientId}' with object id '${nobody.objectId}' does not have authorization to perform action 'Microsoft.Resources/subscriptions/resourceGroups/read' over scope '${group}' or the scope is invalid. If access was recently granted, please refresh your credentials.`,
    });
    for (const [method, path, action] of [
      ['GET', `${cloud.subscription}/resourceGroups/nothing`, 'resourceGroups/read'],
      ['PUT', identity('theirs'), 'Microsoft.ManagedIdentity/userAssignedIdentities/write'],
      ['DELETE', identity('theirs'), 'Microsoft.ManagedIdentity/userAssignedIdentities/delete'],
      ['POST', `${group}/providers/Microsoft.Storage/storageAccounts/x/listKeys`, 'storageAccounts/listKeys/action'],
      ['GET', `${cloud.subscription}/providers/Microsoft.Storage/storageAccounts`, 'storageAccounts/read'],
      ['GET', cloud.subscription, 'Microsoft.Resources/subscriptions/read'],
      [
        'GET',
        `${cloud.subscription}/providers/Microsoft.MachineLearningServices/locations/eastus/usages`,
        'locations/usages/read',
      ],
    ] as const) {
      const answer = await nobody.arm(`${path}?${API}`, {
        method,
        ...(method === 'PUT' ? { body: put.body } : {}),
      });
      expect([path, answer.status, codeOf(answer)]).toEqual([path, 403, 'AuthorizationFailed']);
      expect(messageOf(answer)).toContain(`${action}'`);
    }
    for (const path of ['/subscriptions', `${cloud.subscription}/resourceGroups`, `${cloud.subscription}/resources`])
      expect((await nobody.arm(`${path}?${API}`)).json.value).toEqual([]);
    const unknown = await nobody.arm(`/subscriptions/${randomUUID()}?${API}`);
    expect(codeOf(unknown)).toBe('SubscriptionNotFound');
  });
});

describe('an assignment', () => {
  it('is honoured after its delay, and after its deletion for as long', async () => {
    const reader = await addPrincipal(cloud);
    const id = await assign(cloud, reader, 'Reader', group);
    expect((await reader.arm(`${group}?${API}`)).status).toBe(403);
    cloud.at.clock.advance(DELAY_MS);
    expect((await reader.arm(`${group}?${API}`)).status).toBe(200);
    expect(codeOf(await reader.arm(`${identity('mine')}?${API}`, put))).toBe('AuthorizationFailed');
    const groups = (await reader.arm(`${cloud.subscription}/resourceGroups?${API}`)).json.value as JsonObject[];
    expect(groups.map(({ name }) => name)).toEqual(['roles']);
    expect(((await reader.arm(`/subscriptions?${API}`)).json.value as JsonObject[]).length).toBe(1);

    // Azure's clients read the assignment that is gone from the answer.
    const gone = await cloud.arm(`${id}?${API}`, { method: 'DELETE' });
    expect([gone.status, gone.json]).toMatchObject([200, { properties: { principalId: reader.objectId } }]);
    expect((await reader.arm(`${group}?${API}`)).status).toBe(200);
    cloud.at.clock.advance(DELAY_MS / 2);
    expect((await reader.arm(`${group}?${API}`)).status).toBe(200);
    cloud.at.clock.advance(DELAY_MS / 2);
    expect((await reader.arm(`${group}?${API}`)).status).toBe(403);
  });

  it('deleted before it was effective never is', async () => {
    const reader = await addPrincipal(cloud);
    const id = await assign(cloud, reader, 'Reader', group);
    await cloud.arm(`${id}?${API}`, { method: 'DELETE' });
    expect((await reader.arm(`${group}?${API}`)).status).toBe(403);
    cloud.at.clock.advance(DELAY_MS);
    expect((await reader.arm(`${group}?${API}`)).status).toBe(403);
  });

  it('to a principal that nobody knows needs its type', async () => {
    const scope = `${group}/providers/Microsoft.Authorization/roleAssignments`;
    const roleDefinitionId = `/providers/Microsoft.Authorization/roleDefinitions/${builtInRoleNamed('Reader')?.id}`;
    const ask = (properties: JsonObject): ReturnType<TestCloud['arm']> =>
      cloud.arm(`${scope}/${randomUUID()}?${API}`, {
        method: 'PUT',
        body: { properties: { roleDefinitionId, ...properties } },
      });
    const principalId = randomUUID();
    expect(codeOf(await ask({ principalId }))).toBe('PrincipalNotFound');
    expect((await ask({ principalId, principalType: 'ServicePrincipal' })).status).toBe(201);
    const known = await cloud.make(identity('known'), put.body);
    const own = (known.properties as { principalId: string }).principalId;
    expect((await ask({ principalId: own })).status).toBe(201);
  });

  it('of the owner is listed like any other, and outlives a restart', async () => {
    const list = async (): Promise<JsonObject[]> =>
      (
        await cloud.arm(
          `${cloud.subscription}/providers/Microsoft.Authorization/roleAssignments?${API}&$filter=${encodeURIComponent('atScope()')}`,
        )
      ).json.value as JsonObject[];
    const before = await list();
    expect(before).toHaveLength(3);
    expect(JSON.stringify(before)).toContain(builtInRoleNamed('Owner')?.id);
    await cloud.restart();
    expect(await list()).toEqual(before);
  });
});

describe('roles', () => {
  it('give what Azure says of them', async () => {
    const contributor = await addPrincipal(cloud, ['Contributor'], group);
    expect((await contributor.arm(`${identity('made')}?${API}`, put)).status).toBe(201);
    const assignment = `${group}/providers/Microsoft.Authorization/roleAssignments/${randomUUID()}`;
    expect(codeOf(await contributor.arm(`${assignment}?${API}`, { method: 'PUT', body: {} }))).toBe(
      'AuthorizationFailed',
    );
    const lock = `${group}/providers/Microsoft.Authorization/locks/hold`;
    expect(codeOf(await contributor.arm(`${lock}?${API}`, { method: 'PUT', body: {} }))).toBe('AuthorizationFailed');

    const { id } = await cloud.account(group, 'rolesaccount', 'eastus');
    const operator = await addPrincipal(cloud, ['Storage Account Key Operator Service Role'], id);
    expect((await operator.arm(`${id}/listKeys?${API}`, { method: 'POST' })).status).toBe(200);
    expect((await operator.arm(`${id}?${API}`)).status).toBe(403);
    const reader = await addPrincipal(cloud, ['Reader'], id);
    expect((await reader.arm(`${id}?${API}`)).status).toBe(200);
    expect((await reader.arm(`${id}/listKeys?${API}`, { method: 'POST' })).status).toBe(403);
  });

  it('let a data scientist work in a workspace, and not on it', () => {
    const inside = cloud.at.cloud;
    const principal = { objectId: randomUUID(), clientId: '', tenantId: '' };
    const scope = `${group}/providers/Microsoft.MachineLearningServices/workspaces/ws`;
    grant(inside, principal.objectId, builtInRoleNamed('AzureML Data Scientist')?.id ?? '', scope);
    const may = (action: string, at = scope): boolean =>
      isAllowed(inside, principal, `Microsoft.MachineLearningServices/workspaces${action}`, at);
    expect(['/read', '/jobs/write', '/jobs/cancel/action', '/models/versions/write'].map((one) => may(one))).toEqual([
      true,
      true,
      true,
      true,
    ]);
    expect(
      ['/write', '/delete', '/computes/write', '/computes/delete', '/listKeys/action'].map((one) => may(one)),
    ).toEqual([false, false, false, false, false]);
    expect(may('/read', `${scope}2`)).toBe(false);
  });

  it('can be made, are found by name, and go when nobody has them', async () => {
    const id = randomUUID();
    const path = `${cloud.subscription}/providers/Microsoft.Authorization/roleDefinitions/${id}`;
    const properties = {
      roleName: 'Identity maker',
      assignableScopes: [cloud.subscription],
      permissions: [{ actions: ['Microsoft.ManagedIdentity/*'], notActions: ['*/delete'] }],
    };
    const ask = (body: JsonObject): ReturnType<TestCloud['arm']> =>
      cloud.arm(`${path}?${API}`, { method: 'PUT', body });
    expect(codeOf(await ask({ properties: { ...properties, permissions: [] } }))).toBe('BadRequestFormat');
    expect(codeOf(await ask({ properties: { ...properties, roleName: 'owner' } }))).toBe(
      'RoleDefinitionWithSameNameExists',
    );
    expect((await ask({ properties })).json.properties).toMatchObject({ type: 'CustomRole' });
    const filter = encodeURIComponent("roleName eq 'identity maker'");
    const found = await cloud.arm(
      `${group}/providers/Microsoft.Authorization/roleDefinitions?${API}&$filter=${filter}`,
    );
    expect((found.json.value as JsonObject[]).map(({ name }) => name)).toEqual([id]);

    const maker = await addPrincipal(cloud);
    const assignment = `${group}/providers/Microsoft.Authorization/roleAssignments/${randomUUID()}`;
    const body = { properties: { roleDefinitionId: path, principalId: maker.objectId } };
    expect((await cloud.arm(`${assignment}?${API}`, { method: 'PUT', body })).status).toBe(201);
    cloud.at.clock.advance(DELAY_MS);
    expect((await maker.arm(`${identity('custom')}?${API}`, put)).status).toBe(201);
    expect((await maker.arm(`${identity('custom')}?${API}`, { method: 'DELETE' })).status).toBe(403);
    expect(codeOf(await cloud.arm(`${path}?${API}`, { method: 'DELETE' }))).toBe('RoleDefinitionHasAssignments');
    await cloud.arm(`${assignment}?${API}`, { method: 'DELETE' });
    const gone = await cloud.arm(`${path}?${API}`, { method: 'DELETE' });
    expect(gone.json).toMatchObject({ name: id, properties: { roleName: 'Identity maker' } });
    expect(codeOf(await cloud.arm(`${path}?${API}`))).toBe('RoleDefinitionDoesNotExist');
  });

  it('given by the admin API must be built-in ones', async () => {
    await expect(addPrincipal(cloud, ['Emperor'])).rejects.toThrow(/no built-in role 'Emperor'[\s\S]*Reader/);
    await expect(addPrincipal(cloud, ['Reader'], 'everywhere')).rejects.toThrow("'scope': expected the id");
  });
});

describe('the delay', () => {
  it('can be set while the cloud runs', async () => {
    const reader = await addPrincipal(cloud);
    await cloud.admin('POST', '/roles', { delaySeconds: 0 });
    const id = await assign(cloud, reader, 'Reader', group);
    expect((await reader.arm(`${group}?${API}`)).status).toBe(200);
    await cloud.arm(`${id}?${API}`, { method: 'DELETE' });
    expect((await reader.arm(`${group}?${API}`)).status).toBe(403);
    await cloud.admin('POST', '/roles', { delaySeconds: null });
    await assign(cloud, reader, 'Reader', group);
    expect((await reader.arm(`${group}?${API}`)).status).toBe(403);
    await expect(cloud.admin('POST', '/roles', { delay: 1 })).rejects.toThrow("unknown field 'delay'");
  });
});

describe('an identity', () => {
  it('is given to a resource only by one who may assign it', async () => {
    const own = identity('given');
    await cloud.make(own, put.body);
    const other = await cloud.group('roles-other', 'eastus');
    const body = {
      ...put.body,
      kind: 'StorageV2',
      sku: { name: 'Standard_LRS' },
      identity: { type: 'UserAssigned', userAssignedIdentities: { [own]: {} } },
    };
    const account = `${other}/providers/Microsoft.Storage/storageAccounts/rolesidentity`;
    const contributor = await addPrincipal(cloud, ['Contributor'], other);
    const refused = await contributor.arm(`${account}?${API}`, { method: 'PUT', body });
    expect([refused.status, codeOf(refused)]).toEqual([403, 'LinkedAuthorizationFailed']);
    expect(messageOf(refused)).toContain(`on the linked scope(s) '${own}'`);
    await cloud.admin('POST', '/roles', { delaySeconds: 0 });
    await assign(cloud, contributor, 'Managed Identity Operator', own);
    await cloud.admin('POST', '/roles', { delaySeconds: null });
    expect((await contributor.arm(`${account}?${API}`, { method: 'PUT', body })).status).toBeLessThan(300);
  });
});

describe('a deployment', () => {
  const template = (resources: JsonObject[]): JsonObject => ({
    properties: {
      mode: 'Incremental',
      template: {
        $schema: 'https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#',
        contentVersion: '1.0.0.0',
        resources,
      },
    },
  });
  const identityNamed = (name: string): JsonObject => ({
    type: 'Microsoft.ManagedIdentity/userAssignedIdentities',
    apiVersion: '2023-01-31',
    name,
    location: 'eastus',
  });
  const assignmentNamed = (name: string, principalId: string): JsonObject => ({
    type: 'Microsoft.Authorization/roleAssignments',
    apiVersion: '2022-04-01',
    name,
    properties: {
      roleDefinitionId: `/providers/Microsoft.Authorization/roleDefinitions/${builtInRoleNamed('Reader')?.id}`,
      principalId,
      principalType: 'ServicePrincipal',
    },
  });

  it('makes no more than its deployer may', async () => {
    const contributor = await addPrincipal(cloud, ['Contributor'], group);
    const deploy = (name: string, body: JsonObject): ReturnType<TestCloud['arm']> =>
      contributor.arm(`${group}/providers/Microsoft.Resources/deployments/${name}?${API}`, {
        method: 'PUT',
        body,
      });
    const role = randomUUID();
    const refused = await deploy(
      'escalate',
      template([identityNamed('d1'), assignmentNamed(role, contributor.objectId)]),
    );
    expect([refused.status, codeOf(refused)]).toEqual([403, 'InvalidTemplateDeployment']);
    expect(messageOf(refused)).toContain(
      `Authorization failed for template resource '${role}' of type 'Microsoft.Authorization/roleAssignments'`,
    );
    expect((await cloud.arm(`${identity('d1')}?${API}`)).status).toBe(404);

    const nested = {
      type: 'Microsoft.Resources/deployments',
      apiVersion: '2021-04-01',
      name: 'within',
      ...template([assignmentNamed(role, contributor.objectId)]),
    };
    const hidden = await deploy('nested', template([nested]));
    const ended = hidden.status < 300 ? await cloud.ended(hidden) : hidden.json;
    expect(JSON.stringify(ended)).toContain('InvalidTemplateDeployment');

    const vault = `${await cloud.group('roles-unseen', 'eastus')}/providers/Microsoft.KeyVault/vaults/roles-unseen`;
    await cloud.make(vault, {
      location: 'eastus',
      properties: {
        tenantId: contributor.tenantId,
        sku: { family: 'A', name: 'standard' },
        enableRbacAuthorization: true,
      },
    });
    const peeking = template([]);
    (peeking.properties as { template: JsonObject }).template.outputs = {
      seen: { type: 'object', value: `[reference('${vault}', '2023-07-01')]` },
    };
    const peeked = await deploy('peeking', peeking);
    const seen = JSON.stringify(peeked.status < 300 ? await cloud.ended(peeked) : peeked.json);
    expect(seen).toContain('AuthorizationFailed');
    expect(seen).toContain('Microsoft.KeyVault/vaults/read');

    const made = await deploy('allowed', template([identityNamed('d2')]));
    expect(await cloud.ended(made)).toMatchObject({ status: 'Succeeded' });
    expect((await cloud.arm(`${identity('d2')}?${API}`)).json.systemData).toMatchObject({
      createdBy: contributor.clientId,
    });
  });
});
