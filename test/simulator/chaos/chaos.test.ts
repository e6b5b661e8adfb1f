import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Json, JsonObject } from '../../../simulator/contract/index.ts';
import { eventually, TestCloud } from '../running-cloud.ts';

const API = 'api-version=2024-04-01';
let cloud: TestCloud;
let east: Awaited<ReturnType<TestCloud['account']>>;
let group: string;

beforeAll(async () => {
  cloud = await TestCloud.start();
  group = await cloud.group('chaos', 'eastus');
  east = await cloud.account(group, 'chaoseast', 'eastus');
  for (const i of [0, 1, 2, 3]) await cloud.make(nsg(`there-${i}`), { location: 'eastus' });
}, 60_000);
afterEach(async () => {
  await cloud.admin('POST', '/clock', { speed: 1 });
  await cloud.admin('DELETE', '/chaos');
});
afterAll(() => cloud.stop());

const start = (name: string, body: Json = {}) => cloud.admin('POST', `/chaos/${name}`, body);
const status = async (path: string, method = 'GET'): Promise<number | string> => {
  try {
    const body = method === 'PUT' ? { body: { location: 'eastus' } } : {};
    return (await cloud.arm(`${path}?${API}`, { method, timeoutMs: 700, ...body })).status;
  } catch (error) {
    return (error as Error).message.startsWith('no answer') ? 'hangs' : 'cut';
  }
};
const nsg = (name: string) => `${group}/providers/Microsoft.Network/networkSecurityGroups/${name}`;
/** Without a token: an account that is up says that its blobs are not public, 409. */
const blob = async (method = 'GET'): Promise<number | string> => {
  try {
    const url = `${east.primary}data?restype=container`;
    return (await cloud.ask(url, { method, timeoutMs: 700 })).status;
  } catch (error) {
    return (error as Error).message.startsWith('no answer') ? 'hangs' : 'cut';
  }
};
const refusal = async (method: string, path: string, body?: Json): Promise<string> => {
  const url = `${cloud.at.address.admin}${path}`;
  const answer = await cloud.ask(url, { method, ...(body === undefined ? {} : { body }) });
  return `${answer.status} ${(answer.json.error as { message: string }).message}`;
};

describe('outages by name', () => {
  it('take down what they name and nothing else', async () => {
    const seen: Record<string, (number | string)[]> = {};
    const look = async (name: string, body: Json = { region: 'eastus' }): Promise<void> => {
      await start(name, body);
      seen[name] = [await status(east.id), await status(nsg('there-0')), await blob()];
      await cloud.admin('DELETE', `/chaos/${name}`);
    };
    for (const name of ['region-lost', 'storage-only', 'control-plane-only', 'ml-only']) await look(name);
    await look('half-recovered', { region: 'eastus', parameters: { latency: '1ms' } });
    expect(seen).toEqual({
      'region-lost': ['cut', 'cut', 'cut'],
      'storage-only': ['cut', 200, 'cut'],
      'control-plane-only': ['cut', 'cut', 409],
      'ml-only': [200, 200, 409],
      'half-recovered': [200, 200, 'hangs'],
    });
    expect([await status(east.id), await blob()]).toEqual([200, 409]);
  });

  it('may leave reads: writes are refused with the reason', async () => {
    await start('region-read-only', { region: 'East US' });
    const refused = await cloud.arm(`${nsg('new')}?${API}`, { method: 'PUT', body: { location: 'eastus' } });
    expect([refused.status, refused.headers['retry-after']]).toEqual([503, '30']);
    expect(refused.json.error).toMatchObject({
      code: 'ServiceUnavailable',
      message: expect.stringContaining("unavailable in location 'eastus'"),
    });
    expect(await status(`${east.id}/listKeys`, 'POST')).toBe(200);
    expect(await status(`${east.id}/regenerateKey`, 'POST')).toBe(503);
    expect([await blob('PUT'), await blob('GET')]).toEqual([503, 409]);
    await start('region-read-only', { region: 'eastus', parameters: { status: '409' } });
    expect(await status(nsg('new'), 'PUT')).toBe(409);
    const { running } = (await cloud.admin('GET', '/chaos')).json;
    expect(running).toHaveLength(1); // the second has taken the place of the first
  });

  it('flap by the clock, and end by it', async () => {
    await cloud.admin('POST', '/clock', { speed: 0 });
    await start('region-flapping', {
      region: 'eastus',
      for: '25s',
      parameters: { period: '10s', duty: '40%' },
    });
    const seen: (number | string)[] = [];
    for (const seconds of [0, 3, 2, 4, 3, 3, 8, 3]) {
      await cloud.admin('POST', '/clock', { advanceSeconds: seconds });
      seen.push(await status(east.id));
    }
    // At 0, 3, 5, 9, 12, 15, 23 seconds; at 26 it has ended.
    expect(seen).toEqual(['cut', 'cut', 200, 200, 'cut', 200, 'cut', 200]);
    expect((await cloud.admin('GET', '/chaos')).json.running).toEqual([]);
  });

  it('go on after a restart, and end where they would have', async () => {
    await cloud.admin('POST', '/clock', { speed: 0 });
    await start('region-lost', { region: 'eastus', for: 60 });
    await start('expiring-tokens', { parameters: { lifetime: '2s' } });
    await cloud.restart();
    expect(await status(east.id)).toBe('cut');
    const token = JSON.parse(Buffer.from((await cloud.token()).split('.')[1] ?? '', 'base64url').toString()) as {
      exp: number;
      iat: number;
    };
    expect(token.exp - token.iat).toBe(2);
    await cloud.admin('POST', '/clock', { advanceSeconds: 61 });
    expect(
      await eventually(
        () => status(east.id),
        (seen) => seen === 200,
      ),
    ).toBe(200);
    await cloud.admin('DELETE', '/chaos/expiring-tokens');
    expect(
      cloud.at.address.arm &&
        (await cloud.credential().getToken(`${cloud.at.address.arm}/.default`)).expiresOnTimestamp,
    ).toBeGreaterThan(Date.now() + 100_000);
  });
});

