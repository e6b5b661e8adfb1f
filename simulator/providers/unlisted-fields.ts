/** The read-only fields that templates read of types without a row: endpoints, host names, ids, as Azure shows them. */

import { createHash } from 'node:crypto';
import { isObject } from '../http/fields.ts';
import type { Call, Json, JsonObject, Stored } from '../provider.ts';

interface Place {
  name: string;
  id: string;
  /** 'eastus'; 'global' where there is none. */
  location: string;
  properties: JsonObject;
  /** The same for the same resource, whenever it is asked. */
  guid: (salt: string) => string;
  /** An address of the private range 10/8, the same for the same resource. */
  address: () => string;
}

type Fields = (place: Place) => JsonObject;

const FIELDS: Record<string, Fields> = {
  'Microsoft.AppConfiguration/configurationStores': ({ name }) => ({
    endpoint: `https://${name.toLowerCase()}.azconfig.localhost`,
    creationDate: null,
  }),
  'Microsoft.App/managedEnvironments': ({ guid, location, address }) => ({
    defaultDomain: `${guid('domain').slice(0, 8)}.${location}.azurecontainerapps.localhost`,
    staticIp: address(),
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
  'Microsoft.CognitiveServices/accounts': ({ name, properties }) => ({
    endpoint: `https://${typeof properties.customSubDomainName === 'string' ? properties.customSubDomainName : name}.cognitiveservices.localhost/`,
  }),
  'Microsoft.Compute/disks': ({ guid, properties }) => ({
    uniqueId: guid('disk'),
    diskState: properties.diskState ?? 'Unattached',
  }),
  'Microsoft.Compute/virtualMachineScaleSets': ({ guid }) => ({ uniqueId: guid('scale set') }),
  'Microsoft.Compute/virtualMachines': ({ guid }) => ({ vmId: guid('machine') }),
  'Microsoft.ContainerInstance/containerGroups': ({ name, location, properties, address }) => ({
    ipAddress: {
      ...object(properties.ipAddress),
      ip: address(),
      fqdn: `${label(properties.ipAddress, name)}.${location}.azurecontainer.localhost`,
    },
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
    workspaceUrl: `adb-${Number.parseInt(guid('workspace').slice(0, 8), 16)}.azuredatabricks.localhost`,
  }),
  'Microsoft.DBforMySQL/flexibleServers': ({ name }) => ({
    fullyQualifiedDomainName: `${name}.mysql.database.localhost`,
  }),
  'Microsoft.DBforPostgreSQL/flexibleServers': ({ name }) => ({
    fullyQualifiedDomainName: `${name}.postgres.database.localhost`,
  }),
  'Microsoft.Devices/IotHubs': ({ name }) => ({ hostName: `${name}.azure-devices.localhost` }),
  'Microsoft.DocumentDB/databaseAccounts': ({ name }) => ({
    documentEndpoint: `https://${name}.documents.localhost:443/`,
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
  'Microsoft.Network/bastionHosts': ({ guid }) => ({ dnsName: `bst-${guid('bastion')}.bastion.localhost` }),
  'Microsoft.Network/dnsZones': ({ name }) => ({
    nameServers: [1, 2, 3, 4].map((number) => `ns${number}.${name}.dns.localhost.`),
    numberOfRecordSets: 2,
  }),
  'Microsoft.Network/loadBalancers': ({ properties, guid, address }) => ({
    resourceGuid: guid('balancer'),
    frontendIPConfigurations: withAddress(properties.frontendIPConfigurations, address()),
  }),
  'Microsoft.Network/networkInterfaces': ({ properties, guid, address }) => ({
    resourceGuid: guid('interface'),
    ipConfigurations: withAddress(properties.ipConfigurations, address()),
  }),
  'Microsoft.Network/privateDnsZones': () => ({ numberOfRecordSets: 1 }),
  'Microsoft.Network/publicIPAddresses': ({ location, properties, address, guid }) => ({
    resourceGuid: guid('address'),
    ipAddress: address(),
    publicIPAllocationMethod: properties.publicIPAllocationMethod ?? 'Dynamic',
    ...publicName(properties, location),
  }),
  'Microsoft.Network/trafficManagerProfiles': ({ properties }) => {
    const { relativeName } = object(properties.dnsConfig);
    if (typeof relativeName !== 'string') return {};
    const fqdn = `${relativeName}.trafficmanager.localhost`;
    return { dnsConfig: { ...object(properties.dnsConfig), fqdn } };
  },
  'Microsoft.Network/virtualNetworks': ({ guid }) => ({ resourceGuid: guid('network') }),
  'Microsoft.Relay/namespaces': bus,
  'Microsoft.Search/searchServices': ({ name }) => ({
    status: 'running',
    endpoint: `https://${name}.search.localhost`,
  }),
  'Microsoft.ServiceBus/namespaces': bus,
  'Microsoft.SignalRService/SignalR': ({ name, address }) => ({
    hostName: `${name}.service.signalr.localhost`,
    externalIP: address(),
    publicPort: 443,
    serverPort: 443,
  }),
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
  const seed = (salt: string): Buffer =>
    createHash('sha256').update(`${salt}|${createdAt}|${id.key}`).digest();
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

/** A public address with a label has a name in its region. */
function publicName({ dnsSettings }: JsonObject, location: string): JsonObject {
  const { domainNameLabel } = object(dnsSettings);
  if (typeof domainNameLabel !== 'string') return {};
  return {
    dnsSettings: {
      ...object(dnsSettings),
      fqdn: `${domainNameLabel.toLowerCase()}.${location}.cloudapp.localhost`,
    },
  };
}

/** Each configuration of an interface has the address it asks for, or one that it was given. */
function withAddress(configurations: Json | undefined, address: string): Json[] {
  if (!Array.isArray(configurations)) return [];
  return configurations.map((configuration) => {
    if (!isObject(configuration)) return configuration;
    const properties = object(configuration.properties);
    // One that leads to a public address has none of its own network.
    if (properties.subnet === undefined) return configuration;
    return { ...configuration, properties: { privateIPAddress: address, ...properties } };
  });
}

function object(value: Json | undefined): JsonObject {
  return isObject(value) ? value : {};
}

/** The label that the owner asked for, else the name. */
function label(value: Json | undefined, name: string): string {
  const { dnsNameLabel } = object(value);
  return typeof dnsNameLabel === 'string' ? dnsNameLabel : name;
}
