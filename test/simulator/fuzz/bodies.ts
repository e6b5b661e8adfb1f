/**
 * Bodies that are right, of every provider, to be made wrong: below a resource group `group` with a workspace
 * `workspace`.
 */
import type { JsonObject } from '../../../simulator/contract/index.ts';

export interface Right {
  /** Its last segment is a name to choose anew, unless it is an action. */
  path: string;
  method: 'PUT' | 'PATCH' | 'POST';
  body: JsonObject;
}

const template = {
  $schema: 'https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#',
  contentVersion: '1.0.0.0',
  parameters: { name: { type: 'string', defaultValue: "[uniqueString('a')]", allowedValues: null } },
  variables: { many: { copy: [{ name: 'list', count: 2, input: "[copyIndex('list')]" }] } },
  functions: [
    { namespace: 'own', members: { add: { parameters: [], output: { type: 'int', value: '[add(1, 2)]' } } } },
  ],
  resources: [
    {
      type: 'Microsoft.Network/networkSecurityGroups',
      apiVersion: '2023-04-01',
      name: "[concat('nsg', parameters('name'))]",
      location: '[resourceGroup().location]',
      copy: { name: 'loop', count: 2, mode: 'Serial', batchSize: 1 },
      condition: '[equals(1, 1)]',
      dependsOn: [],
      properties: { securityRules: [] },
    },
  ],
  outputs: { id: { type: 'string', value: "[resourceId('Microsoft.Network/networkSecurityGroups', 'a')]" } },
};

