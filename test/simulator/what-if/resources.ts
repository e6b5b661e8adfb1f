/** Resources of templates: networks, storage, and what stands beside a workspace. */

import type { JsonObject } from '../../../simulator/contract/index.ts';

export const here = '[resourceGroup().location]';

export function resource(type: string, apiVersion: string, name: string, more: JsonObject): JsonObject {
  return { type, apiVersion, name, ...more };
}

export function network(tag: string): JsonObject[] {
  const rule = (name: string, priority: number): JsonObject => ({
    name,
    properties: {
      description: `who may ${name}`,
      priority,
      access: 'Allow',
      direction: 'Inbound',
      protocol: 'Tcp',
      sourceAddressPrefix: '*',
      sourcePortRange: '*',
      destinationAddressPrefix: '*',
      destinationPortRange: '443',
    },
  });
  const of = (type: string, name: string, more: JsonObject): JsonObject =>
    resource(`Microsoft.Network/${type}`, '2023-09-01', `${name}${tag}`, { location: here, ...more });
  const subnet = (name: string, n: number): JsonObject => ({
    name,
    properties: { addressPrefix: `10.0.${n}.0/24`, privateEndpointNetworkPolicies: 'Disabled' },
  });
  return [
    of('networkSecurityGroups', 'nsg', {
      tags: { team: 'ml', cost: '7' },
      properties: { securityRules: [rule('read', 100), rule('write', 110)] },
    }),
    of('virtualNetworks', 'net', {
      tags: { team: 'ml' },
      properties: {
        addressSpace: { addressPrefixes: ['10.0.0.0/16', '10.1.0.0/16'] },
        enableDdosProtection: false,
        subnets: [subnet('one', 1), subnet('two', 2)],
      },
    }),
    of('virtualNetworks/subnets', `net${tag}/three`, {
      name: `net${tag}/three`,
      dependsOn: [`[resourceId('Microsoft.Network/virtualNetworks', 'net${tag}')]`],
      properties: { addressPrefix: '10.1.1.0/24', serviceEndpoints: [{ service: 'Microsoft.Storage' }] },
    }),
    of('publicIPAddresses', 'ip', {
      sku: { name: 'Standard' },
      properties: { publicIPAllocationMethod: 'Static', idleTimeoutInMinutes: 4 },
    }),
    of('trafficManagerProfiles', 'tm', {
      location: 'global',
      apiVersion: '2022-04-01',
      tags: { team: 'ml' },
      properties: {
        trafficRoutingMethod: 'Weighted',
        dnsConfig: { relativeName: `tm${tag}`, ttl: 30 },
        monitorConfig: { protocol: 'HTTPS', port: 443, path: '/health' },
        endpoints: ['east', 'west'].map((name) => ({
          name,
          type: 'Microsoft.Network/trafficManagerProfiles/externalEndpoints',
          properties: { target: `${name}.example.com`, weight: 10, endpointStatus: 'Disabled' },
        })),
      },
    }),
  ];
}

export function storage(tag: string): JsonObject[] {
  const of = (type: string, name: string, more: JsonObject): JsonObject =>
    resource(`Microsoft.Storage/storageAccounts${type}`, '2023-05-01', name, more);
  const account = `st${tag}`;
  const after = (type: string, ...names: string[]): JsonObject => ({
    dependsOn: [`[resourceId('Microsoft.Storage/storageAccounts${type}', '${names.join("', '")}')]`],
  });
  return [
    of('', account, {
      location: here,
      kind: 'StorageV2',
      sku: { name: 'Standard_LRS' },
      tags: { team: 'ml' },
      identity: { type: 'SystemAssigned' },
      properties: {
        allowBlobPublicAccess: false,
        minimumTlsVersion: 'TLS1_2',
        networkAcls: {
          defaultAction: 'Deny',
          bypass: 'None',
          ipRules: [{ value: '8.8.8.8', action: 'Allow' }],
        },
      },
    }),
    of('/blobServices', `${account}/default`, {
      ...after('', account),
      properties: { deleteRetentionPolicy: { enabled: true, days: 7 }, isVersioningEnabled: true },
    }),
    of('/blobServices/containers', `${account}/default/kept`, {
      ...after('/blobServices', account, 'default'),
      properties: { metadata: { a: '1' }, publicAccess: 'None' },
    }),
    of('/fileServices/shares', `${account}/default/files`, {
      ...after('', account),
      properties: { shareQuota: 5, accessTier: 'Hot', metadata: { a: '1' } },
    }),
  ];
}

