import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseCondition } from '../../simulator/authorization/condition-language.ts';
import { holds } from '../../simulator/authorization/conditions.ts';
import { builtInRoleNamed, builtInRoles } from '../../simulator/authorization/built-in-roles.ts';
import type { Json, JsonObject } from '../../simulator/contract/index.ts';
import { addPrincipal, codeOf, messageOf, type TestPrincipal } from './principals.ts';
import { TestCloud, type HttpAnswer } from './running-cloud.ts';

const API = 'api-version=2022-04-01';
const BLOBS = 'Microsoft.Storage/storageAccounts/blobServices/containers/blobs';
const CONTAINER = '@Resource[Microsoft.Storage/storageAccounts/blobServices/containers:name]';
let cloud: TestCloud;
let group: string;

beforeAll(async () => {
  cloud = await TestCloud.start({ roleDelaySeconds: 0 });
  group = await cloud.group('conditions', 'eastus');
}, 60_000);
afterAll(() => cloud.stop());

const roleId = (name: string): string =>
  `${cloud.subscription}/providers/Microsoft.Authorization/roleDefinitions/${builtInRoleNamed(name)?.id}`;
const assignmentId = (scope = group, name: string = randomUUID()): string =>
  `${scope}/providers/Microsoft.Authorization/roleAssignments/${name}`;
const body = (principalId: string, role: string, more: JsonObject = {}): JsonObject => ({
  properties: { roleDefinitionId: roleId(role), principalId, principalType: 'ServicePrincipal', ...more },
});
const put = (id: string, sent: Json): Promise<HttpAnswer> => cloud.arm(`${id}?${API}`, { method: 'PUT', body: sent });

describe('a condition', () => {
  const about = {
    attributes: {
      'resource|microsoft.storage/storageaccounts/blobservices/containers:name': ['models'],
      'request|x:list': ['a', 'b'],
      'request|x:none': [],
      'request|x:number': [5],
    },
  };
  const cases: [string, boolean | undefined][] = [
    [`${CONTAINER} StringEquals 'models'`, true],
    [`${CONTAINER} StringEquals 'Models'`, false],
    [`${CONTAINER} stringEqualsIgnoreCase 'Models'`, true],
    [`${CONTAINER} StringNotEquals 'models'`, false],
    [`${CONTAINER} StringLike 'mod*s'`, true],
    [`${CONTAINER} StringStartsWith 'mod' && ${CONTAINER} StringEquals 'x'`, false],
    [`((!(ActionMatches{'${BLOBS}/read'})) OR (${CONTAINER} StringEquals 'other'))`, false],
    [`!(ActionMatches{'${BLOBS}/write'}) OR ${CONTAINER} StringEquals 'other'`, true],
    [`@Request[x:list] ForAnyOfAnyValues:StringEquals {'b', 'c'}`, true],
    [`@Request[x:list] ForAllOfAnyValues:StringEquals {'b', 'c'}`, false],
    [`@Request[x:none] StringEquals 'b'`, false],
    [`Exists @Request[x:none]`, false],
    [`NOT Exists @Request[x:none] AND @Request[x:number] NumericLessThan 6`, true],
    [`@Principal[Microsoft.Directory/CustomSecurityAttributes/Id:Team_Name] StringEquals 'x'`, undefined],
    [`NOT @Principal[Id:Team] StringEquals 'x'`, undefined],
    [`@Principal[Id:Team] StringEquals 'x' OR ${CONTAINER} StringEquals 'models'`, true],
  ];
  it.each(cases)('%s is %s', (text, expected) => {
    expect(holds(text, `${BLOBS}/read`, about)).toBe(expected);
  });

  it('that is none says where', () => {
    for (const text of [
      'garbage ((',
      `${CONTAINER} StringEquals`,
      `${CONTAINER} Resembles 'x'`,
      "'x' StringEquals 'x'",
      '',
      `(${CONTAINER} StringEquals 'x'`,
    ])
      expect(() => parseCondition(text), text).toThrow();
    expect(() => parseCondition('('.repeat(10_000))).toThrow('deeper');
  });
});

