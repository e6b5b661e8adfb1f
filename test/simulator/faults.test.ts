import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { eventually, TestCloud } from './running-cloud.ts';

const API = 'api-version=2024-04-01';
let cloud: TestCloud;
let east: Awaited<ReturnType<TestCloud['account']>>;
let west: Awaited<ReturnType<TestCloud['account']>>;
let eastGroup: string;
let westGroup: string;

beforeAll(async () => {
  cloud = await TestCloud.start();
  [eastGroup, westGroup] = await Promise.all([
    cloud.group('faults-east', 'eastus'),
    cloud.group('faults-west', 'westus3'),
  ]);
  [east, west] = await Promise.all([
    cloud.account(eastGroup, 'faulteast', 'eastus'),
    cloud.account(westGroup, 'faultwest', 'westus3'),
  ]);
}, 60_000);
afterEach(() => cloud.admin('DELETE', '/faults'));
afterAll(() => cloud.stop());

const containerOf = (account: typeof east, name: string) =>
  cloud.blobs(account.primary, name, account.key).getContainerClient('data');

describe('a dark region', () => {
  it('refuses connections, destroys those there are, and answers ARM for nothing of its own', async () => {
    const container = containerOf(east, 'faulteast');
    await container.createIfNotExists();
    await cloud.admin('POST', '/regions/eastus/outage', { mode: 'dark' });
    await expect(container.getProperties()).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    await expect(cloud.arm(`${east.id}?${API}`)).rejects.toThrow(/socket hang up|ECONNRESET/);
    await expect(cloud.arm(`${east.id}/listKeys?${API}`, { method: 'POST' })).rejects.toThrow(
      /socket hang up|ECONNRESET/,
    );
    const nsg = `${westGroup}/providers/Microsoft.Network/networkSecurityGroups/new`;
    await expect(cloud.arm(`${nsg}?${API}`, { method: 'PUT', body: { location: 'eastus' } })).rejects.toThrow(
      /socket hang up|ECONNRESET/,
    );

    expect((await cloud.arm(`${west.id}?${API}`)).status).toBe(200);
    await containerOf(west, 'faultwest').createIfNotExists();
    const accounts = (await cloud.arm(`${cloud.subscription}/providers/Microsoft.Storage/storageAccounts?${API}`)).json
      .value as { name: string }[];
    expect(accounts.map(({ name }) => name)).toEqual(['faultwest']);

    await cloud.admin('POST', '/regions/eastus/outage', { mode: 'none' });
    expect((await container.getProperties()).etag).toBeTruthy();
    expect((await cloud.arm(`${east.id}?${API}`)).status).toBe(200);
  });

  it('is no source of copies, and its secondary goes on being read', async () => {
    await containerOf(west, 'faultwest').createIfNotExists();
    const source = containerOf(east, 'faulteast');
    await source.createIfNotExists();
    await source.getBlockBlobClient('model').upload('m', 1);
    const url = await source.generateSasUrl({
      permissions: { toString: () => 'r' } as never,
      expiresOn: new Date(Date.now() + 600_000),
    });
    const [base, query] = url.split('?');
    await cloud.admin('POST', '/regions/eastus/outage', { mode: 'dark' });
    const copy = containerOf(west, 'faultwest').getBlobClient('copy').syncCopyFromURL(`${base}/model?${query}`);
    await expect(copy).rejects.toMatchObject({ statusCode: 500, code: 'CannotVerifyCopySource' });
    const secondary = cloud.blobs(east.secondary, 'faulteast', east.key).getContainerClient('data');
    expect((await secondary.getBlobClient('model').downloadToBuffer()).toString()).toBe('m');
  });

  it('can be dark in part: blobs answer while management does not, and the reverse', async () => {
    const container = containerOf(east, 'faulteast');
    await container.createIfNotExists();
    await cloud.admin('POST', '/regions/eastus/outage', { mode: 'dark', parts: ['arm'] });
    await container.getProperties();
    await expect(cloud.arm(`${east.id}?${API}`)).rejects.toThrow(/socket hang up|ECONNRESET/);
    await cloud.admin('POST', '/regions/eastus/outage', { mode: 'dark', parts: ['blob'] });
    await expect(container.getProperties()).rejects.toThrow();
    expect((await cloud.arm(`${east.id}?${API}`)).status).toBe(200);
  });

  it('stays dark over a restart, and its clock runs on unseen', async () => {
    const nsg = `${eastGroup}/providers/Microsoft.Network/networkSecurityGroups/unseen`;
    await cloud.admin('POST', '/clock', { speed: 0 });
    const answer = await cloud.arm(`${nsg}?${API}`, { method: 'PUT', body: { location: 'eastus' } });
    expect(answer.json.properties).toMatchObject({ provisioningState: 'Creating' });
    await cloud.admin('POST', '/regions/eastus/outage', { mode: 'dark' });
    await cloud.restart();
    await cloud.admin('POST', '/clock', { advanceSeconds: 10 });
    await expect(cloud.ask(`${east.primary}data`)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    await cloud.admin('POST', '/regions/eastus/outage', { mode: 'none' });
    await eventually(
      async () => (await cloud.arm(`${nsg}?${API}`)).json.properties,
      (seen) => (seen as { provisioningState: string }).provisioningState === 'Succeeded',
    );
    await cloud.admin('POST', '/clock', { speed: 1 });
  });
});

describe('a hanging region', () => {
  const requests = async () => (await cloud.admin('GET', '/requests')).json.value as { status: number | null }[];

  it('takes connections and never answers', async () => {
    await cloud.admin('POST', '/regions/eastus/outage', { mode: 'hang' });
    await expect(cloud.ask(`${east.primary}data`, { timeoutMs: 300 })).rejects.toThrow('no answer within 300 ms');
    await expect(cloud.arm(`${east.id}?${API}`, { timeoutMs: 300 })).rejects.toThrow('no answer within 300 ms');
    expect((await cloud.arm(`${west.id}?${API}`)).status).toBe(200);
  });

  it.each([
    ['a region', '/chaos/region-hangs'],
    ['a part of one', '/chaos/half-recovered'],
  ])('cuts those who wait when it ends: %s', async (_what, scenario) => {
    await cloud.admin('POST', scenario, { region: 'eastus' });
    const { length: before } = await requests();
    const asked = [cloud.ask(`${east.primary}data?restype=container`, { timeoutMs: 20_000 })];
    if (scenario.endsWith('region-hangs')) asked.push(cloud.arm(`${east.id}?${API}`, { timeoutMs: 20_000 }));
    const ended = Promise.allSettled(asked);
    await eventually(
      async () => (await requests()).slice(before),
      (seen) => seen.filter(({ status }) => status === null).length >= asked.length,
    );
    await cloud.admin('DELETE', '/chaos');
    for (const one of await ended)
      expect(one).toMatchObject({
        status: 'rejected',
        reason: { message: expect.stringMatching(/hang up|ECONNRESET/) },
      });
    expect((await cloud.arm(`${east.id}?${API}`)).status).toBe(200);
  });
});

describe('a region in trouble', () => {
  it('throttles with 429 and Retry-After, blobs with 503', async () => {
    await cloud.admin('POST', '/regions/eastus/faults', { throttle: { perSecond: 0.5, burst: 2 } });
    const answers = [];
    for (let i = 0; i < 3; i += 1) answers.push(await cloud.arm(`${east.id}?${API}`));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 429]);
    expect(Number(answers[2]?.headers['retry-after'])).toBeGreaterThanOrEqual(1);
    const blob = await cloud.ask(`${east.primary}data?restype=container`);
    expect([blob.status, blob.headers['x-ms-error-code']]).toEqual([503, 'ServerBusy']);
    expect((await cloud.arm(`${west.id}?${API}`)).status).toBe(200);
  });

  it('errs at a rate that a seed repeats', async () => {
    const run = async (): Promise<number[]> => {
      const seeded = await TestCloud.start({ seed: 7, regions: ['eastus'] });
      const id = await seeded.group('rate', 'eastus');
      await seeded.admin('POST', '/regions/eastus/faults', { errorRate: 0.5, status: 503 });
      const statuses = [];
      for (let i = 0; i < 20; i += 1) statuses.push((await seeded.arm(`${id}?${API}`)).status);
      await seeded.stop();
      return statuses;
    };
    const first = await run();
    expect(first.filter((status) => status === 503).length).toBeGreaterThan(4);
    expect(first.filter((status) => status === 200).length).toBeGreaterThan(4);
    expect(await run()).toEqual(first);
  }, 30_000);

  it('stops erring when its faults are taken away', async () => {
    await cloud.admin('POST', '/regions/eastus/faults', { errorRate: 1, status: 503, latencyMs: 1 });
    expect((await cloud.arm(`${east.id}?${API}`)).status).toBe(503);
    const gone = { errorRate: null, status: null, latencyMs: null };
    expect((await cloud.admin('POST', '/regions/eastus/faults', gone)).status).toBe(204);
    expect((await cloud.arm(`${east.id}?${API}`)).status).toBe(200);
  });

  it('is slow when told to be', async () => {
    await cloud.admin('POST', '/regions/eastus/faults', { latencyMs: 250 });
    const started = Date.now();
    await cloud.arm(`${east.id}?${API}`);
    expect(Date.now() - started).toBeGreaterThanOrEqual(245);
  });

  it('loses the answer to what it has done, once', async () => {
    const nsg = `${eastGroup}/providers/Microsoft.Network/networkSecurityGroups/lost`;
    await cloud.admin('POST', '/regions/eastus/faults', {
      dropNextAnswer: { match: { method: 'PUT', path: '/networkSecurityGroups/lost' } },
    });
    await expect(cloud.arm(`${nsg}?${API}`, { method: 'PUT', body: { location: 'eastus' } })).rejects.toThrow(
      /socket hang up|ECONNRESET/,
    );
    expect((await cloud.arm(`${nsg}?${API}`)).status).toBe(200);
    const { value } = (await cloud.admin('GET', '/requests?since=0')).json as unknown as {
      value: { method: string; path: string; status: number | null }[];
    };
    expect(value.findLast(({ method }) => method === 'PUT')).toMatchObject({
      path: expect.stringContaining('/lost'),
      status: null,
    });
    expect((await cloud.arm(`${nsg}?${API}`, { method: 'PUT', body: { location: 'eastus' } })).status).toBeLessThan(
      300,
    );

    const container = containerOf(east, 'faulteast');
    await container.createIfNotExists();
    await cloud.admin('POST', '/regions/eastus/faults', {
      dropNextAnswer: { method: 'PUT', path: '/data/written' },
    });
    await expect(container.getBlockBlobClient('written').upload('x', 1)).rejects.toThrow();
    expect(await container.getBlockBlobClient('written').exists()).toBe(true);
  });
});