export function platform(tag: string): JsonObject[] {
  const vault = `kv${tag}`;
  const readers =
    "[subscriptionResourceId('Microsoft.Authorization/roleDefinitions', 'acdd72a7-3385-48ef-bd42-f606fba81ae7')]";
  return [
    resource('Microsoft.KeyVault/vaults', '2023-07-01', vault, {
      location: here,
      tags: { team: 'ml' },
      properties: {
        tenantId: '[subscription().tenantId]',
        sku: { family: 'A', name: 'standard' },
        enabledForTemplateDeployment: true,
        enableRbacAuthorization: true,
        networkAcls: { defaultAction: 'Deny', bypass: 'AzureServices', ipRules: [{ value: '8.8.8.8' }] },
      },
    }),
    resource('Microsoft.KeyVault/vaults/accessPolicies', '2023-07-01', `${vault}/add`, {
      dependsOn: [`[resourceId('Microsoft.KeyVault/vaults', '${vault}')]`],
      properties: {
        accessPolicies: [
          {
            tenantId: '[subscription().tenantId]',
            objectId: '11111111-1111-1111-1111-111111111111',
            permissions: { secrets: ['get', 'list'] },
          },
        ],
      },
    }),
    resource('Microsoft.KeyVault/vaults/secrets', '2023-07-01', `${vault}/word`, {
      dependsOn: [`[resourceId('Microsoft.KeyVault/vaults', '${vault}')]`],
      properties: { value: 'xyzzy', contentType: 'text/plain' },
    }),
    resource('Microsoft.ContainerRegistry/registries', '2023-07-01', `reg${tag}`, {
      location: here,
      sku: { name: 'Premium' },
      properties: { adminUserEnabled: true, policies: { retentionPolicy: { status: 'enabled', days: 9 } } },
    }),
    resource('Microsoft.OperationalInsights/workspaces', '2022-10-01', `logs${tag}`, {
      location: here,
      tags: { team: 'ml' },
      properties: {
        sku: { name: 'PerGB2018' },
        retentionInDays: 60,
        features: { immediatePurgeDataOn30Days: true },
      },
    }),
    resource('Microsoft.Insights/components', '2020-02-02', `ai${tag}`, {
      location: here,
      kind: 'web',
      properties: { Application_Type: 'web', SamplingPercentage: 50 },
    }),
    resource('Microsoft.ManagedIdentity/userAssignedIdentities', '2023-01-31', `id${tag}`, {
      location: here,
      tags: { team: 'ml' },
    }),
    resource('Microsoft.Authorization/roleAssignments', '2022-04-01', `[guid('${tag}')]`, {
      dependsOn: [`[resourceId('Microsoft.ManagedIdentity/userAssignedIdentities', 'id${tag}')]`],
      properties: {
        roleDefinitionId: readers,
        principalId: `[reference(resourceId('Microsoft.ManagedIdentity/userAssignedIdentities', 'id${tag}')).principalId]`,
        principalType: 'ServicePrincipal',
        description: 'reads',
      },
    }),
    resource('Microsoft.Authorization/locks', '2020-05-01', `lock${tag}`, {
      properties: { level: 'CanNotDelete', notes: 'kept' },
    }),
    resource('Microsoft.Resources/tags', '2021-04-01', 'default', {
      properties: { tags: { made: 'here', by: 'us' } },
    }),
  ];
}
