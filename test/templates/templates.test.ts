/** The project's templates: Bicep and ARM JSON say the same, and the JSON deploys. */

import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../simulator/contract/index.ts';
import { compileBicep } from './bicep.ts';
import { parseBicep } from './bicep-syntax.ts';
import { deploy, groupId, plan, subscriptionId } from './deploy.ts';

const folder = join(import.meta.dirname, '../../templates');
const names = readdirSync(folder)
  .filter((file) => file.endsWith('.bicep'))
  .map((file) => file.replace(/\.bicep$/, ''));
const bicep = (name: string): string => readFileSync(join(folder, `${name}.bicep`), 'utf8');
const arm = (name: string): JsonObject => JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8')) as JsonObject;
const hasCompiler = spawnSync('bicep', ['--version']).status === 0;

describe.each(names)('templates/%s', (name) => {
  it('says the same in Bicep and in ARM JSON', () => {
    const { metadata: _, ...template } = arm(name);
    expect(template).toEqual(compileBicep(bicep(name)));
  });

  it.runIf(hasCompiler)('is what the Bicep compiler makes of it', () => {
    const compiled = JSON.parse(
      execFileSync('bicep', ['build', '--stdout', join(folder, `${name}.bicep`)], { encoding: 'utf8' }),
    ) as JsonObject;
    const { metadata: _compiled, ...expected } = compiled;
    const { metadata: _own, ...template } = arm(name);
    expect(template).toEqual(expected);
  });

  it('describes every parameter', () => {
    for (const parameter of parseBicep(bicep(name)).parameters) {
      expect(
        parameter.decorators.map((each) => each.name),
        parameter.name,
      ).toContain('description');
    }
  });
});

const required = {
  workspaceName: 'fraud-east',
  storageAccountName: 'fraudeast',
  keyVaultName: 'fraud-east-kv',
  applicationInsightsName: 'fraud-east-ai',
  logAnalyticsName: 'fraud-east-logs',
};

describe('templates/workspace.json', () => {
  it('deploys the least: no registry, no clusters, no roles', async () => {
    const { bodies, outputs } = await deploy(plan('workspace', required));
    expect([...bodies.keys()]).toEqual([
      'Microsoft.OperationalInsights/workspaces fraud-east-logs',
      'Microsoft.Storage/storageAccounts fraudeast',
      'Microsoft.KeyVault/vaults fraud-east-kv',
      'Microsoft.Insights/components fraud-east-ai',
      'Microsoft.MachineLearningServices/workspaces fraud-east',
    ]);
    expect(bodies.get('Microsoft.MachineLearningServices/workspaces fraud-east')).toEqual({
      location: 'eastus',
      tags: {},
      identity: { type: 'SystemAssigned' },
      properties: {
        friendlyName: 'fraud-east',
        storageAccount: `${groupId}/providers/Microsoft.Storage/storageAccounts/fraudeast`,
        keyVault: `${groupId}/providers/Microsoft.KeyVault/vaults/fraud-east-kv`,
        applicationInsights: `${groupId}/providers/Microsoft.Insights/components/fraud-east-ai`,
        containerRegistry: null,
        publicNetworkAccess: 'Enabled',
      },
    });
    expect(bodies.get('Microsoft.KeyVault/vaults fraud-east-kv')).toMatchObject({
      properties: { enableSoftDelete: true, enablePurgeProtection: null, softDeleteRetentionInDays: 90 },
    });
    expect(outputs).toEqual({
      workspaceId: {
        type: 'String',
        value: `${groupId}/providers/Microsoft.MachineLearningServices/workspaces/fraud-east`,
      },
      storageAccountId: {
        type: 'String',
        value: `${groupId}/providers/Microsoft.Storage/storageAccounts/fraudeast`,
      },
      blobEndpoint: { type: 'String', value: 'https://account.blob.example/' },
      keyVaultUri: { type: 'String', value: 'https://vault.example/' },
      principalId: { type: 'String', value: 'p-1' },
      discoveryUrl: { type: 'String', value: 'https://eastus.example/discovery' },
    });
  });

  it('deploys the most, in another region, closed to the public', async () => {
    const { bodies } = await deploy(
      plan('workspace', {
        ...required,
        location: 'westus3',
        containerRegistryName: 'fraudregistry',
        containerRegistrySku: 'Premium',
        publicNetworkAccess: 'Disabled',
        enablePurgeProtection: true,
        principalId: 'aaaaaaaa-0000-0000-0000-000000000001',
        principalType: 'Group',
        tags: { team: 'fraud' },
        computes: [
          { name: 'cpu', vmSize: 'Standard_DS3_v2', minNodes: 0, maxNodes: 4, idleTime: 'PT2M' },
          { name: 'gpu', vmSize: 'Standard_NC6s_v3', minNodes: 1, maxNodes: 2, idleTime: 'PT15M' },
        ],
      }),
    );
    expect(bodies.get('Microsoft.MachineLearningServices/workspaces/computes fraud-east/gpu')).toEqual({
      location: 'westus3',
      tags: { team: 'fraud' },
      properties: {
        computeType: 'AmlCompute',
        properties: {
          vmSize: 'Standard_NC6s_v3',
          vmPriority: 'Dedicated',
          scaleSettings: { minNodeCount: 1, maxNodeCount: 2, nodeIdleTimeBeforeScaleDown: 'PT15M' },
        },
      },
    });
    expect(bodies.get('Microsoft.Storage/storageAccounts fraudeast')).toMatchObject({
      properties: { publicNetworkAccess: 'Disabled', networkAcls: { defaultAction: 'Deny' } },
    });
    expect(bodies.get('Microsoft.KeyVault/vaults fraud-east-kv')).toMatchObject({
      properties: { enablePurgeProtection: true },
    });
    const roles = [...bodies].filter(([name]) => name.startsWith('Microsoft.Authorization/roleAssignments'));
    expect(roles.map(([, body]) => body['properties'])).toEqual(
      ['ba92f5b4-2d11-453d-a403-e96b0029c9fe', 'f6c7c914-8db3-469d-8ca1-694a8f32e121'].map((role) => ({
        roleDefinitionId: `/subscriptions/${subscriptionId}/providers/Microsoft.Authorization/roleDefinitions/${role}`,
        principalId: 'aaaaaaaa-0000-0000-0000-000000000001',
        principalType: 'Group',
      })),
    );
  });

  it('names role assignments by what they grant, so that a second deployment finds them', () => {
    const roles = (): string[] =>
      plan('workspace', { ...required, principalId: 'p' })
        .resources.filter((each) => each.type === 'Microsoft.Authorization/roleAssignments')
        .map((each) => each.id);
    expect(roles()).toHaveLength(2);
    expect(roles()).toEqual(roles());
    expect(roles()[0]).toMatch(
      new RegExp(
        `^${groupId}/providers/Microsoft\\.Storage/storageAccounts/fraudeast/providers/Microsoft\\.Authorization/roleAssignments/[0-9a-f-]{36}$`,
      ),
    );
  });

  it('refuses a name that is too long', () => {
    expect(() => plan('workspace', { ...required, workspaceName: 'x'.repeat(34) })).toThrow(
      "Length of the value should be less than or equal to '33'",
    );
  });
});

