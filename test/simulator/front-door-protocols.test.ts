import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../simulator/contract/index.ts';
import { eventually, TestCloud } from './running-cloud.ts';
import { spread } from './spread.ts';

const API = 'api-version=2024-02-01';
/** Nobody listens there. */
const NOWHERE = 1;

/** An origin that speaks plain HTTP, says who it is, and counts its probes. */
class PlainOrigin {
  readonly name: string;
  private readonly server: Server;
  well = true;
  probes = 0;

  constructor(name: string) {
    this.name = name;
    this.server = createServer((request, response) => {
      const isProbe = request.url === '/health';
      if (isProbe) this.probes += 1;
      response.statusCode = isProbe && !this.well ? 503 : 200;
      response.setHeader('x-origin', this.name);
      const { host, 'x-forwarded-proto': forwarded } = request.headers;
      request.resume();
      response.end(JSON.stringify({ host, forwarded }));
    });
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

const big = new PlainOrigin('big');
const small = new PlainOrigin('small');
let cloud: TestCloud;
let profile: string;
let host: string;

beforeAll(async () => {
  cloud = await TestCloud.start();
  await Promise.all([big.listen(), small.listen()]);
  profile = `${await cloud.group('plain', 'centralus')}/providers/Microsoft.Cdn/profiles/plain`;
  await cloud.make(profile, { location: 'global', sku: { name: 'Standard_AzureFrontDoor' } });
  const endpoint = await cloud.make(`${profile}/afdEndpoints/plain`, { location: 'global', properties: {} });
  host = (endpoint.properties as { hostName: string }).hostName;
  await cloud.make(`${profile}/originGroups/og`, {
    properties: {
      loadBalancingSettings: { sampleSize: 4, successfulSamplesRequired: 2 },
      healthProbeSettings: {
        probePath: '/health',
        probeRequestType: 'GET',
        probeProtocol: 'Http',
        probeIntervalInSeconds: 5,
      },
    },
  });
  for (const [origin, weight] of [
    [big, 75],
    [small, 25],
  ] as const)
    await cloud.make(`${profile}/originGroups/og/origins/${origin.name}`, {
      properties: { hostName: '127.0.0.1', httpPort: origin.port, httpsPort: NOWHERE, priority: 1, weight },
    });
  for (const [name, forwardingProtocol] of [
    ['plain', 'HttpOnly'],
    ['secure', 'HttpsOnly'],
    ['match', 'MatchRequest'],
  ])
    await cloud.make(`${profile}/afdEndpoints/plain/routes/${name}`, {
      properties: {
        originGroup: { id: `${profile}/originGroups/og` },
        patternsToMatch: [`/${name}/*`],
        forwardingProtocol: forwardingProtocol ?? null,
      },
    });
}, 60_000);
afterAll(async () => {
  await cloud.stop();
  await Promise.all([big.close(), small.close()]);
});

const spreadOf = (count: number) => spread(cloud, `https://${host}/plain/x`, count);

describe('origins that speak plain HTTP', () => {
  it('are asked at their httpPort by a route of HttpOnly, and not by others', async () => {
    const answer = await cloud.ask(`https://${host}/plain/x`);
    // They have no `originHostHeader`: the client's host is theirs.
    expect(JSON.parse(answer.text)).toEqual({ host: host.split('/', 1)[0], forwarded: 'https' });
    for (const route of ['secure', 'match']) {
      const { status, text } = await cloud.ask(`https://${host}/${route}/x`);
      expect([status, text]).toEqual([503, expect.stringContaining(`'127.0.0.1:${NOWHERE}' failed`)]);
    }
  });

  it('share requests by their weights', async () => {
    const seen = await spreadOf(400);
    expect(Object.keys(seen).sort()).toEqual(['big', 'small']);
    // 300 of 400 are expected; 40 are more than four standard deviations.
    expect(Math.abs((seen.big ?? 0) - 300)).toBeLessThan(40);
  });

  it('are left while their probes find them ill', async () => {
    const step = async (): Promise<Record<string, number>> => {
      await cloud.admin('POST', '/clock', { advanceSeconds: 5 });
      return spreadOf(10);
    };
    big.well = false;
    await eventually(step, (seen) => seen.small === 10);
    expect(big.probes).toBeGreaterThan(2);
    big.well = true;
    await eventually(step, (seen) => (seen.big ?? 0) > 0);
  });

  it('are refused with a protocol or a port that is none', async () => {
    const put = async (path: string, properties: JsonObject): Promise<[number, string]> => {
      const { status, text } = await cloud.arm(`${profile}${path}?${API}`, {
        method: 'PUT',
        body: { properties },
      });
      return [status, text];
    };
    const route = { originGroup: { id: `${profile}/originGroups/og` }, forwardingProtocol: 'Ftp' };
    expect(await put('/afdEndpoints/plain/routes/bad', route)).toEqual([
      400,
      expect.stringContaining('one of HttpOnly, HttpsOnly, MatchRequest'),
    ]);
    expect(await put('/originGroups/og/origins/bad', { hostName: 'localhost', httpPort: 0 })).toEqual([
      400,
      expect.stringContaining("'httpPort' is invalid"),
    ]);
  });
});
