/**
 * Computes, datastores of all types, connections of all kinds of authentication, schedules of all actions, endpoints.
 */
import type { JsonObject } from '../../../simulator/contract/index.ts';
import { longUri } from './content-assets.ts';
import type { Place, World } from './world.ts';

/** Planted where secrets are. */
export const canary = 'canary-77b1';

export async function writeComputes(world: World, place: Place): Promise<void> {
  const cluster = (more: JsonObject) => ({
    location: place.region,
    properties: {
      computeType: 'AmlCompute',
      properties: { vmSize: 'Standard_DS3_v2', scaleSettings: { minNodeCount: 0, maxNodeCount: 2 }, ...more },
    },
  });
  await world.put(`${place.id}/computes/gpu`, cluster({}));
  if (place !== world.east) return;
  await world.put(`${place.id}/computes/Low-Prio`, {
    ...cluster({
      vmPriority: 'LowPriority',
      scaleSettings: { minNodeCount: 0, maxNodeCount: 1, nodeIdleTimeBeforeScaleDown: 'PT5M' },
    }),
    tags: { cost: 'low' },
  });
  await world.put(`${place.id}/computes/anas-box`, {
    location: place.region,
    properties: { computeType: 'ComputeInstance', properties: { vmSize: 'Standard_DS3_v2' } },
  });
}

export async function writeDatastores(world: World): Promise<void> {
  const { east, third, partner } = world;
  const add = (name: string, properties: JsonObject) => world.put(`${east.id}/datastores/${name}`, { properties });
  const key = { credentialsType: 'AccountKey', secrets: { secretsType: 'AccountKey', key: `${canary}-key` } };
  const principal = {
    credentialsType: 'ServicePrincipal',
    tenantId: '00000000-0000-0000-0000-000000000001',
    clientId: '00000000-0000-0000-0000-000000000002',
    authorityUrl: 'https://login.microsoftonline.com',
    resourceUrl: 'https://storage.azure.com/',
    secrets: { secretsType: 'ServicePrincipal', clientSecret: `${canary}-sp` },
  };
  const certificate = {
    ...principal,
    credentialsType: 'Certificate',
    thumbprint: 'AB',
    secrets: { secretsType: 'Certificate', certificate: `${canary}-cert` },
  };
  const said = {
    description: `near ${east.id}`,
    tags: { key: 'kept', Größe: '大' },
    properties: { note: 'x' },
  };
  await add('third_lake', {
    datastoreType: 'AzureBlob',
    accountName: third.account.name,
    containerName: 'shared',
    credentials: key,
    ...said,
  });
  await add('third_sas', {
    datastoreType: 'AzureBlob',
    accountName: third.account.name,
    containerName: 'shared',
    credentials: { credentialsType: 'Sas', secrets: { secretsType: 'Sas', sasToken: `${canary}-sas` } },
  });
  await add('third_gen2', {
    datastoreType: 'AzureDataLakeGen2',
    accountName: third.account.name,
    filesystem: 'shared',
    credentials: principal,
  });
  await add('partner', {
    datastoreType: 'AzureBlob',
    accountName: partner.account.name,
    containerName: 'partner',
    credentials: key,
  });
  await add('partner_none', {
    datastoreType: 'AzureBlob',
    accountName: partner.account.name,
    containerName: 'partner',
    credentials: { credentialsType: 'None' },
    serviceDataAccessAuthIdentity: 'WorkspaceSystemAssignedIdentity',
  });
  await add('own_more', {
    datastoreType: 'AzureBlob',
    accountName: east.account.name,
    containerName: 'more',
    credentials: { credentialsType: 'None' },
  });
  await add('files', {
    datastoreType: 'AzureFile',
    accountName: third.account.name,
    fileShareName: 'share',
    credentials: key,
  });
  await add('gen1', { datastoreType: 'AzureDataLakeGen1', storeName: 'oldstore', credentials: certificate });
  await add('onelake', {
    datastoreType: 'OneLake',
    artifact: { artifactType: 'LakeHouse', artifactName: 'x' },
    oneLakeWorkspaceName: 'w',
    credentials: { credentialsType: 'None' },
  });
  await add('nowhere', {
    datastoreType: 'AzureBlob',
    accountName: 'noaccounthasthisname',
    containerName: 'c',
    credentials: key,
  });
}

