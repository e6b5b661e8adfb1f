/** Templates as people write them: odd cases of names, children with full types, old ways to say the same thing. */

import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../simulator/contract/index.ts';
import { account, body, cloud, failure, groupId, input, named, plan, storage, value } from './harness.ts';
import { planDeployment } from '../../../simulator/template/index.ts';

const vm: JsonObject = {
  type: 'Microsoft.Compute/virtualMachines',
  apiVersion: '2024-03-01',
  name: 'vm',
  location: 'eastus',
};
const extension = { type: 'extensions', apiVersion: '2024-03-01', name: 'setup', location: 'eastus' };

describe('members in any case', () => {
  it('finds the members of resources, loops, parameters and outputs whatever their case', async () => {
    const planned = plan({
      parameters: { size: { Type: 'int', DefaultValue: 2, MaxValue: 3 } },
      resources: [
        account('first', {}),
        {
          Type: 'Microsoft.Storage/storageAccounts',
          ApiVersion: '2023-05-01',
          NAME: "[concat('a', copyIndex())]",
          Location: 'eastus',
          DependsOn: ['first'],
          Copy: { Name: 'loop', Count: "[parameters('size')]" },
          Properties: { KeepsItsCase: true },
        },
      ],
      outputs: { o: { Type: 'string', Value: 'x' } },
    });
    expect(planned.resources.map(({ name }) => name)).toEqual(['first', 'a0', 'a1']);
    expect(named(planned, 'a1').dependsOn).toEqual([`${storage}/first`]);
    expect(await body(planned, 'a0')).toEqual({ location: 'eastus', properties: { KeepsItsCase: true } });
    expect(await planned.evaluateOutputs(cloud())).toEqual({ o: { type: 'String', value: 'x' } });
    expect(await failure(() => plan({ parameters: { n: { Type: 'int', defaultvalue: 9, MAXVALUE: 3 } } }))).toContain(
      "less than or equal to '3'",
    );
  });
});

describe('allowed values', () => {
  it('are allowed in any case, and come as they were given', async () => {
    const sku = { type: 'string', allowedValues: ['Standard_LRS'] };
    const given = (text: string) => ({ parameters: { sku: { value: text } } });
    expect(await value("[parameters('sku')]", { parameters: { sku } }, given('standard_lrs'))).toBe('standard_lrs');
    expect(await failure(() => value("[parameters('sku')]", { parameters: { sku } }, given('standard')))).toContain(
      "not part of the allowed value(s): 'Standard_LRS'",
    );
  });
});

describe('children', () => {
  it('may spell type and name in full within their parent, or be of another provider altogether', () => {
    const planned = plan({
      resources: [
        {
          ...vm,
          resources: [
            { ...extension, type: 'Microsoft.Compute/virtualMachines/extensions', name: 'vm/full' },
            { ...extension, type: 'Microsoft.OperationsManagement/solutions', name: 'Updates(vm)' },
            { ...extension, type: 'providers/diagnosticSettings', name: 'Microsoft.Insights/service' },
          ],
        },
      ],
    });
    expect(planned.resources.slice(1).map(({ id }) => id.slice(groupId.length))).toEqual([
      '/providers/Microsoft.Compute/virtualMachines/vm/extensions/full',
      '/providers/Microsoft.OperationsManagement/solutions/Updates(vm)',
      '/providers/Microsoft.Compute/virtualMachines/vm/providers/Microsoft.Insights/diagnosticSettings/service',
    ]);
  });

  it('are depended on and referred to by their own name, or by types and names taking turns', async () => {
    const planned = plan({
      resources: [
        { ...vm, resources: [extension, { ...extension, name: 'second', dependsOn: ['setup'] }] },
        account('after', {
          tags: {
            short: "[reference('setup').state]",
            turns: "[reference('Microsoft.Compute/virtualMachines/vm/extensions/second').state]",
          },
        }),
      ],
    });
    const setup = `${groupId}/providers/Microsoft.Compute/virtualMachines/vm/extensions/setup`;
    const second = setup.replace(/setup$/, 'second');
    expect(named(planned, 'vm/second').dependsOn).toEqual([setup]);
    expect(named(planned, 'after').dependsOn).toEqual([setup, second]);
    const there = cloud({
      [setup]: { properties: { state: 'one' } },
      [second]: { properties: { state: 'two' } },
    });
    expect((await body(planned, 'after', there))['tags']).toEqual({ short: 'one', turns: 'two' });
  });

  it('at the top level are not known by their last name alone', async () => {
    const resources = [
      vm,
      { ...extension, type: 'Microsoft.Compute/virtualMachines/extensions', name: 'vm/setup' },
      account('after', { dependsOn: ['setup'] }),
    ];
    expect(await failure(() => plan({ resources }))).toContain("The resource 'setup' is not defined");
  });
});