describe('templates/control-store.json', () => {
  it('makes a versioned container that outlives its region, and lets the writers in', async () => {
    const { bodies, outputs } = await deploy(
      plan('control-store', {
        storageAccountName: 'frauddrcontrol',
        location: 'centralus',
        writerPrincipalIds: ['w1', 'w2'],
      }),
    );
    expect([...bodies.keys()].slice(0, 1)).toEqual(['Microsoft.Storage/storageAccounts frauddrcontrol']);
    expect(bodies.get('Microsoft.Storage/storageAccounts frauddrcontrol')).toMatchObject({
      sku: { name: 'Standard_RAGRS' },
      properties: { allowBlobPublicAccess: false, minimumTlsVersion: 'TLS1_2' },
    });
    expect(bodies.get('Microsoft.Storage/storageAccounts/blobServices frauddrcontrol/default')).toEqual({
      properties: {
        isVersioningEnabled: true,
        deleteRetentionPolicy: { enabled: true, days: 30 },
        containerDeleteRetentionPolicy: { enabled: true, days: 30 },
      },
    });
    expect(
      bodies.has('Microsoft.Storage/storageAccounts/blobServices/containers frauddrcontrol/default/understudy'),
    ).toBe(true);
    expect([...bodies.keys()].filter((key) => key.startsWith('Microsoft.Authorization'))).toHaveLength(2);
    expect(outputs).toMatchObject({
      containerName: { value: 'understudy' },
      storageAccountName: { value: 'frauddrcontrol' },
    });
  });
});

describe('templates/front-door.json', () => {
  const origins = [
    { name: 'east', hostName: 'east.example', weight: 1000, priority: 1, enabled: 'Enabled' },
    {
      name: 'west',
      hostName: 'localhost',
      weight: 1,
      priority: 2,
      enabled: 'Enabled',
      httpsPort: 8443,
      hostHeader: 'west.example',
    },
  ];

  it('makes the route when both origins are there, one after the other', async () => {
    const planned = plan('front-door', {
      profileName: 'fraud',
      endpointName: 'fraud',
      origins,
      probePath: '/health',
    });
    const [east, west] = planned.resources.filter((each) => each.type.endsWith('/origins'));
    expect(west?.dependsOn).toContain(east?.id);
    const { bodies, outputs } = await deploy(planned);
    expect([...bodies.keys()].at(-1)).toBe('Microsoft.Cdn/profiles/afdEndpoints/routes fraud/fraud/score');
    expect(bodies.get('Microsoft.Cdn/profiles/originGroups/origins fraud/score/east')).toMatchObject({
      properties: {
        hostName: 'east.example',
        originHostHeader: 'east.example',
        httpsPort: 443,
        weight: 1000,
        priority: 1,
      },
    });
    expect(bodies.get('Microsoft.Cdn/profiles/originGroups/origins fraud/score/west')).toMatchObject({
      properties: {
        hostName: 'localhost',
        originHostHeader: 'west.example',
        httpsPort: 8443,
        weight: 1,
        priority: 2,
      },
    });
    expect(outputs['hostName']).toEqual({ type: 'String', value: 'fraud.example' });
  });

  it('refuses a single origin', () => {
    expect(() =>
      plan('front-door', { profileName: 'fraud', endpointName: 'fraud', origins: origins.slice(0, 1) }),
    ).toThrow("greater than or equal to '2'");
  });
});