export async function writeConnections(world: World): Promise<void> {
  const { east } = world;
  const add = (name: string, properties: JsonObject) => world.put(`${east.id}/connections/${name}`, { properties });
  const kinds: [string, string, JsonObject | undefined][] = [
    ['PAT', 'PythonFeed', { pat: `${canary}-pat` }],
    ['UsernamePassword', 'Git', { username: 'ana', password: `${canary}-password` }],
    ['None', 'ContainerRegistry', undefined],
    ['SAS', 'ADLSGen2', { sas: `${canary}-sas` }],
    ['AccountKey', 'AzureBlob', { key: `${canary}-accountkey` }],
    ['ServicePrincipal', 'AzureSqlDb', { clientId: 'c', clientSecret: `${canary}-secret`, tenantId: 't' }],
    ['AccessKey', 'S3', { accessKeyId: 'AKIA', secretAccessKey: `${canary}-access` }],
    ['ApiKey', 'AzureOpenAI', { key: `${canary}-apikey` }],
    ['CustomKeys', 'CustomKeys', { keys: { one: `${canary}-one`, 'Two-2': `${canary}-two` } }],
    ['OAuth2', 'Snowflake', { clientId: 'c', clientSecret: `${canary}-oauth`, refreshToken: 'r', username: 'u' }],
    ['AAD', 'CognitiveSearch', undefined],
    [
      'ManagedIdentity',
      'Git',
      {
        clientId: 'c1',
        resourceId: `${east.group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/uai`,
      },
    ],
  ];
  for (const [authType, category, credentials] of kinds) {
    await add(`conn-${authType}`, {
      authType,
      category,
      target: `https://${authType.toLowerCase()}.example/simple?x=1#y`,
      expiryTime: '2030-01-01T00:00:00Z',
      isSharedToAll: authType === 'PAT',
      metadata: { ApiType: 'Azure', key: 'not a secret', note: `for ${east.id}` },
      ...(credentials ? { credentials } : {}),
    });
  }
  await add('legacy-value', {
    authType: 'PAT',
    category: 'Git',
    target: 'https://git.example',
    value: `{"pat":"${canary}-legacy"}`,
    valueFormat: 'JSON',
    credentials: { pat: `${canary}-pat2` },
  });
  await add('own-storage', {
    authType: 'None',
    category: 'AzureBlob',
    target: `${east.account.endpoint}${east.container}`,
    metadata: { ResourceId: east.accountId, AccountName: east.account.name },
  });
}

/** A table as a monitor reads it. */
function monitored({ east }: World) {
  return {
    inputDataType: 'Static',
    jobInputType: 'mltable',
    uri: `${east.id}/data/table/versions/1`,
    windowStart: '2026-01-01T00:00:00Z',
    windowEnd: '2026-02-01T00:00:00Z',
  };
}