describe('trouble by name', () => {
  const run = async (name: string, seed: number, parameters: JsonObject): Promise<(number | string)[]> => {
    await start(name, { region: 'eastus', seed, parameters });
    const seen: (number | string)[] = [];
    for (let i = 0; i < 24; i += 1) seen.push(await status(nsg(`there-${i % 4}`)));
    return seen;
  };

  it('is the same again with the same seed, in whatever order requests come', async () => {
    const first = await run('errors', 7, { rate: '0.4', status: '502' });
    expect(first.filter((one) => one === 502).length).toBeGreaterThan(3);
    expect(first.filter((one) => one === 200).length).toBeGreaterThan(3);
    expect(await run('errors', 7, { rate: '0.4', status: '502' })).toEqual(first);
    expect(await run('errors', 8, { rate: '0.4', status: '502' })).not.toEqual(first);
    await start('errors', { region: 'eastus', seed: 7, parameters: { rate: '0.4', status: '502' } });
    const together = await Promise.all(
      first.map(async (_, i) => ({ i: i % 4, status: await status(nsg(`there-${i % 4}`)) })),
    );
    for (const which of [0, 1, 2, 3]) {
      const failed = (all: (number | string)[]): number => all.filter((one) => one === 502).length;
      expect(failed(together.filter(({ i }) => i === which).map((one) => one.status))).toBe(
        failed(first.filter((_, i) => i % 4 === which)),
      );
    }
  });

  it('loses answers of what was done', async () => {
    await start('lost-answers', { region: 'eastus', parameters: { rate: 1 } });
    expect(await status(nsg('done'), 'PUT')).toBe('cut');
    await cloud.admin('DELETE', '/chaos');
    expect(await status(nsg('done'))).toBe(200);
  });

  it('throttles, errs and is slow at once in a brownout', async () => {
    await start('brownout', {
      region: 'eastus',
      seed: 1,
      parameters: { latency: '20ms', jitter: '1ms', errors: '30%', rate: 0, burst: 12 },
    });
    const before = Date.now();
    const seen: (number | string)[] = [];
    for (let i = 0; i < 14; i += 1) seen.push(await status(nsg('there-0')));
    expect(Date.now() - before).toBeGreaterThan(14 * 19);
    expect(new Set(seen)).toEqual(new Set([200, 503, 429]));
    expect(seen.slice(12)).toEqual([429, 429]);
  });

  it('fails and slows long-running operations', async () => {
    await cloud.admin('POST', '/clock', { speed: 0 });
    await start('slow-operations', { region: 'eastus', parameters: { factor: 100 } });
    const slow = await cloud.arm(`${nsg('slow')}?${API}`, { method: 'PUT', body: { location: 'eastus' } });
    await cloud.admin('POST', '/clock', { advanceSeconds: 2 });
    const url = slow.headers['azure-asyncoperation'] ?? '';
    expect((await cloud.arm(url)).json.status).toBe('InProgress');
    await cloud.admin('POST', '/clock', { advanceSeconds: 200 });
    await eventually(
      async () => (await cloud.arm(url)).json.status,
      (seen) => seen === 'Succeeded',
    );
    await cloud.admin('DELETE', '/chaos');
    await start('failing-operations', {
      region: 'eastus',
      parameters: { rate: '100%', code: 'AllocationFailed' },
    });
    const failing = await cloud.arm(`${nsg('fails')}?${API}`, {
      method: 'PUT',
      body: { location: 'eastus' },
    });
    await cloud.admin('POST', '/clock', { advanceSeconds: 10 });
    const ended = await cloud.ended(failing);
    expect(ended).toMatchObject({ status: 'Failed', error: { code: 'AllocationFailed' } });
  });
});

