/** The read-only fields of networks' types: addresses, names, ids. */

import { isObject } from '../resource/fields.ts';
import type { Json, JsonObject } from '../contract/index.ts';
import { type Fields, object } from './place.ts';

export const networkFields: Record<string, Fields> = {
  'Microsoft.Network/azureFirewalls': ({ properties, address }) => ({
    ipConfigurations: withAddress(properties.ipConfigurations, address()),
    ...(properties.virtualHub === undefined
      ? {}
      : {
          hubIPAddresses: {
            privateIPAddress: address(),
            publicIPs: { count: 1, addresses: [{ address: address() }] },
            ...object(properties.hubIPAddresses),
          },
        }),
  }),
  'Microsoft.Network/bastionHosts': ({ guid }) => ({ dnsName: `bst-${guid('bastion')}.bastion.localhost` }),
  'Microsoft.Network/dnsZones': ({ name }) => ({
    nameServers: [1, 2, 3, 4].map((number) => `ns${number}.${name}.dns.localhost.`),
    numberOfRecordSets: 2,
  }),
  'Microsoft.Network/dnsZones/dnssecConfigs': () => ({ signingKeys: [] }),
  'Microsoft.Network/expressRouteCircuits': ({ guid }) => ({
    serviceKey: guid('key'),
    serviceProviderProvisioningState: 'NotProvisioned',
    circuitProvisioningState: 'Enabled',
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
  'Microsoft.Network/privateEndpoints': ({ id, name, guid }) => ({
    networkInterfaces: [
      {
        id: `${id.slice(0, id.lastIndexOf('/privateEndpoints/'))}/networkInterfaces/${name}.nic.${guid('nic')}`,
      },
    ],
  }),
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
  'Microsoft.Network/virtualNetworkGateways': (place) => ({ bgpSettings: speaker(place) }),
  'Microsoft.Network/vpnGateways': (place) => ({
    bgpSettings: speaker(place),
    ipConfigurations: ['Instance0', 'Instance1'].map((id) => ({
      id,
      publicIpAddress: place.address(),
      privateIpAddress: place.address(),
    })),
  }),
};

function speaker({ properties, address }: Parameters<Fields>[0]): JsonObject {
  return { asn: 65515, peerWeight: 0, bgpPeeringAddress: address(), ...object(properties.bgpSettings) };
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
