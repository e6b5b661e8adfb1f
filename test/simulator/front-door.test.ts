import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Origin } from './https-origin.ts';
import { eventually, TestCloud } from './running-cloud.ts';
import { spread } from './spread.ts';

const API = 'api-version=2024-02-01';
let cloud: TestCloud;
let profile: string;
let host: string;

let east: Origin;
let west: Origin;

beforeAll(async () => {
  cloud = await TestCloud.start();
  east = new Origin('east', cloud.folder);
  west = new Origin('west', cloud.folder);
  await Promise.all([east.listen(), west.listen()]);
  const group = await cloud.group('front', 'centralus');
  profile = `${group}/providers/Microsoft.Cdn/profiles/fraud`;
  await cloud.make(profile, { location: 'global', sku: { name: 'Standard_AzureFrontDoor' } });
  const endpoint = await cloud.make(`${profile}/afdEndpoints/score`, { location: 'global', properties: {} });
  host = (endpoint.properties as { hostName: string }).hostName;
  await cloud.make(`${profile}/originGroups/og`, {
    properties: {
      loadBalancingSettings: {
        sampleSize: 4,
        successfulSamplesRequired: 2,
        additionalLatencyInMilliseconds: 50,
      },
      healthProbeSettings: {
        probePath: '/health',
        probeRequestType: 'GET',
        probeProtocol: 'Https',
        probeIntervalInSeconds: 5,
      },
    },
  });
  await cloud.make(`${profile}/originGroups/og/origins/east`, {
    properties: {
      hostName: 'localhost',
      httpsPort: east.port,
      originHostHeader: 'east.example',
      priority: 1,
      weight: 1000,
    },
  });
  await cloud.make(`${profile}/originGroups/og/origins/west`, {
    properties: { hostName: `localhost:${west.port}`, priority: 1, weight: 1000, enabledState: 'Disabled' },
  });
  await cloud.make(`${profile}/afdEndpoints/score/routes/all`, {
    properties: {
      originGroup: { id: `${profile}/originGroups/og` },
      patternsToMatch: ['/api/*'],
      originPath: '/inner',
      supportedProtocols: ['Https'],
    },
  });
}, 60_000);
afterAll(async () => {
  await cloud.stop();
  await Promise.all([east.close(), west.close()]);
});

async function patch(origin: string, properties: { [name: string]: string | number }): Promise<void> {
  const answer = await cloud.arm(`${profile}/originGroups/og/origins/${origin}?${API}`, {
    method: 'PATCH',
    body: { properties },
  });
  expect((await cloud.ended(answer))?.status).toBe('Succeeded');
}

const spreadOf = (count: number) => spread(cloud, `https://${host}/api/score`, count);