describe('lists that lag', () => {
  it('miss what is new and show what is gone until the clock has come so far', async () => {
    const names = async (): Promise<string[]> => {
      const list = `${group}/providers/Microsoft.Network/virtualNetworks?${API}`;
      return ((await cloud.arm(list)).json.value as { name: string }[]).map(({ name }) => name).sort();
    };
    const index = async (): Promise<string[]> => {
      const all = (await cloud.arm(`${group}/resources?$top=100&${API}`)).json.value as {
        name: string;
        type: string;
      }[];
      return all.filter(({ type }) => type.endsWith('/virtualNetworks')).map(({ name }) => name);
    };
    const net = (name: string) => `${group}/providers/Microsoft.Network/virtualNetworks/${name}`;
    const body = { location: 'eastus', properties: { addressSpace: { addressPrefixes: ['10.0.0.0/16'] } } };
    await cloud.make(net('old'), body);
    await cloud.admin('POST', '/clock', { speed: 0 });
    await start('stale-lists', {
      region: 'eastus',
      parameters: { appear: '20s', vanish: '30s', spread: 0 },
    });
    await cloud.admin('POST', '/clock', { advanceSeconds: 40 });
    await cloud.arm(`${net('new')}?${API}`, { method: 'PUT', body });
    expect(await status(net('new'))).toBe(200);
    expect([await names(), await index()]).toEqual([['old'], ['old']]);
    await cloud.arm(`${net('old')}?${API}`, { method: 'DELETE' });
    await cloud.admin('POST', '/clock', { advanceSeconds: 5 });
    await eventually(
      () => status(net('old')),
      (seen) => seen === 404,
    );
    expect(await names()).toEqual(['old']);
    await cloud.admin('POST', '/clock', { advanceSeconds: 20 });
    expect([await names(), await index()]).toEqual([
      ['new', 'old'],
      ['old', 'new'],
    ]);
    await cloud.admin('POST', '/clock', { advanceSeconds: 11 });
    expect(await names()).toEqual(['new']);
  });
});

describe('a secondary that lags', () => {
  it('shows the account as it was so long ago, until the scenario ends', async () => {
    const primary = cloud.blobs(east.primary, 'chaoseast', east.key).getContainerClient('lag');
    const secondary = cloud.blobs(east.secondary, 'chaoseast', east.key).getContainerClient('lag');
    const there = async (): Promise<boolean> => secondary.getBlobClient('late').exists();
    await primary.createIfNotExists();
    await cloud.admin('POST', '/clock', { speed: 0 });
    await start('stale-secondary', { region: 'eastus', parameters: { lag: '10m' } });
    await cloud.admin('POST', '/clock', { advanceSeconds: 1 });
    await primary.getBlockBlobClient('late').upload('x', 1);
    await cloud.admin('POST', '/clock', { advanceSeconds: 599 });
    expect(await there()).toBe(false);
    await cloud.admin('POST', '/clock', { advanceSeconds: 2 });
    expect(await there()).toBe(true);
    await primary.getBlockBlobClient('late').delete();
    expect(await there()).toBe(true);
    await cloud.admin('DELETE', '/chaos');
    expect(await there()).toBe(false);
  });
});

describe('a region that is lost', () => {
  it('may take what runs there with it', async () => {
    const lost = async (jobs: string): Promise<boolean> => {
      await start('region-lost', { region: 'eastus', parameters: { jobs } });
      return cloud.at.cloud.areComputesLost('eastus');
    };
    expect([await lost('unseen'), await lost('killed')]).toEqual([false, true]);
    await cloud.admin('DELETE', '/chaos');
    expect(cloud.at.cloud.areComputesLost('eastus')).toBe(false);
  });
});

