/**
 * Templates of many kinds of resources. Those of a kind are made anew for each case; its tag makes the names that are
 * one of a kind.
 */

import type { JsonObject } from '../../../simulator/contract/index.ts';
import { textOf } from '../../../simulator/resource/fields.ts';
import { here, network, platform, resource, storage } from './resources.ts';

function web(tag: string): JsonObject[] {
  const plan = `[resourceId('Microsoft.Web/serverfarms', 'plan${tag}')]`;
  return [
    resource('Microsoft.Web/serverfarms', '2022-09-01', `plan${tag}`, {
      location: here,
      kind: 'linux',
      tags: { team: 'ml' },
      sku: { name: 'S1', tier: 'Standard', capacity: 3 },
      properties: { perSiteScaling: true, reserved: true },
    }),
    resource('Microsoft.Web/sites', '2022-09-01', `site${tag}`, {
      location: here,
      dependsOn: [plan],
      tags: { capacity: `[string(reference(${plan.slice(1, -1)}, '2022-09-01', 'Full').sku.capacity)]` },
      identity: { type: 'SystemAssigned' },
      properties: {
        serverFarmId: plan,
        siteConfig: {
          appSettings: [
            { name: 'A', value: '1' },
            { name: 'B', value: '2' },
          ],
        },
      },
    }),
  ];
}

function learning(tag: string): JsonObject[] {
  const [account, vault, insights] = ['Storage/storageAccounts', 'KeyVault/vaults', 'Insights/components'].map(
    (type, index) => `[resourceId('Microsoft.${type}', '${['st', 'kv', 'ai'][index]}${tag}')]`,
  ) as [string, string, string];
  const space = `[resourceId('Microsoft.MachineLearningServices/workspaces', 'ml${tag}')]`;
  const below = (type: string, name: string, more: JsonObject): JsonObject =>
    resource(`Microsoft.MachineLearningServices/workspaces/${type}`, '2024-04-01', `ml${tag}/${name}`, {
      dependsOn: [space],
      ...more,
    });
  return [
    ...storage(tag).slice(0, 1),
    ...platform(tag).filter(({ type }) => /vaults$|components$/.test(textOf(type))),
    resource('Microsoft.MachineLearningServices/workspaces', '2024-04-01', `ml${tag}`, {
      location: here,
      dependsOn: [account, vault, insights],
      tags: { team: 'ml' },
      identity: { type: 'SystemAssigned' },
      sku: { name: 'Basic', tier: 'Basic' },
      properties: {
        friendlyName: 'ours',
        description: 'what for',
        storageAccount: account,
        keyVault: vault,
        applicationInsights: insights,
        publicNetworkAccess: 'Enabled',
        managedNetwork: {
          isolationMode: 'AllowInternetOutbound',
          outboundRules: { tagged: serviceTag },
        },
      },
    }),
    ...contents(tag, below),
  ];
}

/** What stands in a workspace. */
function contents(tag: string, below: (type: string, name: string, more: JsonObject) => JsonObject): JsonObject[] {
  return [
    below('computes', 'cpu', {
      location: here,
      tags: { team: 'ml' },
      properties: {
        computeType: 'AmlCompute',
        properties: {
          vmSize: 'Standard_DS3_v2',
          scaleSettings: { minNodeCount: 0, maxNodeCount: 4, nodeIdleTimeBeforeScaleDown: 'PT2M' },
        },
      },
    }),
    below('datastores', 'kept', {
      properties: {
        datastoreType: 'AzureBlob',
        accountName: `st${tag}`,
        containerName: 'kept',
        credentials: { credentialsType: 'None' },
        tags: { team: 'ml' },
        description: 'what is kept',
      },
    }),
    below('connections', 'git', {
      properties: {
        category: 'Git',
        target: 'https://git.example.com',
        authType: 'PAT',
        credentials: { pat: 'xyzzy' },
        metadata: { a: '1' },
      },
    }),
    below('onlineEndpoints', `end${tag}`, {
      location: here,
      identity: { type: 'SystemAssigned' },
      tags: { team: 'ml' },
      properties: { authMode: 'Key', description: 'scores', publicNetworkAccess: 'Enabled' },
    }),
    below('environments', 'env', { properties: { description: 'what runs', tags: { a: '1' } } }),
  ];
}

const serviceTag: JsonObject = {
  type: 'ServiceTag',
  category: 'UserDefined',
  destination: { serviceTag: 'DataFactory', protocol: 'TCP', portRanges: '80' },
};

/** Each kind by its name; `tag` makes the names in it those of one case alone. */
export const kinds = {
  network,
  storage,
  platform,
  web,
  learning,
} satisfies Record<string, (tag: string) => JsonObject[]>;
