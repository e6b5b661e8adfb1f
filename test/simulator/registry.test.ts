import { createHash } from 'node:crypto';
import { request as httpsRequest } from 'node:https';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../simulator/contract/index.ts';
import { TestCloud, type HttpAnswer } from './running-cloud.ts';

const API = 'api-version=2023-07-01';
const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const INDEX = 'application/vnd.oci.image.index.v1+json';
let cloud: TestCloud;
let group: string;

beforeAll(async () => {
  cloud = await TestCloud.start();
  group = await cloud.group('images', 'eastus');
}, 60_000);
afterEach(() => cloud.admin('DELETE', '/faults'));
afterAll(() => cloud.stop());

interface Send {
  method?: string;
  headers?: Record<string, string>;
  body?: Buffer | string;
}

/** A request with bytes as they are. */
function send(url: string, { method = 'GET', headers = {}, body }: Send = {}): Promise<HttpAnswer & { bytes: Buffer }> {
  return new Promise((resolve, reject) => {
    const request = httpsRequest(url, { method, headers, ca: cloud.ca, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const bytes = Buffer.concat(chunks);
        const flat = Object.fromEntries(Object.entries(response.headers).map(([name, value]) => [name, String(value)]));
        const isJson = String(response.headers['content-type']).includes('json') && bytes.length > 0;
        const json = isJson ? (JSON.parse(bytes.toString()) as JsonObject) : {};
        resolve({ status: response.statusCode ?? 0, headers: flat, text: bytes.toString(), json, bytes });
      });
    });
    request.on('error', reject).end(body);
  });
}

const digestOf = (bytes: Buffer | string): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

/** A registry, by its region's own address, as its admin. */
class Registry {
  readonly id: string;
  readonly name: string;
  readonly url: string;
  private password = '';

  constructor(name: string, region: string) {
    this.name = name;
    this.id = `${group}/providers/Microsoft.ContainerRegistry/registries/${name}`;
    this.url = `${cloud.at.address.regions[region]?.dataPlane}/_/registry/${name}`;
  }

  async make(location: string, sku = 'Premium'): Promise<JsonObject> {
    const made = await cloud.make(this.id, {
      location,
      sku: { name: sku },
      properties: { adminUserEnabled: true },
    });
    await this.login();
    return made;
  }

  async login(): Promise<void> {
    const { json } = await cloud.arm(`${this.id}/listCredentials?${API}`, { method: 'POST' });
    this.password = (json.passwords as { value: string }[])[0]?.value ?? '';
    expect(json.username).toBe(this.name);
  }

  get basic(): string {
    return `Basic ${Buffer.from(`${this.name}:${this.password}`).toString('base64')}`;
  }
  get secret(): string {
    return this.password;
  }

  ask(path: string, more: Send = {}): ReturnType<typeof send> {
    return send(`${this.url}${path}`, { ...more, headers: { authorization: this.basic, ...more.headers } });
  }

  async pushBlob(repository: string, content: Buffer): Promise<string> {
    const begun = await this.ask(`/v2/${repository}/blobs/uploads/`, { method: 'POST' });
    expect(begun.status).toBe(202);
    const half = Math.floor(content.length / 2);
    const place = begun.headers.location ?? '';
    const headers = { authorization: this.basic, 'content-range': `0-${half - 1}` };
    const patched = await send(place, { method: 'PATCH', headers, body: content.subarray(0, half) });
    expect([patched.status, patched.headers.range]).toEqual([202, `0-${half - 1}`]);
    const digest = digestOf(content);
    const end = `${patched.headers.location}?digest=${encodeURIComponent(digest)}`;
    const put = await send(end, {
      method: 'PUT',
      headers: { authorization: this.basic },
      body: content.subarray(half),
    });
    expect([put.status, put.headers['docker-content-digest']]).toEqual([201, digest]);
    return digest;
  }

  /** Pushes an image of one layer; answers its digest. */
  async push(repository: string, tag: string, layer = `layer of ${repository}:${tag}`): Promise<string> {
    const [config, content] = [Buffer.from('{"architecture":"amd64"}'), Buffer.from(layer)];
    for (const bytes of [config, content]) await this.pushBlob(repository, bytes);
    const manifest = JSON.stringify({
      schemaVersion: 2,
      mediaType: MANIFEST,
      config: {
        mediaType: 'application/vnd.oci.image.config.v1+json',
        digest: digestOf(config),
        size: config.length,
      },
      layers: [
        {
          mediaType: 'application/vnd.oci.image.layer.v1.tar',
          digest: digestOf(content),
          size: content.length,
        },
      ],
    });
    const put = await this.put(repository, tag, manifest, MANIFEST);
    expect([put.status, put.headers['docker-content-digest']]).toEqual([201, digestOf(manifest)]);
    return digestOf(manifest);
  }