describe('an assignment with a condition', () => {
  it('grants only what its condition lets through', async () => {
    const account = await cloud.account(group, 'conditional', 'eastus');
    const own = await cloud.token('https://storage.azure.com');
    for (const name of ['open', 'closed']) await blob(own, 'PUT', `${account.primary}${name}?restype=container`);
    const reader = await addPrincipal(cloud);
    const condition = `((!(ActionMatches{'${BLOBS}/read'})) OR (${CONTAINER} StringEquals 'open'))`;
    const made = await put(assignmentId(account.id), body(reader.objectId, 'Storage Blob Data Reader', { condition }));
    expect(made.json.properties).toMatchObject({ condition, conditionVersion: '2.0' });
    const token = await reader.token('https://storage.azure.com');
    const list = (container: string): Promise<HttpAnswer> =>
      blob(token, 'GET', `${account.primary}${container}?restype=container&comp=list`);
    expect((await list('open')).status).toBe(200);
    expect((await list('closed')).status).toBe(403);
  });

  it('lets its holder assign those roles alone that it names', async () => {
    const delegate = await addPrincipal(cloud);
    const reader = builtInRoleNamed('Reader')?.id ?? '';
    const attribute = 'Microsoft.Authorization/roleAssignments:RoleDefinitionId';
    const only = (action: string, source: string): string =>
      `((!(ActionMatches{'Microsoft.Authorization/roleAssignments/${action}'})) OR (@${source}[${attribute}] ForAnyOfAnyValues:GuidEquals {${reader}}))`;
    const condition = `${only('write', 'Request')} AND ${only('delete', 'Resource')}`;
    await put(assignmentId(), body(delegate.objectId, 'Role Based Access Control Administrator', { condition }));
    const assignee = await addPrincipal(cloud);
    const tries = (role: string, id: string): Promise<HttpAnswer> =>
      delegate.arm(`${id}?${API}`, { method: 'PUT', body: body(assignee.objectId, role) });
    const id = assignmentId();
    expect((await tries('Reader', id)).status).toBe(201);
    expect(codeOf(await tries('Owner', assignmentId()))).toBe('AuthorizationFailed');
    const owners = assignmentId();
    await put(owners, body(assignee.objectId, 'Owner'));
    expect((await delegate.arm(`${owners}?${API}`, { method: 'DELETE' })).status).toBe(403);
    expect((await delegate.arm(`${id}?${API}`, { method: 'DELETE' })).status).toBe(200);
  });

  it('is refused where its condition is none', async () => {
    const somebody = await addPrincipal(cloud);
    for (const more of [
      { condition: 'garbage ((', conditionVersion: '2.0' },
      { condition: `${CONTAINER} StringEquals 'x'`, conditionVersion: '1.0' },
    ]) {
      const refused = await put(assignmentId(), body(somebody.objectId, 'Storage Blob Data Reader', more));
      expect(refused.status).toBe(400);
      expect(messageOf(refused)).toContain('The given role assignment condition is invalid');
    }
  });
});