export async function writeSchedules(world: World): Promise<void> {
  const { east } = world;
  const cron = {
    triggerType: 'Cron',
    expression: '30 1 * * *',
    timeZone: 'W. Europe Standard Time',
    startTime: '2026-01-01T00:00:00',
  };
  const recurrence = {
    triggerType: 'Recurrence',
    frequency: 'Week',
    interval: 2,
    schedule: { hours: [1], minutes: [0, 30], weekDays: ['Monday'] },
    timeZone: 'UTC',
  };
  const job = {
    jobType: 'Command',
    displayName: `nightly of ${east.name}`,
    command: 'python nightly.py',
    environmentId: `${east.id}/environments/sklearn/versions/3`,
    computeId: `${east.id}/computes/gpu`,
    inputs: {
      d: {
        jobInputType: 'uri_folder',
        mode: 'ReadOnlyMount',
        uri: longUri(world, 'workspaceblobstore', 'data/big/'),
      },
    },
    queueSettings: { jobTier: 'Spot' },
    tags: { from: `${east.id}/jobs/x` },
  };
  const add = (name: string, properties: JsonObject) => world.put(`${east.id}/schedules/${name}`, { properties });
  await add('Nightly_1', {
    displayName: 'Nightly ☾',
    description: `see ${east.id}/jobs/abc`,
    tags: { x: `${east.id}/jobs/abc` },
    isEnabled: true,
    trigger: cron,
    action: { actionType: 'CreateJob', jobDefinition: job },
  });
  await add('paused', {
    isEnabled: false,
    trigger: recurrence,
    action: {
      actionType: 'CreateJob',
      jobDefinition: {
        ...job,
        jobType: 'Pipeline',
        command: null,
        environmentId: null,
        jobs: { a: { type: 'command', componentId: `${east.id}/components/z_train/versions/2` } },
        settings: { default_compute: `${east.id}/computes/gpu` },
      },
    },
  });
  await add('monitor', {
    isEnabled: true,
    trigger: recurrence,
    action: {
      actionType: 'CreateMonitor',
      monitorDefinition: {
        computeConfiguration: {
          computeType: 'ServerlessSpark',
          instanceType: 'standard_e4s_v3',
          runtimeVersion: '3.4',
          computeIdentity: { computeIdentityType: 'AmlToken' },
        },
        monitoringTarget: { modelId: `${east.id}/models/m/versions/1`, taskType: 'Classification' },
        signals: {
          drift: {
            signalType: 'DataDrift',
            productionData: monitored(world),
            referenceData: monitored(world),
            metricThresholds: [],
          },
        },
      },
    },
  });
}

export async function writeEndpoints(world: World): Promise<void> {
  const { east } = world;
  const endpoint = `${east.id}/onlineEndpoints/Score-me`;
  const body = {
    location: 'eastus',
    tags: { team: 'risk' },
    identity: { type: 'SystemAssigned' },
    kind: 'Managed',
  };
  const properties = {
    authMode: 'Key',
    description: `of ${east.id}`,
    properties: { a: 'b' },
    publicNetworkAccess: 'Enabled',
  };
  await world.put(endpoint, { ...body, properties });
  const deployment = (model: string, more: JsonObject = {}) => ({
    ...body,
    sku: { name: 'Default', capacity: 2 },
    properties: {
      endpointComputeType: 'Managed',
      instanceType: 'Standard_DS3_v2',
      model,
      environmentId: `${east.id}/environments/sklearn/versions/3`,
      codeConfiguration: { codeId: `${east.id}/codes/train-src/versions/1`, scoringScript: 'score.py' },
      environmentVariables: { MODE: 'x' },
      requestSettings: { requestTimeout: 'PT1M', maxConcurrentRequestsPerInstance: 3 },
      ...more,
    },
  });
  await world.put(`${endpoint}/deployments/blue`, deployment(`${east.id}/models/m/versions/1`));
  await world.put(`${endpoint}/deployments/green`, deployment('azureml:many:65'));
  await world.put(`${endpoint}/deployments/shadow`, deployment(`${east.id}/models/many/versions/2`));
  await world.put(endpoint, {
    ...body,
    properties: { ...properties, traffic: { blue: 70, green: 30 }, mirrorTraffic: { shadow: 10 } },
  });
  // An endpoint that nobody has deployed to yet.
  await world.put(`${east.id}/onlineEndpoints/empty-one`, { ...body, properties: { authMode: 'AMLToken' } });
  const batch = `${east.id}/batchEndpoints/nightly-batch`;
  await world.put(batch, { location: 'eastus', properties: { authMode: 'AADToken' } });
}
