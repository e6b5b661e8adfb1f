/**
 * Types without a life of their own: kept as they are sent, with the read-only fields that templates and clients read.
 * One row a type, for the namespaces that a machine learning workspace depends on.
 */

import { createHash } from 'node:crypto';
import {
  ArmError,
  type Call,
  type JsonObject,
  type Provider,
  type ResourceType,
  type Stored,
} from '../contract/index.ts';
import { networkParts } from './network-parts.ts';
import { row } from '../resource/table.ts';
import { readOnlyFields } from './fields.ts';

/** A fixed id per resource, so that a second PUT answers the same instrumentation key or customer id. */
function stableGuid(stored: Stored, salt: string): string {
  const hex = createHash('sha256')
    .update(`${salt}|${stored.createdAt}|${stored.resource.id.toLowerCase()}`)
    .digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

function fill(fields: (call: Call, next: Stored) => JsonObject): NonNullable<ResourceType['beforePut']> {
  return (call, next) => {
    next.resource.properties = { ...next.resource.properties, ...fields(call, next) };
  };
}

const own = (type: string, more: Partial<ResourceType> = {}): ResourceType => row(type, { region: 'own', ...more });
const quick = { longRunning: { put: 2000, delete: 1000 } };

const insights = [
  own('Microsoft.Insights/components', {
    createdStatus: 200,
    provisioningState: true,
    beforePut: fill(({ cloud, id }, next) => {
      const key = stableGuid(next, 'instrumentation');
      const app = stableGuid(next, 'application');
      const base = `${cloud.dataPlane(next.region ?? '')}/_/insights`;
      return {
        Application_Type: next.resource.properties.Application_Type ?? 'web',
        AppId: app,
        ApplicationId: id.name,
        Name: id.name,
        InstrumentationKey: key,
        ConnectionString: `InstrumentationKey=${key};IngestionEndpoint=${base}/;LiveEndpoint=${base}/live/;ApplicationId=${app}`,
        CreationDate: new Date(next.createdAt).toISOString(),
        TenantId: id.subscriptionId ?? '',
      };
    }),
  }),
  own('Microsoft.Insights/actionGroups'),
  own('Microsoft.Insights/metricAlerts'),
  row('Microsoft.Insights/diagnosticSettings', { createdStatus: 200 }),
];

const logAnalytics = [
  own('Microsoft.OperationalInsights/workspaces', {
    ...quick,
    beforePut: fill(({ id, existing }, next) => {
      if (!/^[A-Za-z0-9][A-Za-z0-9-]{2,61}[A-Za-z0-9]$/.test(id.name)) {
        throw new ArmError(
          400,
          'InvalidParameter',
          `The workspace name '${id.name}' is invalid: expected 4 to 63 letters, digits and dashes.`,
        );
      }
      const now = new Date(next.changedAt).toISOString();
      return {
        customerId: stableGuid(next, 'customer'),
        sku: next.resource.properties.sku ?? { name: 'PerGB2018' },
        retentionInDays: next.resource.properties.retentionInDays ?? 30,
        createdDate: existing?.resource.properties.createdDate ?? now,
        modifiedDate: now,
      };
    }),
    actions: {
      sharedkeys: ({ existing }) => ({ body: existing ? sharedKeys(existing) : {} }),
      // The name that templates have for the same.
      listkeys: ({ existing }) => ({ body: existing ? sharedKeys(existing) : {} }),
    },
  }),
];

const network = [
  ...[
    'networkSecurityGroups',
    'virtualNetworks',
    'privateEndpoints',
    'publicIPAddresses',
    'networkInterfaces',
    'routeTables',
    'natGateways',
  ].map((name) => own(`Microsoft.Network/${name}`, { ...quick, ...networkParts(`Microsoft.Network/${name}`) })),
  ...['privateDnsZones', 'dnsZones'].map((name) =>
    row(`Microsoft.Network/${name}`, {
      region: 'global',
      provisioningState: true,
      beforePut: (call, next) => {
        next.resource.properties = readOnlyFields(`Microsoft.Network/${name}`, call, next);
      },
    }),
  ),
  ...[
    'virtualNetworks/subnets',
    'networkSecurityGroups/securityRules',
    'privateDnsZones/virtualNetworkLinks',
    'privateEndpoints/privateDnsZoneGroups',
  ].map((name) => row(`Microsoft.Network/${name}`, { provisioningState: true })),
];

const identities = [
  own('Microsoft.ManagedIdentity/userAssignedIdentities', {
    beforePut: fill(({ cloud }, next) => ({
      tenantId: cloud.tenantId,
      principalId: stableGuid(next, 'principal'),
      clientId: stableGuid(next, 'client'),
    })),
  }),
  row('Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials'),
];

function sharedKeys(stored: Stored): JsonObject {
  const key = (name: string): string =>
    createHash('sha512').update(`${name}|${stored.createdAt}|${stored.resource.id}`).digest('base64');
  return { primarySharedKey: key('primary'), secondarySharedKey: key('secondary') };
}

export const generic: readonly Provider[] = Object.entries({
  'Microsoft.Insights': insights,
  'Microsoft.OperationalInsights': logAnalytics,
  'Microsoft.Network': network,
  'Microsoft.ManagedIdentity': identities,
}).map(([namespace, types]) => ({ namespace, types }));
