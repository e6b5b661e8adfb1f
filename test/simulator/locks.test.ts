import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { codeOf, messageOf } from './principals.ts';
import { TestCloud, type HttpAnswer } from './running-cloud.ts';

const API = 'api-version=2020-05-01';
let cloud: TestCloud;
let group: string;
let account: string;
const held: string[] = [];

beforeAll(async () => {
  cloud = await TestCloud.start();
  group = await cloud.group('locked', 'eastus');
  ({ id: account } = await cloud.account(group, 'lockedaccount', 'eastus'));
}, 60_000);
afterAll(() => cloud.stop());
afterEach(async () => {
  for (const id of held.splice(0)) await cloud.arm(`${id}?${API}`, { method: 'DELETE' });
});

async function lock(scope: string, level: string): Promise<HttpAnswer> {
  const id = `${scope}/providers/Microsoft.Authorization/locks/hold`;
  const answer = await cloud.arm(`${id}?${API}`, { method: 'PUT', body: { properties: { level } } });
  if (answer.status < 400) held.push(id);
  return answer;
}
const ask = (method: string, path: string): Promise<HttpAnswer> =>
  cloud.arm(`${path}?${API}`, {
    method,
    ...(method === 'PUT' || method === 'PATCH'
      ? { body: { location: 'eastus', properties: {}, tags: { a: 'b' } } }
      : {}),
  });
const identity = (name: string): string =>
  `${group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/${name}`;

describe('a lock against deletion', () => {
  it('refuses deletions below it in the words of Azure, and nothing else', async () => {
    await lock(group, 'CanNotDelete');
    const refused = await ask('DELETE', account);
    expect(refused.status).toBe(409);
    expect(refused.json.error).toEqual({
      code: 'ScopeLocked',
      message: `The scope '${account}' cannot perform delete operation because following scope(s) are locked: '${group}'. Please remove the lock and try again.`,
    });
    expect((await ask('PATCH', account)).status).toBe(200);
    expect((await ask('PUT', identity('new'))).status).toBe(201);
    expect((await ask('POST', `${account}/listKeys`)).status).toBe(200);
    expect(codeOf(await ask('DELETE', identity('new')))).toBe('ScopeLocked');
  });

  it('of a resource holds the group that it is in', async () => {
    await lock(account, 'CanNotDelete');
    const refused = await ask('DELETE', group);
    expect([refused.status, codeOf(refused)]).toEqual([409, 'ScopeLocked']);
    expect(messageOf(refused)).toContain(`locked: '${account}'`);
    expect((await ask('PUT', identity('free'))).status).toBe(201);
    expect((await ask('DELETE', identity('free'))).status).toBe(200);
  });

  it('of a subscription holds all that is in it, until it is taken away', async () => {
    await lock(cloud.subscription, 'CanNotDelete');
    await ask('PUT', identity('deep'));
    expect(codeOf(await ask('DELETE', identity('deep')))).toBe('ScopeLocked');
    const own = `${cloud.subscription}/providers/Microsoft.Authorization/locks/hold`;
    expect((await ask('DELETE', own)).status).toBe(200);
    expect((await ask('DELETE', identity('deep'))).status).toBe(200);
  });
});

describe('a lock against writing', () => {
  it('refuses whatever is not a read, keys included', async () => {
    await lock(account, 'ReadOnly');
    for (const [method, path, word] of [
      ['PUT', account, 'write'],
      ['PATCH', account, 'write'],
      ['POST', `${account}/listKeys`, 'write'],
      ['DELETE', account, 'delete'],
    ] as const) {
      const refused = await ask(method, path);
      expect([method, refused.status, codeOf(refused)]).toEqual([method, 409, 'ScopeLocked']);
      expect(messageOf(refused)).toContain(`cannot perform ${word} operation`);
    }
    expect((await ask('GET', account)).status).toBe(200);
    expect((await ask('PUT', identity('beside'))).status).toBe(201);
  });

  it('of a group lets nothing new in, by a template neither', async () => {
    await lock(group, 'ReadOnly');
    expect(codeOf(await ask('PUT', identity('late')))).toBe('ScopeLocked');
    expect(codeOf(await ask('PUT', `${group}/providers/Microsoft.Resources/deployments/d`))).toBe('ScopeLocked');
  });

  it('stops a deployment from the subscription at the resource that it holds', async () => {
    await lock(group, 'ReadOnly');
    const inner = {
      type: 'Microsoft.Resources/deployments',
      apiVersion: '2021-04-01',
      name: 'inner',
      resourceGroup: 'locked',
      properties: { mode: 'Incremental', template: { ...empty, resources: [] } },
    };
    const answer = await cloud.arm(
      `${cloud.subscription}/providers/Microsoft.Resources/deployments/outer?api-version=2021-04-01`,
      {
        method: 'PUT',
        body: {
          location: 'eastus',
          properties: { mode: 'Incremental', template: { ...empty, resources: [inner] } },
        },
      },
    );
    const ended = await cloud.ended(answer);
    expect(JSON.stringify(ended)).toContain('ScopeLocked');
  });
});

const empty = {
  $schema: 'https://schema.management.azure.com/schemas/2018-05-01/subscriptionDeploymentTemplate.json#',
  contentVersion: '1.0.0.0',
};

describe('locks themselves', () => {
  it('know their levels, and are listed where they stand and from above', async () => {
    expect(codeOf(await lock(group, 'Sometimes'))).toBe('LockLevelNotSupported');
    await lock(account, 'CanNotDelete');
    const list = async (scope: string, filter = ''): Promise<number> => {
      const { json } = await cloud.arm(
        `${scope}/providers/Microsoft.Authorization/locks?${API}${filter && `&$filter=${encodeURIComponent(filter)}`}`,
      );
      return (json.value as unknown[]).length;
    };
    expect([await list(account), await list(group), await list(cloud.subscription)]).toEqual([1, 1, 1]);
    expect(await list(group, 'atScope()')).toBe(0);
  });
});