export function rightBodies(group: string, workspace: string, tenantId: string): Right[] {
  const below = (path: string, body: JsonObject, method: Right['method'] = 'PUT'): Right => ({
    path: path.startsWith('/') ? `${workspace}${path}` : `${group}/providers/${path}`,
    method,
    body,
  });
  const location = 'eastus';
  const job = {
    jobType: 'Command',
    displayName: 'fuzz',
    experimentName: 'fuzz',
    command: 'python train.py --data ${{inputs.data}} --out ${{outputs.model}}',
    environmentId: `${workspace}/environments/env/versions/1`,
    computeId: `${workspace}/computes/cpu`,
    inputs: {
      data: {
        jobInputType: 'uri_folder',
        uri: 'azureml://datastores/workspaceblobstore/paths/a',
        mode: 'Download',
      },
    },
    outputs: { model: { jobOutputType: 'uri_folder', mode: 'Upload' } },
    limits: { jobLimitsType: 'Command', timeout: 'PT1H' },
    resources: { instanceCount: 1, instanceType: 'Standard_DS3_v2', properties: {} },
    services: { ssh: { jobServiceType: 'SSH', port: 22 } },
    tags: { a: 'b' },
    properties: { 'simulator.runSeconds': '1' },
  };
  return [
    below('Microsoft.Network/networkSecurityGroups/nsg', {
      location,
      properties: { securityRules: [] },
      tags: { a: 'b' },
    }),
    below('Microsoft.Storage/storageAccounts/fuzzstore', {
      location,
      kind: 'StorageV2',
      sku: { name: 'Standard_RAGRS' },
      properties: { allowSharedKeyAccess: true, networkAcls: { defaultAction: 'Allow', ipRules: [] } },
    }),
    below('Microsoft.KeyVault/vaults/fuzzvault', {
      location,
      properties: {
        tenantId,
        sku: { family: 'A', name: 'standard' },
        accessPolicies: [{ tenantId, objectId: tenantId, permissions: { secrets: ['get'] } }],
        enableSoftDelete: true,
      },
    }),
    below('Microsoft.Authorization/roleAssignments/0f8fad5b-d9cb-469f-a165-70867728950e', {
      properties: {
        principalId: tenantId,
        roleDefinitionId: `${group.split('/resourceGroups/')[0]}/providers/Microsoft.Authorization/roleDefinitions/b24988ac-6180-42a0-ab88-20f7382dd24c`,
        principalType: 'ServicePrincipal',
      },
    }),
    below('Microsoft.Authorization/locks/lock', { properties: { level: 'CanNotDelete', notes: 'x' } }),
    below('Microsoft.Insights/components/fuzzinsights', {
      location,
      kind: 'web',
      properties: { Application_Type: 'web' },
    }),
    below('Microsoft.Cdn/profiles/fuzzfront', {
      location: 'global',
      sku: { name: 'Standard_AzureFrontDoor' },
      properties: {},
    }),
    below('Microsoft.Resources/deployments/fuzz', {
      properties: { mode: 'Incremental', template, parameters: { name: { value: 'x' } } },
    }),
    below('Microsoft.Resources/deployments/fuzz/validate', { properties: { mode: 'Incremental', template } }, 'POST'),
    below('Microsoft.Resources/deployments/fuzz/whatIf', { properties: { mode: 'Complete', template } }, 'POST'),
    below('Microsoft.MachineLearningServices/workspaces/fuzzws', {
      location,
      identity: { type: 'SystemAssigned' },
      properties: {
        storageAccount: `${group}/providers/Microsoft.Storage/storageAccounts/none`,
        friendlyName: 'x',
        managedNetwork: { isolationMode: 'Disabled', outboundRules: {} },
      },
    }),
    below('/datastores/store', {
      properties: {
        datastoreType: 'AzureBlob',
        accountName: 'none',
        containerName: 'none',
        credentials: { credentialsType: 'AccountKey', secrets: { secretsType: 'AccountKey', key: 'a2V5' } },
      },
    }),
    below('/models/m/versions/1', {
      properties: {
        modelType: 'custom_model',
        modelUri: 'azureml://datastores/workspaceblobstore/paths/m',
        flavors: { python: { data: { a: 'b' } } },
        tags: {},
      },
    }),
    below('/data/d/versions/1', {
      properties: { dataType: 'uri_folder', dataUri: 'azureml://datastores/workspaceblobstore/paths/d' },
    }),
    below('/environments/e/versions/1', {
      properties: {
        image: 'mcr.microsoft.com/a:1',
        condaFile: 'name: a',
        inferenceConfig: { livenessRoute: { path: '/', port: 1 } },
      },
    }),
    below('/codes/c/versions/1', {
      properties: {
        codeUri: 'https://none.blob.core.windows.net/a/b',
        properties: { hash: 'x', hashVersion: '1' },
      },
    }),
    below('/components/p/versions/1', {
      properties: {
        componentSpec: {
          name: 'p',
          version: '1',
          type: 'command',
          command: 'a',
          inputs: {},
          environment: 'azureml:env:1',
        },
      },
    }),
    below('/jobs/command', { properties: job }),
    below('/jobs/sweep', {
      properties: {
        jobType: 'Sweep',
        trial: job,
        samplingAlgorithm: { samplingAlgorithmType: 'Random' },
        searchSpace: { lr: ['uniform', [0, 1]] },
        objective: { goal: 'Minimize', primaryMetric: 'x' },
        limits: { jobLimitsType: 'Sweep', maxTotalTrials: 1 },
      },
    }),
    below('/jobs/pipeline', {
      properties: {
        jobType: 'Pipeline',
        settings: { default_compute: 'cpu' },
        inputs: {},
        jobs: { one: { type: 'command', component: 'azureml:p:1', inputs: { a: '${{parent.inputs.a}}' } } },
      },
    }),
    below('/schedules/s', {
      properties: {
        isEnabled: true,
        trigger: {
          triggerType: 'Recurrence',
          frequency: 'Day',
          interval: 1,
          schedule: { hours: [1], minutes: [1], weekDays: ['Monday'] },
        },
        action: { actionType: 'CreateJob', jobDefinition: job },
      },
    }),
    below('/computes/cluster', {
      location,
      properties: {
        computeType: 'AmlCompute',
        properties: {
          vmSize: 'Standard_DS3_v2',
          scaleSettings: { minNodeCount: 0, maxNodeCount: 1, nodeIdleTimeBeforeScaleDown: 'PT2M' },
        },
      },
    }),
    below('/computes/instance', {
      location,
      properties: {
        computeType: 'ComputeInstance',
        properties: { vmSize: 'Standard_DS3_v2', schedules: { computeStartStop: [] } },
      },
    }),
    below('/onlineEndpoints/fuzz-online', {
      location,
      properties: { authMode: 'Key', traffic: {}, mirrorTraffic: {} },
      identity: { type: 'SystemAssigned' },
    }),
    below('/onlineEndpoints/endpoint/deployments/blue', {
      location,
      sku: { name: 'Default', capacity: 1 },
      properties: {
        endpointComputeType: 'Managed',
        instanceType: 'Standard_DS3_v2',
        model: `${workspace}/models/m/versions/1`,
        environmentId: `${workspace}/environments/env/versions/1`,
        scaleSettings: { scaleType: 'Default' },
      },
    }),
    below('/batchEndpoints/fuzz-batch', { location, properties: { authMode: 'AADToken', defaults: {} } }),
    below('/connections/c', {
      properties: {
        category: 'Git',
        target: 'https://example.org',
        authType: 'PAT',
        credentials: { pat: 'x' },
      },
    }),
    below('/outboundRules/r', { properties: { type: 'FQDN', destination: 'example.org' } }),
    below('/serverlessEndpoints/s', {
      location,
      properties: { authMode: 'Key', modelSettings: { modelId: 'azureml://registries/a/models/b' } },
    }),
    below(
      'Microsoft.MachineLearningServices/workspaces/fuzz',
      { tags: { a: 'b' }, properties: { friendlyName: 'y' } },
      'PATCH',
    ),
    below('/computes/cpu', { properties: { properties: { scaleSettings: { maxNodeCount: 2 } } } }, 'PATCH'),
    below('/onlineEndpoints/endpoint', { tags: {}, identity: { type: 'None' } }, 'PATCH'),
    below('/onlineEndpoints/endpoint/regenerateKeys', { keyType: 'Primary', keyValue: 'x' }, 'POST'),
    below('/codes/c/versions/9/startPendingUpload', { pendingUploadType: 'TemporaryBlobReference' }, 'POST'),
    below('Microsoft.Storage/storageAccounts/none/regenerateKey', { keyName: 'key1' }, 'POST'),
  ];
}
