import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../simulator/contract/index.ts';
import { addPrincipal, codeOf } from './principals.ts';
import { TestCloud } from './running-cloud.ts';

const API = 'api-version=2022-10-01';
const HEALTH = 'providers/Microsoft.ResourceHealth/availabilityStatuses';
let cloud: TestCloud;
let group: string;
let account: string;
let vault: string;

beforeAll(async () => {
  cloud = await TestCloud.start();
  group = await cloud.group('health', 'eastus');
  ({ id: account } = await cloud.account(group, 'healthaccount', 'eastus'));
  vault = `${group}/providers/Microsoft.KeyVault/vaults/health-kv`;
  await cloud.make(vault, {
    location: 'eastus',
    properties: { tenantId: cloud.at.address.tenantId, sku: { family: 'A', name: 'standard' } },
  });
}, 60_000);
afterAll(() => cloud.stop());
afterEach(() => cloud.admin('DELETE', '/faults'));

async function current(id: string): Promise<{ state: unknown; properties: JsonObject; json: JsonObject }> {
  const { status, json } = await cloud.arm(`${id}/${HEALTH}/current?${API}`);
  expect(status).toBe(200);
  const properties = json.properties as JsonObject;
  return { state: properties.availabilityState, properties, json };
}

describe('the health of a resource', () => {
  it('is told while its region is dark, with the time since when', async () => {
    const before = await current(account);
    expect(before.json).toMatchObject({
      id: `${account}/providers/Microsoft.ResourceHealth/AvailabilityStatuses/current`,
      name: 'current',
      type: 'Microsoft.ResourceHealth/AvailabilityStatuses',
      location: 'eastus',
      properties: { availabilityState: 'Available', reasonType: '' },
    });
    const from = cloud.at.clock.now();
    await cloud.admin('POST', '/regions/eastus/outage', { mode: 'dark' });
    cloud.at.clock.advance(60_000);
    const { state, properties } = await current(account);
    expect([state, properties.reasonType]).toEqual(['Unavailable', 'Unplanned']);
    const since = Date.parse(properties.occuredTime as string);
    expect(since).toBeGreaterThanOrEqual(from);
    expect(Date.parse(properties.reportedTime as string) - since).toBeGreaterThanOrEqual(60_000);
    await expect(cloud.arm(`${account}?${API}`)).rejects.toThrow();

    await cloud.admin('DELETE', '/faults');
    const { json } = await cloud.arm(`${account}/${HEALTH}?${API}`);
    const states = (json.value as { properties: JsonObject }[]).map((one) => one.properties.availabilityState);
    expect(states.slice(0, 3)).toEqual(['Available', 'Unavailable', 'Available']);
  });

  it('is that of its own service', async () => {
    await cloud.admin('POST', '/regions/eastus/outage', { mode: 'dark', parts: ['keyvault'] });
    expect((await current(vault)).state).toBe('Unavailable');
    expect((await current(account)).state).toBe('Available');
    await cloud.admin('POST', '/regions/eastus/outage', { mode: 'hang', parts: ['blob'] });
    expect((await current(vault)).state).toBe('Available');
    expect((await current(account)).state).toBe('Unavailable');
    await cloud.admin('POST', '/regions/eastus/outage', { mode: 'dark', parts: ['arm'] });
    expect((await current(account)).state).toBe('Unknown');
  });

  it('is degraded where the region is slow, throttles or takes no writes', async () => {
    for (const faults of [{ latencyMs: 5 }, { throttle: { perSecond: 1000, burst: 1000 } }, { errorRate: 0.1 }]) {
      await cloud.admin('POST', '/regions/eastus/faults', faults);
      expect((await current(account)).state).toBe('Degraded');
      await cloud.admin('DELETE', '/faults');
    }
    await cloud.admin('POST', '/regions/eastus/outage', { mode: 'read-only' });
    expect((await current(account)).state).toBe('Degraded');
    await cloud.admin('DELETE', '/faults');
    expect((await current(account)).state).toBe('Available');
  });

  it('makes events of the subscription, active and resolved, where it has something', async () => {
    const events = async (more = ''): Promise<{ name: string; properties: JsonObject }[]> => {
      const path = `${cloud.subscription}/providers/Microsoft.ResourceHealth/events?${API}${more}`;
      return (await cloud.arm(path)).json.value as never;
    };
    cloud.at.clock.advance(3_600_000);
    const from = new Date(cloud.at.clock.now()).toISOString();
    await cloud.admin('POST', '/regions/eastus/outage', { mode: 'dark', parts: ['keyvault'] });
    await cloud.admin('POST', '/regions/westus3/outage', { mode: 'dark' });
    const [active, ...others] = await events(`&queryStartTime=${from}`);
    expect(others).toEqual([]);
    expect(active?.properties).toMatchObject({
      eventType: 'ServiceIssue',
      status: 'Active',
      eventLevel: 'Error',
      impact: [{ impactedService: 'Key Vault', impactedRegions: [{ impactedRegion: 'East US' }] }],
    });
    await cloud.admin('DELETE', '/faults');
    const filter = encodeURIComponent("eventType eq 'ServiceIssue' and status eq 'Resolved'");
    const [resolved] = await events(`&queryStartTime=${from}&$filter=${filter}`);
    expect(resolved?.name).toBe(active?.name);
    expect(resolved?.properties.impactMitigationTime).toBeDefined();
    const one = `${cloud.subscription}/providers/Microsoft.ResourceHealth/events/${active?.name}?${API}`;
    expect((await cloud.arm(one)).json.properties).toMatchObject({ status: 'Resolved' });
    const wrong = await cloud.arm(
      `${cloud.subscription}/providers/Microsoft.ResourceHealth/events?${API}&$filter=nonsense`,
    );
    expect(codeOf(wrong)).toBe('InvalidFilter');
  });

  it('is listed for a group and a subscription, and refused for what is not there', async () => {
    for (const scope of [group, cloud.subscription]) {
      const { json } = await cloud.arm(`${scope}/${HEALTH}?${API}`);
      const ids = (json.value as JsonObject[]).map(({ id }) => id);
      expect(ids).toHaveLength(2);
      expect(ids).toContain(`${vault}/providers/Microsoft.ResourceHealth/AvailabilityStatuses/current`);
    }
    expect(codeOf(await cloud.arm(`${account}x/${HEALTH}/current?${API}`))).toBe('ResourceNotFound');
    expect(codeOf(await cloud.arm(`${account}/a/b/c/d/${HEALTH}/current?${API}`))).toBe('UnsupportedResourceType');
    const nobody = await addPrincipal(cloud);
    expect(codeOf(await nobody.arm(`${account}/${HEALTH}/current?${API}`))).toBe('AuthorizationFailed');
    const identity = `${group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/some`;
    await cloud.make(identity, { location: 'eastus', properties: {} });
    expect((await current(identity)).state).toBe('Unknown');
  });
});
