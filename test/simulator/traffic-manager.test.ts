import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../simulator/contract/index.ts';
import { eventually, TestCloud } from './running-cloud.ts';

const API = 'api-version=2022-04-01';
let cloud: TestCloud;
let profile: string;

/** A service of the user's own that says who it is and whether it is well. */
class Site {
  readonly name: string;
  private readonly server: Server;
  well = true;

  constructor(name: string, folder: string) {
    this.name = name;
    const [cert, key] = ['server.pem', 'server-key.pem'].map((file) => readFileSync(join(folder, file)));
    this.server = createServer({ cert, key }, (request, response) => {
      response.statusCode = request.url === '/health' && !this.well ? 503 : 200;
      response.setHeader('x-site', this.name);
      response.end(`${request.method} ${request.url}`);
    });
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
  }

  get target(): string {
    return `localhost:${(this.server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

let east: Site;
let west: Site;

beforeAll(async () => {
  cloud = await TestCloud.start();
  [east, west] = [new Site('east', cloud.folder), new Site('west', cloud.folder)];
  await Promise.all([east.listen(), west.listen()]);
  profile = `${await cloud.group('traffic', 'centralus')}/providers/Microsoft.Network/trafficManagerProfiles/fraud`;
}, 60_000);
afterAll(async () => {
  await cloud.stop();
  await Promise.all([east.close(), west.close()]);
});

function endpoint(site: Site, more: JsonObject = {}): JsonObject {
  return {
    name: site.name,
    type: 'Microsoft.Network/trafficManagerProfiles/externalEndpoints',
    properties: { target: site.target, endpointStatus: 'Enabled', ...more },
  };
}

function body(more: JsonObject = {}): JsonObject {
  return {
    location: 'global',
    properties: {
      trafficRoutingMethod: 'Priority',
      dnsConfig: { relativeName: 'fraud-score', ttl: 30 },
      monitorConfig: {
        protocol: 'HTTPS',
        port: 443,
        path: '/health',
        intervalInSeconds: 10,
        toleratedNumberOfFailures: 1,
      },
      endpoints: [endpoint(east, { priority: 1 }), endpoint(west, { priority: 2 })],
      ...more,
    },
  };
}

async function advance(seconds: number): Promise<void> {
  await cloud.admin('POST', '/clock', { advanceSeconds: seconds });
}

async function asked(): Promise<string> {
  const { headers, status } = await cloud.ask(`${cloud.at.address.front}/_tm/fraud-score/score?x=1`);
  return headers['x-site'] ?? String(status);
}

async function resolved(): Promise<JsonObject> {
  const name = 'fraud-score.trafficmanager.localhost';
  return JSON.parse(
    (await cloud.ask(`${cloud.at.address.front}/dns-query?name=${name}&type=CNAME`)).text,
  ) as JsonObject;
}

async function statuses(): Promise<string[]> {
  const { properties } = (await cloud.arm(`${profile}?${API}`)).json as {
    properties: { endpoints: { properties: JsonObject }[]; monitorConfig: JsonObject };
  };
  const of = properties.endpoints.map((one) => one.properties.endpointMonitorStatus);
  return [properties.monitorConfig.profileMonitorStatus, ...of] as string[];
}

describe('the Traffic Manager stand-in', () => {
  it('answers its name with the first endpoint that its probes find well', async () => {
    const made = await cloud.make(profile, body());
    const port = new URL(cloud.at.address.arm).port;
    expect(made.properties).toMatchObject({
      dnsConfig: { fqdn: `fraud-score.trafficmanager.localhost:${port}`, ttl: 30 },
      profileStatus: 'Enabled',
      endpoints: [{ name: 'east' }, { name: 'west' }],
    });
    expect(await asked()).toBe('east');
    expect(await resolved()).toMatchObject({ Status: 0, Answer: [{ type: 5, TTL: 30, data: 'localhost' }] });
    const probe = async (): Promise<string[]> => {
      await advance(10);
      return statuses();
    };
    await eventually(probe, (seen) => seen.join() === 'Online,Online,Online');
  });

  it('gives a client that has the old answer the old endpoint, until its time to live is over', async () => {
    east.well = false;
    const probe = async (): Promise<string[]> => {
      await advance(10);
      return statuses();
    };
    await eventually(probe, (seen) => seen.join() === 'Degraded,Degraded,Online');
    await advance(31);
    expect(await asked()).toBe('west');
    east.well = true;
    await eventually(probe, (seen) => seen.join() === 'Online,Online,Online');
    await advance(31);
    expect(await asked()).toBe('east');
    const patch = await cloud.arm(`${profile}/externalEndpoints/east?${API}`, {
      method: 'PATCH',
      body: { properties: { endpointStatus: 'Disabled' } },
    });
    expect(patch.status).toBe(200);
    expect(await asked()).toBe('east');
    expect((await statuses())[1]).toBe('Disabled');
    await advance(31);
    expect(await asked()).toBe('west');
  });

  it('counts all that are enabled as well when none is, and answers nothing when none is enabled', async () => {
    west.well = false;
    const probe = async (): Promise<string[]> => {
      await advance(10);
      return statuses();
    };
    await eventually(probe, (seen) => seen[2] === 'Degraded');
    await advance(31);
    expect(await asked()).toBe('west');
    west.well = true;
    await cloud.arm(`${profile}?${API}`, {
      method: 'PATCH',
      body: { properties: { profileStatus: 'Disabled' } },
    });
    await advance(31);
    expect(await asked()).toBe('404');
    expect(await resolved()).toMatchObject({ Status: 3, Answer: [] });
    expect(await statuses()).toEqual(['Disabled', 'Disabled', 'Inactive']);
  });

  it('draws by weight, anew for each answer', async () => {
    const weighted = { trafficRoutingMethod: 'Weighted', dnsConfig: { relativeName: 'fraud-score', ttl: 0 } };
    const endpoints = [endpoint(east, { weight: 300 }), endpoint(west, { weight: 100 })];
    await cloud.make(profile, body({ ...weighted, endpoints }));
    const seen: Record<string, number> = {};
    for (let i = 0; i < 60; i += 1) {
      const site = await asked();
      seen[site] = (seen[site] ?? 0) + 1;
    }
    expect(seen.east).toBeGreaterThan(30);
    expect(seen.west).toBeGreaterThan(4);
  });

  it('keeps endpoints as resources of their own, over a restart', async () => {
    await cloud.restart();
    const one = await cloud.arm(`${profile}/externalEndpoints/west?${API}`);
    expect(one.json).toMatchObject({ name: 'west', properties: { target: west.target, weight: 100 } });
    expect((await cloud.arm(`${profile}/externalEndpoints/west?${API}`, { method: 'DELETE' })).status).toBe(200);
    const { properties } = (await cloud.arm(`${profile}?${API}`)).json as {
      properties: { endpoints: JsonObject[] };
    };
    expect(properties.endpoints.map(({ name }) => name)).toEqual(['east']);
    expect(await asked()).toBe('east');
  });

  it('refuses what Azure refuses, and changes nothing', async () => {
    const put = async (more: JsonObject, id = profile): Promise<string> =>
      (await cloud.arm(`${id}?${API}`, { method: 'PUT', body: body(more) })).text;
    expect(await put({ trafficRoutingMethod: 'Nearest' })).toContain("'trafficRoutingMethod' is not valid");
    expect(await put({ monitorConfig: { protocol: 'HTTPS', intervalInSeconds: 20 } })).toContain('10 or 30');
    expect(await put({ endpoints: [endpoint(east, { weight: 0 })] })).toContain("'weight' is not valid");
    const twins = [endpoint(east, { priority: 1 }), endpoint(west, { priority: 1 })];
    expect(await put({ endpoints: twins })).toContain('no two may share one');
    expect(await put({ endpoints: [endpoint(east), { ...endpoint(east), name: 'again' }] })).toContain("'target'");
    expect(await put({}, `${profile}-two`)).toContain('already exists');
    expect((await statuses()).length).toBe(2);
    for (const path of [
      `${cloud.subscription}/providers/Microsoft.Network/checkTrafficManagerNameAvailabilityV2`,
      '/providers/Microsoft.Network/checkTrafficManagerNameAvailability',
    ]) {
      const body = { name: 'fraud-score', type: 'microsoft.network/trafficmanagerprofiles' };
      const free = await cloud.arm(`${path}?${API}`, { method: 'POST', body });
      expect(free.json).toMatchObject({ nameAvailable: false, reason: 'AlreadyExists' });
    }
  });

  it('has the host names of Azure resources for targets', async () => {
    const group = profile.slice(0, profile.indexOf('/providers'));
    const address = `${group}/providers/Microsoft.Network/publicIPAddresses/front`;
    await cloud.make(address, {
      location: 'eastus',
      properties: { dnsSettings: { domainNameLabel: 'fraud-front' } },
    });
    const add = (targetResourceId: string): ReturnType<TestCloud['arm']> =>
      cloud.arm(`${profile}/azureEndpoints/public?${API}`, {
        method: 'PUT',
        body: { properties: { targetResourceId } },
      });
    expect((await add(address)).json).toMatchObject({
      properties: { target: 'fraud-front.eastus.cloudapp.localhost', targetResourceId: address },
    });
    await cloud.arm(`${profile}/azureEndpoints/public?${API}`, { method: 'DELETE' });
    expect((await add(`${address}-none`)).text).toContain("'targetResourceId' is not valid");
  });

  it('leads through a nested profile while enough of its endpoints are well', async () => {
    const child = `${profile}-child`;
    const nested = (more: JsonObject = {}): JsonObject => ({
      name: 'nested',
      type: 'Microsoft.Network/trafficManagerProfiles/nestedEndpoints',
      properties: { targetResourceId: child, minChildEndpoints: 1, priority: 1, ...more },
    });
    east.well = true;
    const dnsConfig = { relativeName: 'fraud-child', ttl: 0 };
    await cloud.make(child, body({ dnsConfig, endpoints: [endpoint(east)] }));
    const endpoints = [nested(), endpoint(west, { priority: 2 })];
    await cloud.make(profile, body({ dnsConfig: { relativeName: 'fraud-score', ttl: 0 }, endpoints }));
    await advance(10);
    await eventually(statuses, ([, first]) => first === 'Online');
    expect(await asked()).toBe('east');

    east.well = false;
    await eventually(
      async () => {
        await advance(10);
        return statuses();
      },
      ([, first]) => first === 'Degraded',
    );
    expect(await asked()).toBe('west');
    east.well = true;

    const back = { ...nested({ targetResourceId: profile }), name: 'back' };
    const loop = await cloud.arm(`${child}?${API}`, {
      method: 'PUT',
      body: body({ dnsConfig, endpoints: [back] }),
    });
    expect(loop.text).toContain('does not lead back');
    const near = await cloud.arm(`${child}?${API}`, {
      method: 'PUT',
      body: body({ dnsConfig, trafficRoutingMethod: 'Performance', endpoints: [endpoint(east)] }),
    });
    expect(near.text).toContain("'endpointLocation' is not valid");
  });
});
