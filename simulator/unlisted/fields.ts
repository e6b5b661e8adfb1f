/** The read-only fields that templates read of types without a row: endpoints, host names, ids, as Azure shows them. */

import { createHash } from 'node:crypto';
import { isObject } from '../resource/fields.ts';
import type { Call, Json, JsonObject, Stored } from '../contract/index.ts';
import { networkFields } from './network-fields.ts';
import { type Fields, object, type Place } from './place.ts';

const FIELDS: Record<string, Fields> = {
  ...networkFields,
  'Microsoft.ApiManagement/service': ({ name, properties, address }) => ({
    gatewayUrl: `https://${name}.azure-api.localhost`,
    portalUrl: `https://${name}.portal.azure-api.localhost`,
    developerPortalUrl: `https://${name}.developer.azure-api.localhost`,
    managementApiUrl: `https://${name}.management.azure-api.localhost`,
    scmUrl: `https://${name}.scm.azure-api.localhost`,
    publicIPAddresses: [address()],
    hostnameConfigurations: properties.hostnameConfigurations ?? [
      { type: 'Proxy', hostName: `${name}.azure-api.localhost`, defaultSslBinding: true },
    ],
  }),
  'Microsoft.AppConfiguration/configurationStores': ({ name }) => ({
    endpoint: `https://${name.toLowerCase()}.azconfig.localhost`,
    creationDate: null,
  }),
  'Microsoft.App/managedEnvironments': ({ guid, location, properties, address }) => ({
    defaultDomain: `${guid('domain').slice(0, 8)}.${location}.azurecontainerapps.localhost`,
    staticIp: address(),
    customDomainConfiguration: {
      ...object(properties.customDomainConfiguration),
      customDomainVerificationId: guid('verification').replaceAll('-', '').toUpperCase(),
    },
  }),
  'Microsoft.App/sessionPools': ({ name, location }) => ({
    poolManagementEndpoint: `https://${name}.${location}.dynamicsessions.localhost`,
  }),
  'Microsoft.App/containerApps': ({ name, location, properties, guid }) => ({
    latestRevisionName: `${name}--${guid('revision').slice(0, 7)}`,
    latestRevisionFqdn: `${name}.${location}.azurecontainerapps.localhost`,
    configuration: ingress(properties, `${name}.${location}.azurecontainerapps.localhost`),
  }),
  'Microsoft.Batch/batchAccounts': ({ name, location }) => ({
    accountEndpoint: `${name}.${location}.batch.localhost`,
  }),
  'Microsoft.Cache/redis': ({ name }) => ({
    hostName: `${name}.redis.cache.localhost`,
    port: 6379,
    sslPort: 6380,
  }),
  'Microsoft.Cache/redis/linkedServers': ({ id, name, properties }) => ({
    geoReplicatedPrimaryHostName: `${id.split('/').at(-3) ?? ''}.geo.redis.cache.localhost`,
    primaryHostRole: properties.serverRole === 'Primary' ? 'Secondary' : 'Primary',
    linkedRedisCacheName: name,
  }),
  'Microsoft.CognitiveServices/accounts': ({ name, properties }) => {
    const label = typeof properties.customSubDomainName === 'string' ? properties.customSubDomainName : name;
    const endpoint = `https://${label}.cognitiveservices.localhost/`;
    return {
      endpoint,
      endpoints: {
        'AI Foundry API': `https://${label}.services.ai.localhost/`,
        'OpenAI Language Model Instance API': `https://${label}.openai.localhost/`,
        'Content Safety': endpoint,
      },
    };
  },
  'Microsoft.CognitiveServices/accounts/projects': ({ id, name }) => ({
    endpoints: {
      'AI Foundry API': `https://${id.split('/').at(-3) ?? ''}.services.ai.localhost/api/projects/${name}`,
    },
  }),
  'Microsoft.Communication/communicationServices': ({ name, guid }) => ({
    hostName: `${name.toLowerCase()}.communication.localhost`,
    immutableResourceId: guid('communication'),
  }),
  'Microsoft.Compute/disks': ({ guid, properties }) => ({
    uniqueId: guid('disk'),
    diskState: properties.diskState ?? 'Unattached',
  }),
  'Microsoft.Compute/virtualMachineScaleSets': ({ guid }) => ({ uniqueId: guid('scale set') }),
  'Microsoft.Compute/virtualMachines': ({ guid }) => ({ vmId: guid('machine') }),
  'Microsoft.Compute/virtualMachines/extensions': ({ name }) => ({
    instanceView: {
      name,
      statuses: [done('ProvisioningState/succeeded')],
      substatuses: [done('ComponentStatus/StdOut/succeeded'), done('ComponentStatus/StdErr/succeeded')],
    },
  }),
  'Microsoft.ContainerInstance/containerGroups': ({ name, location, properties, address }) => ({
    ipAddress: {
      ...object(properties.ipAddress),
      ip: address(),
      fqdn: `${label(properties.ipAddress, name)}.${location}.azurecontainer.localhost`,
    },
  }),
  'Microsoft.ContainerService/containerServices': ({ location, properties }) => ({
    masterProfile: withFqdn(properties.masterProfile, location),
    agentPoolProfiles: Array.isArray(properties.agentPoolProfiles)
      ? properties.agentPoolProfiles.map((profile) => withFqdn(profile, location))
      : [],
  }),
  'Microsoft.ContainerService/managedClusters': ({ name, location, properties }) => {
    const prefix = typeof properties.dnsPrefix === 'string' ? properties.dnsPrefix : name;
    return {
      fqdn: `${prefix}.hcp.${location}.azmk8s.localhost`,
      nodeResourceGroup: properties.nodeResourceGroup ?? `MC_${name}_${location}`,
      powerState: { code: 'Running' },
      currentKubernetesVersion: properties.kubernetesVersion ?? '1.33',
    };
  },
  'Microsoft.Databricks/workspaces': ({ guid }) => ({
    workspaceId: String(Number.parseInt(guid('workspace').slice(0, 8), 16)),
    storageAccountIdentity: {
      principalId: guid('storage'),
      tenantId: guid('tenant'),
      type: 'SystemAssigned',
    },
    workspaceUrl: `adb-${Number.parseInt(guid('workspace').slice(0, 8), 16)}.azuredatabricks.localhost`,
  }),
  'Microsoft.DBforMariaDB/servers': ({ name }) => database(name, 'mariadb'),
  'Microsoft.DBforMySQL/servers': ({ name }) => database(name, 'mysql'),
  'Microsoft.DBforPostgreSQL/servers': ({ name }) => database(name, 'postgres'),
  'Microsoft.DBforMySQL/flexibleServers': ({ name }) => ({
    fullyQualifiedDomainName: `${name}.mysql.database.localhost`,
  }),
  'Microsoft.DBforPostgreSQL/flexibleServers': ({ name }) => ({
    fullyQualifiedDomainName: `${name}.postgres.database.localhost`,
  }),
  'Microsoft.DevCenter/devcenters': ({ name, guid, location }) => ({
    devCenterUri: `https://${guid('tenant')}-${name}.${location}.devcenter.localhost/`,
  }),
  'Microsoft.Devices/IotHubs': ({ name }) => ({ hostName: `${name}.azure-devices.localhost` }),
  'Microsoft.DevTestLab/labs': ({ guid }) => ({ uniqueIdentifier: guid('lab') }),
  'Microsoft.DigitalTwins/digitalTwinsInstances': ({ name, location }) => ({
    hostName: `${name}.api.${location}.digitaltwins.localhost`,
  }),
  'Microsoft.DocumentDB/databaseAccounts': ({ name }) => ({
    documentEndpoint: `https://${name}.documents.localhost:443/`,
  }),
  'Microsoft.DocumentDB/mongoClusters': ({ name }) => ({
    connectionString: `mongodb+srv://<user>:<password>@${name}.mongocluster.cosmos.localhost/`,
  }),
  'Microsoft.EventGrid/topics': ({ name, location }) => ({
    endpoint: `https://${name}.${location}-1.eventgrid.localhost/api/events`,
  }),
  'Microsoft.EventHub/namespaces': bus,
  'Microsoft.KeyVault/managedHSMs': ({ name }) => ({ hsmUri: `https://${name}.managedhsm.localhost/` }),
  'Microsoft.KeyVault/vaults/keys': ({ id, name, guid }) => {
    const uri = `https://${id.split('/').at(-3) ?? ''}.vault.localhost/keys/${name}`;
    return { keyUri: uri, keyUriWithVersion: `${uri}/${guid('version').replaceAll('-', '')}` };
  },
  'Microsoft.Purview/accounts': ({ id, name }) => ({
    endpoints: {
      catalog: `https://${name}.purview.localhost/catalog`,
      scan: `https://${name}.purview.localhost/scan`,
    },
    managedResources: { resourceGroup: `/${id.split('/').slice(1, 4).join('/')}/managed-rg-${name}` },
  }),
  'Microsoft.Relay/namespaces': bus,
  'Microsoft.Search/searchServices': ({ name }) => ({
    status: 'running',
    endpoint: `https://${name}.search.localhost`,
  }),
  'Microsoft.ServiceBus/namespaces': bus,
  'Microsoft.ServiceFabric/clusters': ({ location, guid }) => ({
    clusterId: guid('cluster'),
    clusterEndpoint: `https://${location}.servicefabric.localhost`,
  }),
  'Microsoft.ServiceNetworking/trafficControllers': ({ name, location }) => ({
    configurationEndpoints: [`${name}.${location}.trafficcontroller.localhost`],
  }),
  'Microsoft.SignalRService/SignalR': (place) => signalling(place, 'signalr'),
  'Microsoft.SignalRService/webPubSub': (place) => signalling(place, 'webpubsub'),
  'Microsoft.Sql/managedInstances': ({ name, guid }) => ({
    fullyQualifiedDomainName: `${name}.${guid('zone').slice(0, 12)}.database.localhost`,
  }),
  'Microsoft.Sql/servers': ({ name }) => ({
    fullyQualifiedDomainName: `${name}.database.localhost`,
    state: 'Ready',
  }),
  'Microsoft.Synapse/workspaces': ({ name }) => ({
    connectivityEndpoints: {
      web: `https://web.azuresynapse.localhost?workspace=${name}`,
      dev: `https://${name}.dev.azuresynapse.localhost`,
      sqlOnDemand: `${name}-ondemand.sql.azuresynapse.localhost`,
      sql: `${name}.sql.azuresynapse.localhost`,
    },
  }),
  'Microsoft.TimeSeriesInsights/environments': ({ guid }) => ({
    dataAccessId: guid('environment'),
    dataAccessFQDN: `${guid('environment')}.env.timeseries.localhost`,
  }),
  'Microsoft.Web/certificates': ({ guid }) => ({
    thumbprint: `${guid('thumb')}${guid('print')}`.replaceAll('-', '').slice(0, 40).toUpperCase(),
  }),
  'Microsoft.Web/hostingEnvironments': ({ name }) => ({
    dnsSuffix: `${name}.appserviceenvironment.localhost`,
  }),
  'Microsoft.Web/sites': ({ name, guid, address }) => ({
    state: 'Running',
    hostNames: [`${name.toLowerCase()}.azurewebsites.localhost`],
    enabledHostNames: [
      `${name.toLowerCase()}.azurewebsites.localhost`,
      `${name.toLowerCase()}.scm.azurewebsites.localhost`,
    ],
    defaultHostName: `${name.toLowerCase()}.azurewebsites.localhost`,
    customDomainVerificationId: guid('domain').replaceAll('-', '').toUpperCase(),
    outboundIpAddresses: address(),
    possibleOutboundIpAddresses: address(),
  }),
  'Microsoft.Web/staticSites': ({ name, guid }) => ({
    defaultHostname: `${name}-${guid('site').slice(0, 8)}.azurestaticapps.localhost`,
  }),
};
const BY_TYPE = new Map(Object.entries(FIELDS).map(([type, fields]) => [type.toLowerCase(), fields]));