describe('a dependency on an id with an empty name', () => {
  const connection = (condition: boolean): JsonObject => ({
    type: 'Microsoft.MachineLearningServices/workspaces/connections',
    apiVersion: '2024-04-01',
    name: 'store/empty',
    condition,
    properties: {},
  });
  const after = account('after', {
    dependsOn: ["[resourceId('Microsoft.MachineLearningServices/workspaces/connections', 'store', '')]"],
  });

  it('names nothing, where one of its type is not deployed', () => {
    expect(named(plan({ resources: [connection(false), after] }), 'after').dependsOn).toEqual([]);
  });

  it('is refused where all of its type are deployed, or none is declared', async () => {
    for (const resources of [[connection(true), after], [after]])
      expect(await failure(() => plan({ resources }))).toContain("connections/' is not defined");
  });
});

describe('references and ids', () => {
  it('reads what is not in the template by type and name, where a version is given', async () => {
    const id = `${storage}/elsewhere`;
    const outputs = { o: { type: 'string', value: '' } };
    const spelled = (text: string): JsonObject => ({ outputs: { o: { ...outputs.o, value: text } } });
    const there = cloud({ [id]: { properties: { state: 'here' } } });
    expect(
      await plan(
        spelled("[reference('Microsoft.Storage/storageAccounts/elsewhere', '2023-05-01').state]"),
      ).evaluateOutputs(there),
    ).toEqual({ o: { type: 'String', value: 'here' } });
    for (const broken of ['nowhere', 'Microsoft.Storage/storageAccounts', 'a/b/c'])
      expect(await failure(() => plan(spelled(`[reference('${broken}', '2023-05-01').state]`))), broken).toContain(
        'could not find template resource',
      );
  });

  it('spells ids with names that are empty, and refuses resources with them', async () => {
    expect(await value("[resourceId('Microsoft.Network/virtualNetworks/subnets', '', '')]")).toBe(
      `${groupId}/providers/Microsoft.Network/virtualNetworks//subnets/`,
    );
    expect(await failure(() => plan({ resources: [{ ...extension, type: 'a.b/c', name: '/' }] }))).toContain(
      'incorrect segment lengths',
    );
  });

  it('finds an existing resource in the group and subscription that it names', () => {
    const planned = plan({
      languageVersion: '2.0',
      resources: {
        key: {
          existing: true,
          type: 'Microsoft.KeyVault/vaults/keys',
          apiVersion: '2024-11-01',
          subscriptionId: "[split('/subscriptions/s2/resourceGroups/g2', '/')[2]]",
          resourceGroup: 'g2',
          name: 'v/k',
        },
      },
    });
    expect(planned.resources[0]?.id).toBe(
      '/subscriptions/s2/resourceGroups/g2/providers/Microsoft.KeyVault/vaults/v/keys/k',
    );
  });
});

describe('loops, profiles, nested templates', () => {
  it('takes the name of a loop from an expression', () => {
    const planned = plan({
      variables: { loop: 'many' },
      resources: [
        account("[concat('a', copyIndex())]", { copy: { name: "[variables('loop')]", count: 2 } }),
        account('after', { dependsOn: ['many'] }),
      ],
    });
    expect(named(planned, 'after').dependsOn).toEqual([`${storage}/a0`, `${storage}/a1`]);
  });

  it('takes a name that others have as well for those others', () => {
    const planned = plan({ resources: [account('x'), { ...vm, name: 'x', dependsOn: ['x'] }] });
    expect(planned.resources.map(({ dependsOn }) => dependsOn)).toEqual([[], [`${storage}/x`]]);
  });

  it('takes the version of a resource from the API profile where it has none', async () => {
    const { apiVersion: _, ...without } = account('a');
    expect(plan({ apiProfile: '2018-03-01-hybrid', resources: [without] }).resources[0]?.apiVersion).toBe('2018-03-01');
    expect(await failure(() => plan({ resources: [without] }))).toContain('The apiVersion property cannot be null');
  });

  it('puts the outer parameters into the keys of a nested template as well', async () => {
    const inner = {
      $schema: input({}).template.$schema ?? null,
      contentVersion: '1.0.0.0',
      resources: [account('a', { identity: { userAssignedIdentities: { "[parameters('id')]": {} } } })],
    };
    const planned = plan({
      parameters: { id: { type: 'string', defaultValue: '/the/id' } },
      resources: [
        {
          type: 'Microsoft.Resources/deployments',
          apiVersion: '2022-09-01',
          name: 'nested',
          properties: { mode: 'Incremental', template: inner },
        },
      ],
    });
    const { properties } = (await body(planned, 'nested')) as { properties: { template: JsonObject } };
    const nested = planDeployment({ ...input({}), template: properties.template });
    expect(await body(nested, 'a')).toMatchObject({
      identity: { userAssignedIdentities: { '/the/id': {} } },
    });
  });

  it('knows Azure itself as an extension, and refuses others by name', async () => {
    expect(plan({ imports: { az: { provider: 'AzureResourceManager', version: '1.0.0' } } }).resources).toEqual([]);
    expect(await failure(() => plan({ extensions: { k8s: { name: 'Kubernetes' } } }))).toContain('(k8s)');
  });
});