describe('the admin API', () => {
  const refused = async (method: string, path: string, body?: object): Promise<string> =>
    (
      await cloud.ask(`${cloud.at.address.admin}${path}`, {
        method,
        ...(body ? { body: body as never } : {}),
      })
    ).text;

  it('refuses what it does not understand, and sets nothing', async () => {
    expect(await refused('POST', '/regions/mars/outage', { mode: 'dark' })).toContain("no region 'mars'");
    expect(await refused('POST', '/regions/eastus/outage', { mode: 'dim' })).toContain("'mode': expected");
    expect(await refused('POST', '/regions/eastus/outage', { mode: 'dark', parts: ['everything'] })).toContain(
      "'parts': expected",
    );
    expect(await refused('POST', '/regions/eastus/faults', { errorrate: 1 })).toContain("unknown field 'errorrate'");
    expect(await refused('POST', '/regions/eastus/faults', { errorRate: 2 })).toContain('a share from 0 to 1');
    expect(await refused('POST', '/regions/eastus/faults', { dropNextAnswer: { path: '(' } })).toContain(
      'a regular expression',
    );
    expect(await refused('POST', '/clock', {})).toContain('advanceSeconds');
    expect(await refused('GET', '/nothing')).toContain("has no '/nothing'");
    expect((await cloud.admin('GET', '/state')).json.regions).toMatchObject({
      eastus: { outage: { mode: 'none' }, faults: {} },
    });
  });

  it('makes subscriptions and principals, and answers no browser', async () => {
    const { subscriptionId } = (await cloud.admin('POST', '/subscriptions', { displayName: 'Second' })).json;
    const listed = (await cloud.arm(`/subscriptions?${API}`)).json.value as { subscriptionId: string }[];
    expect(listed.map((one) => one.subscriptionId)).toContain(subscriptionId);
    const made = (await cloud.admin('POST', '/principals', { displayName: 'ci' })).json;
    expect(made).toMatchObject({
      displayName: 'ci',
      clientId: expect.any(String),
      clientSecret: expect.any(String),
    });
    const browser = await cloud.ask(`${cloud.at.address.admin}/state`, {
      headers: { origin: 'https://evil.example' },
    });
    expect(browser.status).toBe(403);
  });
});
