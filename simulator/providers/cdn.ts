/** Microsoft.Cdn: Front Door profiles, endpoints, origin groups, origins and routes; the front goes by them once their operations have ended. */

import { createHash } from 'node:crypto';
import { ENDPOINT, IN_FORCE, ORIGIN, ORIGIN_GROUP, PROFILE, ROUTE } from '../front-door/configuration.ts';
import type { FrontDoor } from '../front-door/front-door.ts';
import { isObject, textOf } from '../http/fields.ts';
import {
  ArmError,
  type Call,
  type Json,
  type Provider,
  type ResourceType,
  type Stored,
} from '../provider.ts';
import { row } from './table.ts';

const SKUS = ['Standard_AzureFrontDoor', 'Premium_AzureFrontDoor'];
const FORWARDING = ['HttpOnly', 'HttpsOnly', 'MatchRequest'];
/** The front's edges take a change over in seconds here, in minutes in Azure. */
const TIMES = { put: 2000, patch: 2000, delete: 1000 };

export function cdn(frontDoor: FrontDoor): Provider {
  const edge = (type: string, beforePut: (call: Call, next: Stored) => void): ResourceType =>
    row(type, {
      region: 'global',
      longRunning: TIMES,
      beforePut(call, next) {
        next.resource.properties = {
          enabledState: 'Enabled',
          ...next.resource.properties,
          deploymentStatus: 'NotStarted',
        };
        beforePut(call, next);
      },
      afterPut({ cloud }, stored) {
        cloud.store.put({
          ...stored,
          hidden: { ...stored.hidden, [IN_FORCE]: { ...stored.resource.properties } },
        });
        frontDoor.refresh();
      },
    });
  return {
    namespace: 'Microsoft.Cdn',
    types: [
      row(PROFILE, { region: 'global', longRunning: TIMES, beforePut: prepareProfile }),
      {
        ...edge(ENDPOINT, (call, next) => nameEndpoint(frontDoor, call, next)),
        actions: { purge: () => ({ longRunning: { milliseconds: 1000 } }) },
      },
      edge(ORIGIN_GROUP, checkGroup),
      edge(ORIGIN, checkOrigin),
      edge(ROUTE, checkRoute),
      row(`${PROFILE}/customDomains`, { region: 'global', longRunning: TIMES }),
      row(`${PROFILE}/ruleSets`, { region: 'global', longRunning: TIMES }),
      row(`${PROFILE}/ruleSets/rules`, { region: 'global', longRunning: TIMES }),
      row(`${PROFILE}/securityPolicies`, { region: 'global', longRunning: TIMES }),
    ],
    start: () => frontDoor.refresh(),
  };
}

function prepareProfile({ existing }: Call, next: Stored): void {
  const sku = isObject(next.resource.sku) ? next.resource.sku.name : undefined;
  if (!SKUS.some((known) => known === sku)) {
    throw new ArmError(
      400,
      'BadRequest',
      `The SKU ${JSON.stringify(sku ?? null)} is not offered by the local Azure: expected ${SKUS.join(' or ')}.`,
    );
  }
  next.resource.location = 'global';
  next.resource.kind = 'frontdoor';
  const frontDoorId = existing?.resource.properties.frontDoorId ?? guidOf(next);
  next.resource.properties = {
    originResponseTimeoutSeconds: 60,
    ...next.resource.properties,
    frontDoorId,
    resourceState: 'Active',
    extendedProperties: {},
  };
}

/** Endpoint names may repeat in other profiles, addresses may not: the second gets a suffix, as all do in Azure. */
function nameEndpoint(frontDoor: FrontDoor, { cloud, id }: Call, next: Stored): void {
  const name = id.name.toLowerCase();
  const isTaken = cloud.store
    .ofType(ENDPOINT)
    .some((other) => other.hidden.label === name && other.resource.id.toLowerCase() !== id.key);
  const label = (next.hidden.label ??= isTaken ? `${name}-${guidOf(next).slice(0, 8)}` : name);
  next.resource.location = 'global';
  next.resource.properties.hostName = frontDoor.hostName(textOf(label));
}

function checkGroup(_call: Call, next: Stored): void {
  const { loadBalancingSettings, healthProbeSettings } = next.resource.properties;
  if (!isObject(loadBalancingSettings))
    throw required('loadBalancingSettings', 'an object', loadBalancingSettings);
  const { sampleSize = 4, successfulSamplesRequired = 3 } = loadBalancingSettings;
  if (Number(successfulSamplesRequired) > Number(sampleSize)) {
    throw required(
      'loadBalancingSettings.successfulSamplesRequired',
      `at most sampleSize (${JSON.stringify(sampleSize)})`,
      successfulSamplesRequired,
    );
  }
  if (isObject(healthProbeSettings))
    checkRange(
      'healthProbeSettings.probeIntervalInSeconds',
      healthProbeSettings.probeIntervalInSeconds,
      1,
      255,
    );
}

function checkOrigin(_call: Call, next: Stored): void {
  const properties = (next.resource.properties = {
    httpPort: 80,
    httpsPort: 443,
    priority: 1,
    weight: 1000,
    enforceCertificateNameCheck: true,
    ...next.resource.properties,
  });
  const { hostName } = properties as { hostName?: Json };
  if (typeof hostName !== 'string' || !/^[\w.-]+(:\d{1,5})?$/.test(hostName))
    throw required('hostName', 'a host name', hostName);
  checkRange('priority', properties.priority, 1, 5);
  checkRange('weight', properties.weight, 1, 1000);
  checkRange('httpPort', properties.httpPort, 1, 65_535);
  checkRange('httpsPort', properties.httpsPort, 1, 65_535);
}

function checkRoute({ cloud }: Call, next: Stored): void {
  const { properties } = next.resource;
  properties.patternsToMatch ??= ['/*'];
  properties.forwardingProtocol ??= 'MatchRequest';
  if (!FORWARDING.some((one) => one === properties.forwardingProtocol))
    throw required('forwardingProtocol', `one of ${FORWARDING.join(', ')}`, properties.forwardingProtocol);
  properties.supportedProtocols ??= ['Http', 'Https'];
  const group = isObject(properties.originGroup) ? properties.originGroup.id : undefined;
  if (typeof group !== 'string') throw required('originGroup.id', 'the id of an origin group', group);
  if (!cloud.store.get(group))
    throw new ArmError(404, 'NotFound', `The route's origin group '${group}' was not found.`);
  const { originPath } = properties;
  if (
    originPath !== undefined &&
    originPath !== null &&
    (typeof originPath !== 'string' || !originPath.startsWith('/'))
  )
    throw required('originPath', "a path that starts with '/'", originPath);
}

function checkRange(name: string, value: Json | undefined, from: number, to: number): void {
  if (value === undefined || value === null) return;
  if (typeof value !== 'number' || !Number.isInteger(value) || value < from || value > to)
    throw required(name, `an integer from ${from} to ${to}`, value);
}

function required(name: string, expected: string, got: Json | undefined): ArmError {
  return new ArmError(
    400,
    'BadRequest',
    `Property '${name}' is invalid: expected ${expected}, got ${JSON.stringify(got ?? null)}.`,
    { target: name },
  );
}

function guidOf(next: Stored): string {
  const hex = createHash('sha256').update(next.resource.id.toLowerCase()).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