  put(repository: string, reference: string, body: string, type: string): ReturnType<typeof send> {
    return this.ask(`/v2/${repository}/manifests/${reference}`, {
      method: 'PUT',
      body,
      headers: { 'content-type': type },
    });
  }

  async import(body: JsonObject): Promise<JsonObject | undefined> {
    const answer = await cloud.arm(`${this.id}/importImage?${API}`, { method: 'POST', body });
    return answer.status === 202 ? cloud.ended(answer) : { refused: answer.status, ...answer.json };
  }
}

describe('the data plane of a container registry', () => {
  let east: Registry;
  let digest: string;

  it('takes images in chunks, and gives them by tag and digest, byte for byte', async () => {
    east = new Registry('eastimages', 'eastus');
    const made = await east.make('eastus');
    const port = new URL(cloud.at.address.arm).port;
    expect(made.properties).toMatchObject({
      loginServer: `eastimages.azurecr.localhost:${port}`,
      adminUserEnabled: true,
    });
    digest = await east.push('team/train', 'v1');
    const byTag = await east.ask('/v2/team/train/manifests/v1');
    expect([byTag.headers['docker-content-digest'], byTag.headers['content-type']]).toEqual([digest, MANIFEST]);
    expect(digestOf(byTag.bytes)).toBe(digest);
    const byDigest = await east.ask(`/v2/team/train/manifests/${digest}`);
    expect(byDigest.bytes.equals(byTag.bytes)).toBe(true);
    const head = await east.ask('/v2/team/train/manifests/v1', { method: 'HEAD' });
    expect([head.status, head.headers['content-length'], head.text]).toEqual([200, String(byTag.bytes.length), '']);
    const [layer] = byTag.json.layers as { digest: string }[];
    const blob = await east.ask(`/v2/team/train/blobs/${layer?.digest}`);
    expect(blob.text).toBe('layer of team/train:v1');
  });

  it('lists repositories and tags, a page at a time', async () => {
    for (const tag of ['v2', 'v3', 'latest']) await east.push('team/train', tag);
    await east.push('base', 'one');
    const first = await east.ask('/v2/team/train/tags/list?n=2');
    expect(first.json).toEqual({ name: 'team/train', tags: ['latest', 'v1'] });
    const next = /^<([^>]+)>; rel="next"$/.exec(first.headers.link ?? '')?.[1] ?? '';
    const second = await send(new URL(next, east.url).href, { headers: { authorization: east.basic } });
    expect(second.json.tags).toEqual(['v2', 'v3']);
    expect(second.headers.link).toBeUndefined();
    expect((await east.ask('/v2/_catalog')).json).toEqual({ repositories: ['base', 'team/train'] });
  });

  it('shows them as Azure does, with their times and sizes', async () => {
    expect((await east.ask('/acr/v1/_catalog?n=1')).json).toEqual({ repositories: ['base'] });
    expect((await east.ask('/acr/v1/team/train')).json).toMatchObject({
      imageName: 'team/train',
      tagCount: 4,
      manifestCount: 4,
    });
    const { tags } = (await east.ask('/acr/v1/team/train/_tags?n=2&last=latest')).json as {
      tags: JsonObject[];
    };
    expect(tags.map(({ name }) => name)).toEqual(['v1', 'v2']);
    expect((await east.ask('/acr/v1/team/train/_tags/v1')).json).toMatchObject({
      tag: { name: 'v1', digest },
    });
    const one = (await east.ask(`/acr/v1/team/train/_manifests/${digest}`)).json.manifest as {
      imageSize: number;
    };
    expect(one).toMatchObject({ digest, tags: ['v1'], mediaType: MANIFEST });
    expect(one.imageSize).toBeGreaterThan(300);
    expect((await east.ask('/acr/v1/none/_tags')).status).toBe(404);
  });

  it('has indexes and referrers, and mounts blobs from another repository', async () => {
    const child = JSON.parse((await east.ask(`/v2/team/train/manifests/${digest}`)).text) as JsonObject;
    const descriptor = { mediaType: MANIFEST, digest, size: 1 };
    const index = JSON.stringify({
      schemaVersion: 2,
      mediaType: INDEX,
      manifests: [{ ...descriptor, platform: { os: 'linux' } }],
    });
    expect((await east.put('team/train', 'multi', index, INDEX)).status).toBe(201);
    const signature = JSON.stringify({ ...child, artifactType: 'application/example', subject: descriptor });
    const put = await east.put('team/train', digestOf(signature), signature, MANIFEST);
    expect([put.status, put.headers['oci-subject']]).toEqual([201, digest]);
    const referrers = await east.ask(`/v2/team/train/referrers/${digest}?artifactType=application/example`);
    expect(referrers.json.manifests).toMatchObject([
      { digest: digestOf(signature), artifactType: 'application/example' },
    ]);
    const layer = (child.layers as { digest: string }[])[0]?.digest ?? '';
    const mounted = await east.ask(`/v2/other/blobs/uploads/?mount=${layer}&from=team/train`, {
      method: 'POST',
    });
    expect(mounted.status).toBe(201);
    expect((await east.ask(`/v2/other/blobs/${layer}`)).status).toBe(200);
  });

  it('refuses what the specification refuses, in its words', async () => {
    const code = async (path: string, more: Send = {}): Promise<unknown[]> => {
      const { status, json } = await east.ask(path, more);
      return [status, (json.errors as { code: string }[] | undefined)?.[0]?.code];
    };
    expect(await code('/v2/team/train/manifests/none')).toEqual([404, 'MANIFEST_UNKNOWN']);
    expect(await code('/v2/nothing/tags/list')).toEqual([404, 'NAME_UNKNOWN']);
    expect(await code('/v2/Bad_Name/tags/list')).toEqual([400, 'NAME_INVALID']);
    expect(await code(`/v2/base/blobs/sha256:${'0'.repeat(64)}`)).toEqual([404, 'BLOB_UNKNOWN']);
    expect(await code('/v2/base/manifests/bad', { method: 'PUT', body: 'no json' })).toEqual([400, 'MANIFEST_INVALID']);
    const lacking = JSON.stringify({ schemaVersion: 2, layers: [{ digest: `sha256:${'1'.repeat(64)}` }] });
    expect(await code('/v2/base/manifests/bad', { method: 'PUT', body: lacking })).toEqual([
      400,
      'MANIFEST_BLOB_UNKNOWN',
    ]);
    const wrong = `/v2/base/blobs/uploads/?digest=sha256:${'2'.repeat(64)}`;
    expect(await code(wrong, { method: 'POST', body: 'x' })).toEqual([400, 'DIGEST_INVALID']);
    expect(await code('/v2/base/blobs/uploads/none', { method: 'PATCH', body: 'x' })).toEqual([
      404,
      'BLOB_UPLOAD_UNKNOWN',
    ]);
    expect(await code('/v2/')).toEqual([200, undefined]);
    expect(await code('/v2/', { headers: { authorization: 'Basic bm86bm8=' } })).toEqual([401, 'UNAUTHORIZED']);
  });

  it('gives tokens for a password, and for an Entra token with a role', async () => {
    const refused = await send(`${east.url}/v2/`);
    expect(refused.headers['www-authenticate']).toMatch(
      new RegExp(`^Bearer realm="${east.url}/oauth2/token",service=`),
    );
    const form = (fields: Record<string, string>): Send => ({
      method: 'POST',
      body: new URLSearchParams(fields).toString(),
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    });
    const byPassword = await send(`${east.url}/oauth2/token?scope=registry:catalog:*`, {
      headers: { authorization: east.basic },
    });
    const asBearer = (token: unknown): Send => ({ headers: { authorization: `Bearer ${String(token)}` } });
    expect((await send(`${east.url}/v2/_catalog`, asBearer(byPassword.json.access_token))).status).toBe(200);
    const entra = await cloud.token();
    const exchanged = await send(
      `${east.url}/oauth2/exchange`,
      form({ grant_type: 'access_token', access_token: entra }),
    );
    const refresh = exchanged.json.refresh_token as string;
    const access = await send(
      `${east.url}/oauth2/token`,
      form({ grant_type: 'refresh_token', refresh_token: refresh }),
    );
    expect((await send(`${east.url}/v2/base/tags/list`, asBearer(access.json.access_token))).json.tags).toEqual([
      'one',
    ]);
    expect((await send(`${east.url}/v2/`, asBearer(refresh))).status).toBe(401);
    expect((await send(`${east.url}/v2/`, asBearer('a.b.c'))).status).toBe(401);
    expect((await send(`${east.url}/oauth2/exchange`, form({ access_token: 'forged' }))).status).toBe(401);
  });

  it('refuses a password that was made anew, and everything while the admin user is off', async () => {
    const before = east.basic;
    await cloud.arm(`${east.id}/regenerateCredential?${API}`, { method: 'POST', body: { name: 'password' } });
    expect((await send(`${east.url}/v2/`, { headers: { authorization: before } })).status).toBe(401);
    await east.login();
    expect((await east.ask('/v2/')).status).toBe(200);
    const turn = async (isOn: boolean): Promise<void> => {
      const body = { properties: { adminUserEnabled: isOn } };
      await cloud.ended(await cloud.arm(`${east.id}?${API}`, { method: 'PATCH', body }));
    };
    await turn(false);
    expect((await east.ask('/v2/')).status).toBe(401);
    const list = await cloud.arm(`${east.id}/listCredentials?${API}`, { method: 'POST' });
    expect(list.text).toContain('UnAuthorizedForCredentialOperations');
    await turn(true);
    expect((await east.ask('/v2/')).status).toBe(200);
  });

  it('keeps its images over a restart, and is as dark as its region', async () => {
    await cloud.restart();
    expect(digestOf((await east.ask('/v2/team/train/manifests/v1')).bytes)).toBe(digest);
    await cloud.admin('POST', '/regions/eastus/outage', { mode: 'dark' });
    await expect(east.ask('/v2/')).rejects.toThrow();
  });
});