/** The properties of a resource to be stored, with what Azure would add to them. */
export function readOnlyFields(type: string, { id }: Call, { resource, createdAt }: Stored): JsonObject {
  const fields = BY_TYPE.get(type.toLowerCase());
  if (!fields) return resource.properties;
  const seed = (salt: string): Buffer => createHash('sha256').update(`${salt}|${createdAt}|${id.key}`).digest();
  const guid = (salt: string): string => {
    const hex = seed(salt).toString('hex');
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
  };
  const address = (): string => `10.${[...seed('address').subarray(0, 3)].join('.')}`;
  const { location = 'global', properties } = resource;
  return {
    ...properties,
    ...fields({ name: id.name, id: id.id, location, properties, guid, address }),
  };
}

function bus({ name, id }: Place): JsonObject {
  const service = /Microsoft\.EventHub|Microsoft\.ServiceBus/i.test(id) ? 'servicebus' : 'relay';
  return {
    serviceBusEndpoint: `https://${name}.${service}.localhost:443/`,
    metricId: `${id.split('/')[2]}:${name.toLowerCase()}`,
    status: 'Active',
  };
}

function ingress(properties: JsonObject, fqdn: string): Json {
  const configuration = object(properties.configuration);
  return isObject(configuration.ingress)
    ? { ...configuration, ingress: { ...configuration.ingress, fqdn } }
    : configuration;
}

/** The label that the owner asked for, else the name. */
function label(value: Json | undefined, name: string): string {
  const { dnsNameLabel } = object(value);
  return typeof dnsNameLabel === 'string' ? dnsNameLabel : name;
}

function database(name: string, kind: string): JsonObject {
  return { fullyQualifiedDomainName: `${name}.${kind}.database.localhost`, userVisibleState: 'Ready' };
}

function signalling({ name, address }: Place, service: string): JsonObject {
  return {
    hostName: `${name}.service.${service}.localhost`,
    externalIP: address(),
    publicPort: 443,
    serverPort: 443,
  };
}

function withFqdn(profile: Json | undefined, location: string): JsonObject {
  const { dnsPrefix } = object(profile);
  if (typeof dnsPrefix !== 'string') return object(profile);
  return { ...object(profile), fqdn: `${dnsPrefix}.${location}.cloudapp.localhost` };
}

function done(code: string): JsonObject {
  return { code, level: 'Info', displayStatus: 'Provisioning succeeded', message: '' };
}
