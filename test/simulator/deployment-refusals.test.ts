/** What Azure refuses of a deployment before it begins, and while it runs. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../simulator/contract/index.ts';
import { TestCloud, type HttpAnswer } from './running-cloud.ts';
import { template } from './template/harness.ts';

const API = 'api-version=2024-03-01';
const STORAGE = 'Microsoft.Storage/storageAccounts';
let cloud: TestCloud;
let group: string;

beforeAll(async () => {
  cloud = await TestCloud.start();
  group = await cloud.group('refusals', 'eastus');
}, 60_000);
afterAll(() => cloud.stop());

const at = (scope: string, name: string, more = ''): string =>
  `${scope}/providers/Microsoft.Resources/deployments/${name}${more}?${API}`;
const put = (scope: string, name: string, resources: JsonObject[] = [], more: JsonObject = {}): Promise<HttpAnswer> => {
  const { location, ...properties } = more;
  const body = { properties: { mode: 'Incremental', template: template({ resources }), ...properties } };
  return cloud.arm(at(scope, name), {
    method: 'PUT',
    body: location === undefined ? body : { ...body, location },
  });
};
const account = (name: string, more: JsonObject = {}): JsonObject => ({
  type: STORAGE,
  apiVersion: '2023-01-01',
  name,
  location: 'eastus',
  sku: { name: 'Standard_LRS' },
  kind: 'StorageV2',
  ...more,
});
const newGroup: JsonObject = {
  type: 'Microsoft.Resources/resourceGroups',
  apiVersion: '2022-09-01',
  name: 'made',
  location: 'eastus',
};

function nested(name: string, resources: JsonObject[], resourceGroup?: string): JsonObject {
  const type = 'Microsoft.Resources/deployments';
  const expressionEvaluationOptions = { scope: 'inner' };
  const properties = { mode: 'Incremental', expressionEvaluationOptions, template: template({ resources }) };
  return { type, apiVersion: '2022-09-01', name, properties, ...(resourceGroup ? { resourceGroup } : {}) };
}

describe('a deployment is refused', () => {
  const refused = async (answer: Promise<HttpAnswer>, status: number, code: string): Promise<void> => {
    const { status: got, json } = await answer;
    expect([got, (json.error as JsonObject | undefined)?.code], JSON.stringify(json)).toEqual([status, code]);
  };

  it('for its name', async () => {
    await refused(put(group, 'a'.repeat(65)), 400, 'InvalidDeployment');
    await refused(put(group, 'a%20b'), 400, 'InvalidDeployment');
    expect((await put(group, 'a'.repeat(64))).status).toBe(201);
  });

  it('for its location', async () => {
    await refused(put(group, 'x', [], { location: 'eastus' }), 400, 'InvalidDeployment');
    await refused(put(cloud.subscription, 'x'), 400, 'InvalidDeployment');
    await refused(put(cloud.subscription, 'x', [], { location: 'mars' }), 400, 'LocationNotAvailableForDeployment');
  });

  it('for resources that are not made at its scope, or in no region that there is', async () => {
    const { subscription } = cloud;
    await refused(put(subscription, 'x', [account('abcd')], { location: 'eastus' }), 400, 'InvalidResourceType');
    await refused(put(group, 'x', [newGroup]), 400, 'InvalidResourceType');
    await refused(put(group, 'x', [account('abcd', { location: 'mars' })]), 400, 'LocationNotAvailableForResourceType');
    expect((await put(subscription, 'x', [newGroup], { location: 'eastus' })).status).toBe(201);
  });

  it('for versions that Azure cannot have', async () => {
    const days = ['2015-13-01', '2023-02-30'];
    for (const apiVersion of ['2001-01-01', '2999-01-01', 'latest', ...days]) {
      await refused(put(group, 'x', [account('abcd', { apiVersion })]), 400, 'NoRegisteredProviderFound');
      const version = apiVersion === 'latest' ? '2999-12-31-preview' : apiVersion;
      const direct = `${group}/providers/${STORAGE}/abcd?api-version=${version}`;
      const isDay = !days.includes(apiVersion);
      await refused(cloud.arm(direct), 400, isDay ? 'NoRegisteredProviderFound' : 'InvalidApiVersionParameter');
      await refused(cloud.arm(`${group}?api-version=${version}`), 400, 'InvalidApiVersionParameter');
    }
  });

  it('for what is wrong in a deployment nested in it', async () => {
    const network = (more: JsonObject): JsonObject => ({
      type: 'Microsoft.Network/ipGroups',
      apiVersion: '2023-04-01',
      name: 'within',
      location: 'eastus',
      ...more,
    });
    const cases: [JsonObject, string][] = [
      [nested('inner', [network({ name: '[nothing()]' })]), 'InvalidTemplate'],
      [nested('inner', [network({ type: 'Microsoft.Network/none' })]), 'InvalidResourceType'],
      [nested('inner', [nested('deeper', [network({ location: 'mars' })])]), 'LocationNotAvailableForResourceType'],
      [nested('i'.repeat(65), []), 'InvalidDeployment'],
    ];
    for (const [resource, code] of cases) await refused(put(group, 'x', [resource]), 400, code);
    await refused(put(group, 'x', [nested('inner', [], 'nogroup')]), 404, 'ResourceGroupNotFound');
  });

  it('for names that its providers do not have, all of them at once', async () => {
    await cloud.ended(await put(group, 'taken', [account('takenaccount')]));
    const elsewhere = await cloud.group('elsewhere', 'eastus');
    const answer = await put(elsewhere, 'x', [account('Not-A-Name'), account('takenaccount')]);
    expect([answer.status, answer.json.error]).toMatchObject([
      400,
      {
        code: 'InvalidTemplateDeployment',
        details: [
          {
            code: 'PreflightValidationCheckFailed',
            details: [
              { code: 'AccountNameInvalid', target: 'Not-A-Name' },
              { code: 'StorageAccountAlreadyTaken', target: 'takenaccount' },
            ],
          },
        ],
      },
    ]);
    expect((await put(group, 'again', [account('takenaccount')])).status).toBe(201);
  });

  it('for settings that there are not', async () => {
    await refused(put(group, 'x', [], { templateLink: { uri: 'https://localhost/x' } }), 400, 'InvalidRequestContent');
    await refused(put(group, 'x', [], { debugSetting: { detailLevel: 'all' } }), 400, 'InvalidRequestContent');
    const properties = {
      mode: 'Incremental',
      template: template({}),
      whatIfSettings: { resultFormat: 'Some' },
    };
    const whatIf = cloud.arm(at(group, 'x', '/whatIf'), { method: 'POST', body: { properties } });
    await refused(whatIf, 400, 'InvalidRequestContent');
  });

  it('where it is not there', async () => {
    await refused(cloud.arm(at(group, 'none')), 404, 'DeploymentNotFound');
    await refused(cloud.arm(at(group, 'none', '/operations')), 404, 'DeploymentNotFound');
    await refused(cloud.arm(at(group, 'none', '/cancel'), { method: 'POST' }), 404, 'DeploymentNotFound');
  });

  it('while one of its name is under way, the same one again included', async () => {
    cloud.at.clock.setSpeed(0);
    const first = await put(group, 'busy', [account('busyaccount1')]);
    expect(first.status).toBe(201);
    await refused(put(group, 'busy', [account('busyaccount1')]), 409, 'DeploymentActive');
    await refused(cloud.arm(at(group, 'busy'), { method: 'DELETE' }), 409, 'DeploymentActive');
    const again = await put(group, 'busy');
    expect((again.json.error as JsonObject).message).toMatch(
      /^Unable to edit or replace deployment 'busy': previous deployment from '\d+\/\d+\/\d{4} \d+:\d\d:\d\d [AP]M' is still active/,
    );
    cloud.at.clock.setSpeed(1);
    await cloud.ended(first);
    expect((await put(group, 'busy')).status).toBe(200);
  });
});

describe('what a deployment makes', () => {
  it('is told at any depth, in validation and at its end, and is put into groups that are made beside it', async () => {
    const inGroup = nested('fill', [account('nestedaccount')], 'beside');
    const makesGroup = { ...nested('make', [{ ...newGroup, name: 'beside' }]), location: 'eastus' };
    const resources = [{ ...inGroup, dependsOn: ['make'] }, makesGroup];
    const body = {
      location: 'eastus',
      properties: { mode: 'Incremental', template: template({ resources }) },
    };
    const valid = await cloud.arm(at(cloud.subscription, 'deep', '/validate'), { method: 'POST', body });
    const beside = `${cloud.subscription}/resourceGroups/beside`;
    const ids = [{ id: beside }, { id: `${beside}/providers/${STORAGE}/nestedaccount` }];
    const idsOf = (list: unknown): unknown[] => (list as { id: string }[]).toSorted((a, b) => (a.id < b.id ? -1 : 1));
    expect(idsOf((valid.json.properties as JsonObject).validatedResources)).toEqual(ids);
    await cloud.ended(await cloud.arm(at(cloud.subscription, 'deep'), { method: 'PUT', body }));
    const { properties } = (await cloud.arm(at(cloud.subscription, 'deep'))).json as {
      properties: JsonObject;
    };
    expect(idsOf(properties.outputResources)).toEqual(ids);
  });
});

describe('the deployments of a group', () => {
  it('are listed by their state', async () => {
    await cloud.ended(await put(group, 'done'));
    const list = async (filter: string): Promise<HttpAnswer> =>
      cloud.arm(`${at(group, '').replace('/?', '?')}&$filter=${encodeURIComponent(filter)}`);
    const named = (answer: HttpAnswer): unknown[] => (answer.json.value as JsonObject[]).map(({ name }) => name);
    expect(named(await list("provisioningState eq 'Succeeded'"))).toContain('done');
    expect(named(await list("provisioningState eq 'Canceled'"))).toEqual([]);
    expect((await list("color eq 'red'")).json.error).toMatchObject({ code: 'InvalidFilterInQueryString' });
  });

  it('are no resources of its list', async () => {
    await put(cloud.subscription, 'placed', [], { location: 'eastus' });
    const { json } = await cloud.arm(`${cloud.subscription}/resources?${API}`);
    expect(JSON.stringify(json)).not.toContain('Microsoft.Resources/deployments');
  });

  it('keep requests and responses where they are asked to', async () => {
    const debugSetting = { detailLevel: 'requestContent, responseContent' };
    await cloud.ended(await put(group, 'debugged', [account('debuggedone')], { debugSetting }));
    const { json } = await cloud.arm(at(group, 'debugged', '/operations'));
    const [first] = json.value as { properties: JsonObject }[];
    expect(first?.properties).toMatchObject({
      request: { content: { sku: { name: 'Standard_LRS' } } },
      response: { content: { name: 'debuggedone', properties: { provisioningState: 'Succeeded' } } },
    });
    expect((await cloud.arm(at(group, 'debugged'))).json.properties).toMatchObject({ debugSetting });
  });

  it('are kept no further back than Azure does', async () => {
    const { store } = cloud.at.cloud;
    const of = `${group}/providers/Microsoft.Resources/deployments`;
    const [known] = store.children(group, 'Microsoft.Resources/deployments');
    if (!known) throw new Error('no deployment to copy');
    for (let i = 0; i < 775; i += 1)
      store.put({
        ...known,
        changedAt: i,
        resource: { ...known.resource, id: `${of}/old${i}`, name: `old${i}` },
      });
    await cloud.ended(await put(group, 'newest'));
    const names = store.children(group, 'Microsoft.Resources/deployments').map(({ resource }) => resource.name);
    expect(names).toHaveLength(751);
    expect(names).toContain('newest');
    expect(names).not.toContain('old0');
    expect(names).toContain('old774');
  });
});

describe('what-if', () => {
  it('shows what there is as a template would have it', async () => {
    const resources = [account('shownbefore')];
    await cloud.ended(await put(group, 'shown', resources));
    const body = { properties: { mode: 'Incremental', template: template({ resources }) } };
    const asked = await cloud.arm(at(group, 'shown', '/whatIf'), { method: 'POST', body });
    await cloud.ended(asked);
    const { json } = await cloud.arm(asked.headers.location ?? '');
    const { changes } = json.properties as { changes: JsonObject[] };
    const own = changes.find(({ resourceId }) => (resourceId as string).endsWith('/shownbefore'));
    expect(own).toMatchObject({
      changeType: 'NoChange',
      before: { apiVersion: '2023-01-01', name: 'shownbefore' },
    });
    const { properties, ...before } = (own as { before: { properties: JsonObject } }).before;
    expect(Object.keys(before)).not.toContain('systemData');
    expect(Object.keys(properties)).not.toContain('provisioningState');
    expect(Object.keys(properties)).not.toContain('primaryEndpoints');
  });
});