describe('a registry in management', () => {
  it('imports images from another region with their digests, index and all', async () => {
    const source = new Registry('eastimages', 'eastus');
    await source.login();
    const west = new Registry('westimages', 'westus3');
    await west.make('westus3', 'Standard');
    const digest = digestOf((await source.ask('/v2/team/train/manifests/v1')).bytes);
    const from = { resourceId: source.id, sourceImage: 'team/train:v1' };
    const asked = { source: from, targetTags: ['copies/train:v1', 'copies/train:stable'] };
    expect(await west.import(asked)).toMatchObject({ status: 'Succeeded' });
    for (const tag of ['v1', 'stable', digest]) {
      const got = await west.ask(`/v2/copies/train/manifests/${tag}`);
      expect([got.status, digestOf(got.bytes)]).toEqual([200, digest]);
      const [layer] = got.json.layers as { digest: string }[];
      expect((await west.ask(`/v2/copies/train/blobs/${layer?.digest}`)).text).toBe('layer of team/train:v1');
    }
    expect(await west.import(asked)).toMatchObject({ refused: 409, error: { code: 'Conflict' } });
    expect(await west.import({ ...asked, mode: 'Force' })).toMatchObject({ status: 'Succeeded' });
    const multi = { source: { ...from, sourceImage: 'team/train:multi' } };
    expect(await west.import(multi)).toMatchObject({ status: 'Succeeded' });
    expect((await west.ask(`/v2/team/train/manifests/${digest}`)).status).toBe(200);
    const bare = {
      source: { ...from, sourceImage: `team/train@${digest}` },
      untaggedTargetRepositories: ['bare'],
    };
    expect(await west.import(bare)).toMatchObject({ status: 'Succeeded' });
    expect((await west.ask('/v2/bare/tags/list')).json.tags).toEqual([]);
    expect((await west.ask(`/v2/bare/manifests/${digest}`)).status).toBe(200);
  });

  it('says why an import cannot be', async () => {
    const west = new Registry('westimages', 'westus3');
    const source = new Registry('eastimages', 'eastus');
    await source.login();
    const { properties } = (await cloud.arm(`${source.id}?${API}`)).json as {
      properties: { loginServer: string };
    };
    const registryUri = properties.loginServer;
    const from = { resourceId: source.id, sourceImage: 'team/train:v9' };
    expect(await west.import({ source: from })).toMatchObject({
      status: 'Failed',
      error: { code: 'ImageNotFound' },
    });
    expect(await west.import({ source: { ...from, resourceId: `${group}/x` } })).toMatchObject({
      refused: 400,
    });
    expect(await west.import({ source: { ...from, sourceImage: 'Not An Image' } })).toMatchObject({
      refused: 400,
    });
    const stranger = {
      registryUri,
      sourceImage: 'base:one',
      credentials: { username: 'eastimages', password: 'no' },
    };
    expect(await west.import({ source: stranger })).toMatchObject({ refused: 401 });
    const known = { ...stranger, credentials: { username: 'eastimages', password: source.secret } };
    expect(await west.import({ source: known })).toMatchObject({ status: 'Succeeded' });
    await cloud.admin('POST', '/regions/eastus/outage', { mode: 'dark' });
    const dark = await west.import({ source: { ...from, sourceImage: 'team/train:v2' } });
    expect(dark).toMatchObject({ status: 'Failed', error: { code: 'GatewayTimeout' } });
  });

  it('has what its tier has, and no other values than there are', async () => {
    const make = (tier: string, properties: JsonObject): Promise<HttpAnswer> =>
      cloud.arm(`${group}/providers/Microsoft.ContainerRegistry/registries/tiered?${API}`, {
        method: 'PUT',
        body: { location: 'eastus', sku: { name: tier }, properties },
      });
    const wrong: [string, JsonObject, string][] = [
      ['Basic', { networkRuleSet: { defaultAction: 'Deny' } }, 'networkRuleSet.defaultAction'],
      ['Standard', { publicNetworkAccess: 'Disabled' }, 'publicNetworkAccess'],
      [
        'Standard',
        { policies: { retentionPolicy: { status: 'enabled', days: 7 } } },
        'policies.retentionPolicy.status',
      ],
      ['Premium', { adminUserEnabled: 'yes' }, 'adminUserEnabled'],
      ['Premium', { networkRuleBypassOptions: 'Everybody' }, 'networkRuleBypassOptions'],
      ['Premium', { policies: 'none' }, 'policies'],
    ];
    for (const [tier, properties, place] of wrong) {
      const refused = await make(tier, properties);
      expect([refused.status, (refused.json.error as JsonObject).target]).toEqual([400, place]);
    }
    expect((await make('Premium', { publicNetworkAccess: 'Disabled' })).status).toBe(201);
  });

  it('counts its usage, and replicates where its tier allows it', async () => {
    const east = `${group}/providers/Microsoft.ContainerRegistry/registries/eastimages`;
    const west = `${group}/providers/Microsoft.ContainerRegistry/registries/westimages`;
    const usage = (await cloud.arm(`${east}/listUsages?${API}`)).json.value as {
      name: string;
      currentValue: number;
    }[];
    expect(usage.map(({ name }) => name)).toEqual(['Size', 'Webhooks', 'Geo-replications']);
    expect(usage[0]?.currentValue).toBeGreaterThan(500);
    const refused = await cloud.arm(`${west}/replications/eastus?${API}`, {
      method: 'PUT',
      body: { location: 'eastus' },
    });
    expect([refused.status, refused.text]).toEqual([400, expect.stringContaining('need Premium')]);
    const home = await cloud.arm(`${east}/replications/eastus?${API}`, {
      method: 'PUT',
      body: { location: 'eastus' },
    });
    expect(home.status).toBe(409);
    await cloud.make(`${east}/replications/westus3`, { location: 'westus3' });
    const replica = new Registry('eastimages', 'westus3');
    await replica.login();
    await cloud.admin('POST', '/regions/eastus/outage', { mode: 'dark' });
    expect((await replica.ask('/v2/team/train/manifests/v1')).status).toBe(200);
    await expect(cloud.arm(`${east}/listUsages?${API}`)).rejects.toThrow();
    const free = await cloud.arm(
      `${cloud.subscription}/providers/Microsoft.ContainerRegistry/checkNameAvailability?${API}`,
      {
        method: 'POST',
        body: { name: 'eastimages', type: 'Microsoft.ContainerRegistry/registries' },
      },
    );
    expect(free.json).toMatchObject({ nameAvailable: false, reason: 'AlreadyExists' });
  });

  it('takes its images with it', async () => {
    const west = new Registry('westimages', 'westus3');
    await cloud.ended(await cloud.arm(`${west.id}?${API}`, { method: 'DELETE' }));
    await west.make('westus3', 'Basic');
    expect((await west.ask('/v2/_catalog')).json).toEqual({ repositories: [] });
    const source = new Registry('eastimages', 'eastus');
    await source.login();
    expect((await source.ask('/v2/team/train/manifests/v1')).status).toBe(200);
  });
});