describe('roles', () => {
  it('that Azure has built in are there, each once', () => {
    const roles = builtInRoles();
    expect(new Set(roles.map(({ id }) => id)).size).toBe(roles.length);
    expect(new Set(roles.map(({ roleName }) => roleName)).size).toBe(roles.length);
    expect(builtInRoleNamed('Storage Queue Data Contributor')).toMatchObject({
      id: '974c5e8b-45b9-4653-ba55-5f855dd0fb88',
      actions: expect.arrayContaining(['Microsoft.Storage/storageAccounts/queueServices/queues/write']) as Json,
    });
  });

  it('are read at the root by anybody, and listed by filters that there are', async () => {
    const nobody = await addPrincipal(cloud);
    const reader = builtInRoleNamed('Reader')?.id ?? '';
    const path = '/providers/Microsoft.Authorization/roleDefinitions';
    expect((await nobody.arm(`${path}/${reader}?${API}`)).json).toMatchObject({ name: reader });
    const bad = await cloud.arm(`${cloud.subscription}${path}?${API}&$filter=bogus%20eq%201`);
    expect([bad.status, codeOf(bad)]).toEqual([400, 'InvalidFilter']);
  });

  it('of one’s own name actions that there could be, and scopes that their maker may write', async () => {
    const define = (as: TestPrincipal | undefined, id: string, more: JsonObject): Promise<HttpAnswer> => {
      const ask = {
        method: 'PUT',
        body: {
          properties: {
            roleName: `role ${id}`,
            assignableScopes: [group],
            permissions: [
              {
                actions: [
                  'Microsoft.Storage/*/read',
                  'Microsoft.Resources/subscriptions/resourceGroups/read',
                  'Microsoft.Support/*',
                ],
              },
            ],
            ...more,
          },
        },
      };
      const path = `${group}/providers/Microsoft.Authorization/roleDefinitions/${id}?${API}`;
      return as ? as.arm(path, ask) : cloud.arm(path, ask);
    };
    for (const action of ['not an action', 'Microsoft.Bogus/things/read', 'read']) {
      const refused = await define(undefined, randomUUID(), { permissions: [{ actions: [action] }] });
      expect([action, codeOf(refused)]).toEqual([action, 'InvalidActionOrNotAction']);
    }
    const owner = await addPrincipal(cloud, ['Owner'], group);
    const wide = await define(owner, randomUUID(), { assignableScopes: [cloud.subscription] });
    expect([wide.status, codeOf(wide)]).toEqual([403, 'LinkedAuthorizationFailed']);
    const id = randomUUID();
    expect((await define(owner, id, {})).status).toBe(201);
    const assigned = (scope: string): Promise<HttpAnswer> =>
      put(assignmentId(scope), {
        properties: {
          roleDefinitionId: `${cloud.subscription}/providers/Microsoft.Authorization/roleDefinitions/${id}`,
          principalId: owner.objectId,
        },
      });
    expect(codeOf(await assigned(cloud.subscription))).toBe('RoleDefinitionDoesNotExist');
    expect((await assigned(group)).status).toBe(201);
  });
});

describe('an assignment', () => {
  it('has a name of its own in the tenant, and the type that its principal has', async () => {
    const somebody = await addPrincipal(cloud);
    const name = randomUUID();
    expect((await put(assignmentId(group, name), body(somebody.objectId, 'Reader'))).status).toBe(201);
    expect(codeOf(await put(assignmentId(cloud.subscription, name), body(somebody.objectId, 'Reader')))).toBe(
      'RoleAssignmentUpdateNotPermitted',
    );
    const user = await put(assignmentId(), body(somebody.objectId, 'Owner', { principalType: 'User' }));
    expect([user.status, codeOf(user)]).toEqual([400, 'UnmatchedPrincipalType']);
  });

  it('shows in the permissions of its principal, and nobody makes deny assignments', async () => {
    const somebody = await addPrincipal(cloud, ['Reader'], group);
    const { value } = (await somebody.arm(`${group}/providers/Microsoft.Authorization/permissions?${API}`)).json;
    expect(value).toEqual([{ actions: ['*/read'], notActions: [], dataActions: [], notDataActions: [] }]);
    const denied = `${group}/providers/Microsoft.Authorization/denyAssignments`;
    expect((await put(`${denied}/${randomUUID()}`, { properties: {} })).status).toBe(405);
    expect((await cloud.arm(`${denied}?${API}`)).json.value).toEqual([]);
  });
});

function blob(token: string, method: string, url: string): Promise<HttpAnswer> {
  return cloud.ask(url, {
    method,
    headers: { authorization: `Bearer ${token}`, 'x-ms-version': '2023-11-03' },
  });
}