describe('limits by name', () => {
  it('are cut, and given back as they were', async () => {
    const ml = `${cloud.subscription}/providers/Microsoft.MachineLearningServices/locations/eastus`;
    const cores = async (): Promise<number> => {
      const { value } = (await cloud.arm(`${ml}/quotas?${API}`)).json as { value: { limit: number }[] };
      return value.reduce((sum, { limit }) => sum + limit, 0);
    };
    const sizes = async (): Promise<number> =>
      ((await cloud.arm(`${ml}/vmSizes?${API}`)).json.value as unknown[]).length;
    await cloud.admin('POST', '/regions/eastus/quota', { standardDSv3Family: 77 });
    const before = [await cores(), await sizes()];
    await start('quota-cut', { region: 'eastus', parameters: { cores: 1, family: 'standardDSv3Family' } });
    await start('quota-cut', { region: 'eastus', parameters: { cores: 3, family: 'standardDSv3Family' } });
    await start('sku-withdrawn', { region: 'eastus', parameters: { size: 'standard_nc6' } });
    const unknown = { region: 'eastus', parameters: { family: 'none' } };
    expect(await refusal('POST', '/chaos/quota-cut', unknown)).toContain("no family 'none'");
    expect([await cores(), await sizes()]).toEqual([(before[0] ?? 0) - 74, (before[1] ?? 0) - 1]);
    await cloud.admin('DELETE', '/faults');
    expect([await cores(), await sizes()]).toEqual(before);
  });
});

describe('what is not understood', () => {
  it('is refused by what there is, and changes nothing', async () => {
    const answers = [
      await refusal('POST', '/chaos/earthquake', { region: 'eastus' }),
      await refusal('POST', '/chaos/region-lost', {}),
      await refusal('POST', '/chaos/region-lost', { region: 'mars' }),
      await refusal('POST', '/chaos/expiring-tokens', { region: 'eastus' }),
      await refusal('POST', '/chaos/brownout', { region: 'eastus', parameters: { latncy: '1s' } }),
      await refusal('POST', '/chaos/brownout', { region: 'eastus', parameters: { latency: 'long' } }),
      await refusal('POST', '/chaos/brownout', { region: 'eastus', parameters: { errors: '120%' } }),
      await refusal('POST', '/chaos/region-flapping', { region: 'eastus', parameters: { mode: 'dim' } }),
      await refusal('POST', '/chaos/region-flapping', { region: 'eastus', parameters: { period: 0 } }),
      await refusal('POST', '/chaos/region-lost', { region: 'eastus', for: '0s' }),
      await refusal('POST', '/chaos/region-lost', { region: 'eastus', seed: 1.5 }),
      await refusal('POST', '/chaos/region-lost', { region: 'eastus', foo: 1 }),
      await refusal('POST', '/chaos/quota-cut', { region: 'eastus', parameters: { family: 'none' } }),
      await refusal('POST', '/chaos/sku-withdrawn', { region: 'eastus', parameters: { size: 'none' } }),
      await refusal('DELETE', '/chaos/earthquake'),
      await refusal('DELETE', '/chaos/region-lost'),
    ];
    const expected = [
      "404 there is no scenario 'earthquake'; there are region-lost, ",
      "400 scenario 'region-lost' needs a region: one of eastus, ",
      "404 There is no region 'mars': the regions are eastus",
      "400 scenario 'expiring-tokens' meets the cloud as a whole",
      "400 scenario 'brownout' has no parameter 'latncy': it has latency, jitter",
      "400 scenario 'brownout', parameter 'latency': expected a duration, as in '500ms'",
      "400 scenario 'brownout', parameter 'errors': expected a share",
      "400 scenario 'region-flapping', parameter 'mode': expected dark, hang, read-only, got \"dim\"",
      "400 scenario 'region-flapping', parameter 'period': expected 1ms or more",
      "400 'for': expected a duration above 0",
      "400 'seed': expected a whole number",
      "400 unknown field 'foo': expected region, parameters, seed, for",
      "400 There is no family 'none'; known: ",
      "400 There is no virtual machine size 'none'",
      "404 there is no scenario 'earthquake'; there are",
      "404 scenario 'region-lost' does not run: none does",
    ];
    expect(answers.map((answer, i) => answer.slice(0, expected[i]?.length))).toEqual(expected);
    expect((await cloud.admin('GET', '/chaos')).json.running).toEqual([]);
  });

  it('is a web page, too, by whatever name it came', async () => {
    const { admin } = cloud.at.address;
    const from = async (headers: Record<string, string>): Promise<number> =>
      (await cloud.ask(`${admin}/chaos/region-lost`, { method: 'POST', body: { region: 'eastus' }, headers })).status;
    expect(await from({ origin: 'null' })).toBe(403);
    expect(await from({ 'sec-fetch-site': 'cross-site' })).toBe(403);
    expect(await from({ host: 'rebound.example:80' })).toBe(403);
    expect(await from({ host: '127.0.0.1.evil.example' })).toBe(403);
    expect((await cloud.admin('GET', '/chaos')).json.running).toEqual([]);
    expect(await from({ host: 'localhost:1' })).toBe(201);
  });
});