describe('the Front Door stand-in', () => {
  it('forwards method, path, query, body and its own host header', async () => {
    const answer = await cloud.ask(`https://${host}/api/score?x=1`, { method: 'POST', body: { data: [1] } });
    expect(answer.headers['x-origin']).toBe('east');
    expect(JSON.parse(answer.text)).toEqual({
      method: 'POST',
      url: '/inner/score?x=1',
      host: 'east.example',
      body: '{"data":[1]}',
    });
    expect((await cloud.ask(`https://${host}/other`)).status).toBe(404);
    expect((await cloud.ask(`https://${host.replace('score', 'nobody')}/api/x`)).status).toBe(404);
  });

  it('spreads by weight among the enabled, and only once a change is in force', async () => {
    expect(await spreadOf(10)).toEqual({ east: 10 });
    await patch('west', { enabledState: 'Enabled' });
    const even = await spreadOf(60);
    expect(even.east).toBeGreaterThan(10);
    expect(even.west).toBeGreaterThan(10);
    await patch('east', { weight: 1 });
    expect((await spreadOf(40)).west).toBeGreaterThan(36);

    await cloud.admin('POST', '/clock', { speed: 0 });
    const pending = await cloud.arm(`${profile}/originGroups/og/origins/west?${API}`, {
      method: 'PATCH',
      body: { properties: { enabledState: 'Disabled' } },
    });
    expect((await spreadOf(10)).west).toBeGreaterThan(6);
    await cloud.admin('POST', '/clock', { advanceSeconds: 3, speed: 1 });
    await cloud.ended(pending);
    expect(await spreadOf(10)).toEqual({ east: 10 });
  });

  it('prefers the lower priority, and leaves an origin that its probes find ill', async () => {
    await patch('east', { priority: 1, weight: 1000 });
    await patch('west', { enabledState: 'Enabled', priority: 2 });
    expect(await spreadOf(10)).toEqual({ east: 10 });
    east.well = false;
    const step = async (): Promise<Record<string, number>> => {
      await cloud.admin('POST', '/clock', { advanceSeconds: 5 });
      return spreadOf(3);
    };
    await eventually(step, (seen) => seen.west === 3);
    east.well = true;
    await eventually(step, (seen) => seen.east === 3);
  });

  it('spreads over all that are enabled, whatever their priorities, when its probes find none well', async () => {
    east.well = false;
    west.well = false;
    const step = async (): Promise<Record<string, number>> => {
      await cloud.admin('POST', '/clock', { advanceSeconds: 5 });
      return spreadOf(20);
    };
    await eventually(step, (seen) => (seen.east ?? 0) > 3 && (seen.west ?? 0) > 3);
    east.well = true;
    west.well = true;
    await eventually(step, (seen) => seen.east === 20);
  });

  it('answers 503 when the origin cannot be reached', async () => {
    await patch('west', { enabledState: 'Disabled' });
    await patch('east', { httpsPort: 1 });
    expect((await cloud.ask(`https://${host}/api/score`)).status).toBe(503);
    await patch('east', { httpsPort: east.port });
  });

  it('answers 503 when the last origin goes, and the other, which management shows, never came', async () => {
    const failNextLongRunning = {
      type: 'Microsoft.Cdn/profiles/originGroups/origins',
      after: 0.5,
      code: 'InternalServerError',
      message: 'no',
    };
    await cloud.admin('POST', '/regions/global/faults', { failNextLongRunning });
    const enabling = await cloud.arm(`${profile}/originGroups/og/origins/west?${API}`, {
      method: 'PATCH',
      body: { properties: { enabledState: 'Enabled' } },
    });
    expect((await cloud.ended(enabling))?.status).toBe('Failed');
    await patch('east', { enabledState: 'Disabled' });
    expect((await cloud.ask(`https://${host}/api/score`)).text).toContain('no enabled origin');
    await patch('east', { enabledState: 'Enabled' });
    await patch('west', { enabledState: 'Disabled' });
  });

  it('tells origins who asks, and by which front', async () => {
    const { properties } = (await cloud.arm(`${profile}?${API}`)).json as {
      properties: { frontDoorId: string };
    };
    const proxied = {
      'X-Forwarded-For': '203.0.113.7, 198.51.100.1',
      Via: '1.0 proxy',
      'X-Azure-FDID': 'forged',
      'X-FD-HealthProbe': '1',
    };
    for (const [headers, expected] of [
      [{}, { via: '1.1 Azure', 'x-forwarded-for': '127.0.0.1', 'x-azure-clientip': '127.0.0.1' }],
      [
        proxied,
        {
          via: '1.0 proxy, 1.1 Azure',
          'x-forwarded-for': '203.0.113.7, 198.51.100.1, 127.0.0.1',
          'x-azure-clientip': '203.0.113.7',
        },
      ],
    ] as const) {
      const answer = await cloud.ask(`https://${host}/api/score`, { headers });
      expect(east.seen).toMatchObject({
        ...expected,
        'x-azure-socketip': '127.0.0.1',
        'x-azure-fdid': properties.frontDoorId,
        'x-azure-ref': answer.headers['x-azure-ref'],
        'x-azure-requestchain': 'hops=1',
        'x-forwarded-host': host.split('/', 1)[0],
        'x-forwarded-proto': 'https',
      });
      expect(east.seen).not.toHaveProperty('x-fd-healthprobe');
    }
    expect(east.probedBy['x-fd-healthprobe']).toBe('1');
    await patch('east', { originHostHeader: '' });
    await cloud.ask(`https://${host}/api/score`);
    expect(east.seen.host).toBe(host.split('/', 1)[0]);
    await patch('east', { originHostHeader: 'east.example' });
  });

  it('refuses what Azure refuses', async () => {
    const put = async (path: string, properties: object): Promise<string> =>
      (
        await cloud.arm(`${profile}${path}?${API}`, {
          method: 'PUT',
          body: { properties: properties as never },
        })
      ).text;
    expect(await put('/originGroups/og/origins/bad', { hostName: 'localhost', weight: 0 })).toContain(
      "'weight' is invalid: expected an integer from 1 to 1000",
    );
    expect(await put('/originGroups/og/origins/bad', { hostName: 'not a host' })).toContain("'hostName' is invalid");
    expect(
      await put('/afdEndpoints/score/routes/bad', { originGroup: { id: `${profile}/originGroups/none` } }),
    ).toContain('was not found');
    const group = { loadBalancingSettings: { sampleSize: 4, successfulSamplesRequired: 3 } };
    const probe = (more: object): object => ({ ...group, healthProbeSettings: more });
    const route = (more: object): object => ({ originGroup: { id: `${profile}/originGroups/og` }, ...more });
    for (const [path, properties, place] of [
      ['/originGroups/bad', probe({ probePath: 'health' }), 'healthProbeSettings.probePath'],
      ['/originGroups/bad', probe({ probeRequestType: 'POST' }), 'healthProbeSettings.probeRequestType'],
      ['/originGroups/bad', probe({ probeIntervalInSeconds: 300 }), 'healthProbeSettings.probeIntervalInSeconds'],
      ['/originGroups/og/origins/bad', { hostName: 'localhost', enabledState: 'On' }, 'enabledState'],
      ['/afdEndpoints/score/routes/bad', route({ patternsToMatch: ['x*'] }), 'patternsToMatch'],
      ['/afdEndpoints/score/routes/bad', route({ supportedProtocols: ['Gopher'] }), 'supportedProtocols'],
      ['/afdEndpoints/score/routes/bad', route({ linkToDefaultDomain: true }), 'linkToDefaultDomain'],
    ] as const)
      expect(await put(path, properties)).toContain(`Property '${place}' is invalid`);
    const placed = { method: 'PUT', body: { location: 'eastus', sku: { name: 'Standard_AzureFrontDoor' } } };
    expect((await cloud.arm(`${profile}-regional?${API}`, placed)).text).toContain(
      'LocationNotAvailableForResourceType',
    );
  });

  it('says whether a name for an endpoint is free', async () => {
    const ask = async (name: string): Promise<unknown> => {
      const path = `${profile.slice(0, profile.indexOf('/providers'))}/providers/Microsoft.Cdn/checkEndpointNameAvailability`;
      const body = { name, type: 'Microsoft.Cdn/Profiles/AfdEndpoints' };
      return (await cloud.arm(`${path}?${API}`, { method: 'POST', body })).json.nameAvailable;
    };
    expect([await ask('score'), await ask('score-two')]).toEqual([false, true]);
  });

  it('links no route to a group without an enabled origin', async () => {
    await cloud.make(`${profile}/originGroups/empty`, {
      properties: { loadBalancingSettings: { sampleSize: 4, successfulSamplesRequired: 3 } },
    });
    const put = (): ReturnType<TestCloud['arm']> =>
      cloud.arm(`${profile}/afdEndpoints/score/routes/empty?${API}`, {
        method: 'PUT',
        body: {
          properties: { originGroup: { id: `${profile}/originGroups/empty` }, patternsToMatch: ['/e'] },
        },
      });
    expect((await put()).text).toContain('at least one enabled origin');
    await cloud.make(`${profile}/originGroups/empty/origins/only`, { properties: { hostName: 'localhost' } });
    expect((await put()).status).toBe(201);
  });

  it('goes on forwarding after a restart', async () => {
    await cloud.restart();
    expect(await spreadOf(3)).toEqual({ east: 3 });
  });
});
